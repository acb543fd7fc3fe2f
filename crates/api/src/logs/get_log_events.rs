//! GetLogEvents: the events of one stream, a page at a time. Both tokens are
//! always there; at an end of the stream the one that was sent comes back.

use super::{arn, identify, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::Scope;
use weir_logs::{GetLogEvents, LogEvents};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let request = parse(members, &call.scope)?;
    permit::stream(call, "GetLogEvents", &request.group, &request.stream)?;
    let found = call.services.logs.get_log_events(&arn::store_scope(&call.scope), &request, call.now)?;
    Ok(Some(render(found)))
}

fn parse(members: Members<'_>, scope: &Scope) -> Result<GetLogEvents, ApiError> {
    let [stream] = required::texts(members, ["logStreamName"])?;
    Ok(GetLogEvents {
        group: identify::group(members, scope)?,
        stream: stream.to_owned(),
        start_time: members.integer("startTime")?,
        end_time: members.integer("endTime")?,
        next_token: members.text("nextToken")?.map(str::to_owned),
        limit: members.integer("limit")?,
        start_from_head: members.boolean("startFromHead")?.unwrap_or_default(),
    })
}

fn render(found: LogEvents) -> Value {
    let events = found.events.into_iter().map(|event| {
        json!({
            "timestamp": event.timestamp.0,
            "message": event.message,
            "ingestionTime": event.ingestion_time.0,
        })
    });
    json!({
        "events": events.collect::<Vec<_>>(),
        "nextForwardToken": found.next_forward_token,
        "nextBackwardToken": found.next_backward_token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_logs::OutputLogEvent;
    use weir_types::time::UnixMillis;

    #[test]
    fn requests() {
        let scope = Scope::new("123456789012", "us-east-1");
        let given = json!({
            "logGroupName": "g", "logStreamName": "s", "startTime": 1, "endTime": 2, "nextToken": "f/3",
            "limit": 10, "startFromHead": true, "unmask": false,
        });
        let wanted = GetLogEvents {
            group: "g".into(),
            stream: "s".into(),
            start_time: Some(1),
            end_time: Some(2),
            next_token: Some("f/3".into()),
            limit: Some(10),
            start_from_head: true,
        };
        assert_eq!(parse(Members::new(given.as_object().unwrap()), &scope).unwrap(), wanted);
    }

    #[test]
    fn answers() {
        let event = OutputLogEvent {
            timestamp: UnixMillis(1),
            message: "2 123456789012 eni-1 \"ä\"".into(),
            ingestion_time: UnixMillis(2),
        };
        let found = LogEvents {
            events: vec![event],
            next_forward_token: "f/1".into(),
            next_backward_token: "b/1".into(),
        };
        let expect = json!({
            "events": [{"timestamp": 1, "message": "2 123456789012 eni-1 \"ä\"", "ingestionTime": 2}],
            "nextForwardToken": "f/1",
            "nextBackwardToken": "b/1",
        });
        assert_eq!(render(found), expect);
    }
}
