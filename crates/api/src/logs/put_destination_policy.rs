//! PutDestinationPolicy: which accounts may send to a destination. There is one
//! account here, so nobody is kept out or let in by it.

use super::error::invalid;
use super::{arn, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_iam::{DocumentKind, PolicyDocument};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name, policy] = required::texts(members, ["destinationName", "accessPolicy"])?;
    members.boolean("forceUpdate")?;
    call.authorize("logs:PutDestinationPolicy", &arn::destination(&call.scope, name), &[])?;
    if !call.services.settings.emulator {
        PolicyDocument::parse(policy, DocumentKind::Resource)
            .map_err(|error| invalid(format!("Invalid access policy: {error}")))?;
    }
    call.services.logs.put_destination_policy(&arn::store_scope(&call.scope), name, policy)?;
    Ok(None)
}
