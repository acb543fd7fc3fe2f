//! TestMetricFilter: which messages a pattern matches, and what it reads of them.

use super::required;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["filterPattern", "logEventMessages"])?;
    let [pattern] = required::texts(members, ["filterPattern"])?;
    let messages = members.texts("logEventMessages")?.unwrap_or_default();
    call.authorize("logs:TestMetricFilter", "*", &[])?;
    let matches = weir_logs::test_metric_filter(pattern, &messages)?.into_iter().map(|found| {
        json!({
            "eventNumber": found.event_number,
            "eventMessage": found.event_message,
            "extractedValues": found.extracted_values,
        })
    });
    Ok(Some(json!({ "matches": matches.collect::<Vec<_>>() })))
}
