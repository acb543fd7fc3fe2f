//! FilterLogEvents: the events of a group's streams, in order of time.
//!
//! `interleaved` is ignored, as AWS does: answers are always interleaved.
//! `searchedLogStreams` is always empty, as in AWS since 2020.

use super::{arn, identify, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::Scope;
use weir_logs::{FilterLogEvents, FoundLogEvent};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let request = parse(members, &call.scope)?;
    permit::group(call, "FilterLogEvents", &request.group)?;
    let (scope, mut events) = (arn::store_scope(&call.scope), Vec::new());
    let each = |event: FoundLogEvent<'_>| events.push(render(&event));
    let next_token = call.services.logs.each_filtered_log_event(&scope, &request, call.now, each)?;
    let mut answer = json!({ "events": events, "searchedLogStreams": [] });
    if let Some(token) = next_token {
        answer["nextToken"] = json!(token);
    }
    Ok(Some(answer))
}

fn parse(members: Members<'_>, scope: &Scope) -> Result<FilterLogEvents, ApiError> {
    let names = members.texts("logStreamNames")?;
    Ok(FilterLogEvents {
        group: identify::group(members, scope)?,
        stream_names: names.map(|names| names.into_iter().map(str::to_owned).collect()),
        stream_name_prefix: members.text("logStreamNamePrefix")?.map(str::to_owned),
        start_time: members.integer("startTime")?,
        end_time: members.integer("endTime")?,
        filter_pattern: members.text("filterPattern")?.map(str::to_owned),
        limit: members.integer("limit")?,
        next_token: members.text("nextToken")?.map(str::to_owned),
    })
}

fn render(event: &FoundLogEvent<'_>) -> Value {
    json!({
        "logStreamName": event.log_stream_name,
        "timestamp": event.timestamp.0,
        "message": event.message,
        "ingestionTime": event.ingestion_time.0,
        "eventId": event.event_id(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let scope = Scope::new("123456789012", "us-east-1");
        let given = json!({
            "logGroupIdentifier": "g", "logStreamNames": ["a", "b"], "startTime": 1, "endTime": 2,
            "filterPattern": "", "limit": 10, "nextToken": "t", "interleaved": true,
        });
        let wanted = FilterLogEvents {
            group: "g".into(),
            stream_names: Some(vec!["a".into(), "b".into()]),
            stream_name_prefix: None,
            start_time: Some(1),
            end_time: Some(2),
            filter_pattern: Some(String::new()),
            limit: Some(10),
            next_token: Some("t".into()),
        };
        assert_eq!(parse(Members::new(given.as_object().unwrap()), &scope).unwrap(), wanted);
    }
}
