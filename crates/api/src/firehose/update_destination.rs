//! UpdateDestination: changes what is given of the destination.

use super::{destination, stream};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::delivery_stream;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let name = stream::name(members)?;
    let version = stream::required(members, "CurrentDeliveryStreamVersionId")?;
    let id = stream::required(members, "DestinationId")?;
    stream::permit(call, "UpdateDestination", name)?;
    let (kind, update) = destination::only(members, "Update")?;
    let before = destination::described(call, name, kind)?;
    destination::check(call, kind, update, &before)?;
    call.transact(|cx| delivery_stream::update(cx, name, version, id, kind, update))?;
    Ok(Some(json!({})))
}
