//! PutSubscriptionFilter: sends matching events on.

use super::{arn, destination, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_logs::SubscriptionFilter;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let names = ["logGroupName", "filterName", "filterPattern", "destinationArn"];
    let [group, name, pattern, destination] = required::texts(members, names)?;
    let system = members.texts("emitSystemFields")?.unwrap_or_default();
    let filter = SubscriptionFilter {
        pattern: pattern.to_owned(),
        destination_arn: destination.to_owned(),
        role_arn: members.text("roleArn")?.map(str::to_owned),
        distribution: members.text("distribution")?.unwrap_or("ByLogStream").to_owned(),
        apply_on_transformed_logs: members.boolean("applyOnTransformedLogs")?.unwrap_or_default(),
        field_selection_criteria: members.text("fieldSelectionCriteria")?.map(str::to_owned),
        emit_system_fields: system.into_iter().map(str::to_owned).collect(),
        ..Default::default()
    };
    permit::group(call, "PutSubscriptionFilter", group)?;
    let scope = arn::store_scope(&call.scope);
    let logs = &call.services.logs;
    logs.check_subscription_filter(&scope, group, name, &filter)?;
    destination::check(call, destination, filter.role_arn.as_deref())?;
    logs.put_subscription_filter(&scope, group, name, filter, call.now)?;
    Ok(None)
}
