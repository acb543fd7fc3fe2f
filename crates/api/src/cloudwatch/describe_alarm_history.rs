//! DescribeAlarmHistory: what happened to alarms in the last 30 days.

use super::describe_alarms::page_size;
use super::input::Input;
use super::{alarm_arn, page, scope};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let name = input.text("AlarmName")?;
    call.authorize("cloudwatch:DescribeAlarmHistory", &alarm_arn(call, name.unwrap_or("*")), &[])?;
    let kind = input.text("HistoryItemType")?;
    let (start, end) = (input.instant("StartDate")?, input.instant("EndDate")?);
    let types = input.texts("AlarmTypes")?;
    let mut found = call.services.metrics.alarms.history(&scope(call));
    found.retain(|item| {
        name.is_none_or(|name| item.alarm == name)
            && kind.is_none_or(|kind| item.kind.as_str() == kind)
            && (types.is_empty() || types.contains(&"MetricAlarm"))
            && start.is_none_or(|start| item.at >= start.0)
            && end.is_none_or(|end| item.at < end.0)
    });
    if input.text("ScanBy")? == Some("TimestampAscending") {
        found.reverse();
    }
    let (found, next) = page::page(found, page_size(&input)?, input.text("NextToken")?, "history")?;
    let shown: Vec<Value> = found
        .iter()
        .map(|item| {
            json!({
                "AlarmName": item.alarm,
                "AlarmType": "MetricAlarm",
                "Timestamp": item.at as f64 / 1000.0,
                "HistoryItemType": item.kind.as_str(),
                "HistorySummary": item.summary,
                "HistoryData": item.data,
            })
        })
        .collect();
    let mut answer = json!({ "AlarmHistoryItems": shown });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(Some(answer))
}
