//! DescribeAlarms: by names, by a prefix, by state or by action.

use super::input::Input;
use super::{alarm, alarm_arn, page, scope, validation};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};
use weir_metrics::alarm::StateValue;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    call.authorize("cloudwatch:DescribeAlarms", &alarm_arn(call, "*"), &[])?;
    let (names, prefix) = (input.texts("AlarmNames")?, input.text("AlarmNamePrefix")?);
    if !names.is_empty() && prefix.is_some() {
        return Err(validation("AlarmNames and AlarmNamePrefix are mutually exclusive."));
    }
    let state = input.text("StateValue")?.map(read_state).transpose()?;
    let types = input.texts("AlarmTypes")?;
    let action = input.text("ActionPrefix")?;
    let mut found = call.services.metrics.alarms.list(&scope(call));
    found.retain(|alarm| {
        let has_action = |prefix: &str| {
            let all = [&alarm.ok_actions, &alarm.alarm_actions, &alarm.insufficient_data_actions];
            all.into_iter().flatten().any(|action| action.starts_with(prefix))
        };
        (names.is_empty() || names.contains(&alarm.name.as_str()))
            && (types.is_empty() || types.contains(&"MetricAlarm"))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state.value == state)
            && action.is_none_or(has_action)
    });
    let size = page_size(&input)?;
    let (found, next) = page::page(found, size, input.text("NextToken")?, "alarms")?;
    let shown: Vec<Value> = found.iter().map(alarm::show).collect();
    let mut answer = json!({"MetricAlarms": shown, "CompositeAlarms": []});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(Some(answer))
}

pub fn page_size(input: &Input<'_>) -> Result<usize, ApiError> {
    match input.integer("MaxRecords")? {
        None => Ok(50),
        Some(n) if (1..=100).contains(&n) => Ok(usize::try_from(n).unwrap_or(50)),
        Some(n) => {
            let end = if n < 1 { "greater than or equal to 1" } else { "less than or equal to 100" };
            Err(validation(format!(
                "1 validation error detected: Value '{n}' at 'maxRecords' failed to satisfy constraint: Member must have value {end}"
            )))
        }
    }
}

pub fn read_state(text: &str) -> Result<StateValue, ApiError> {
    StateValue::parse(text).ok_or_else(|| {
        validation(format!("1 validation error detected: Value '{text}' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"))
    })
}
