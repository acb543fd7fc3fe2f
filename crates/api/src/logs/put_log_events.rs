//! PutLogEvents: a batch of events into a stream.
//!
//! `entity` is not kept; AWS shows it nowhere in this service either.

use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Map, Value, json};
use weir_logs::limits::{Constraints, MAX_BATCH_EVENTS, at_most};
use weir_logs::{InputLogEvent, PutLogEvents, PutLogEventsResult};
use weir_types::time::UnixMillis;

/// Most faults of events that one answer names.
const MAX_FAULTS: usize = 10;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let request = parse(members)?;
    permit::stream(call, "PutLogEvents", &request.group, &request.stream)?;
    let done = call.services.logs.put_log_events(&arn::store_scope(&call.scope), &request, call.now)?;
    Ok(Some(render(&done)))
}

fn parse(members: Members<'_>) -> Result<PutLogEvents, ApiError> {
    required::check(members, &["logGroupName", "logStreamName", "logEvents"])?;
    let [group, stream] = required::texts(members, ["logGroupName", "logStreamName"])?;
    Ok(PutLogEvents {
        group: group.to_owned(),
        stream: stream.to_owned(),
        events: events(members.list("logEvents")?.unwrap_or_default())?,
        sequence_token: members.text("sequenceToken")?.map(str::to_owned),
    })
}

fn events(list: &[Value]) -> Result<Vec<InputLogEvent>, ApiError> {
    let count = list.len();
    let shown = format!("[{count} events]");
    let rule = at_most("length", MAX_BATCH_EVENTS);
    Constraints::new().that(count <= MAX_BATCH_EVENTS, shown, "logEvents", rule).finish()?;
    let mut constraints = Constraints::new();
    let (mut events, mut faults) = (Vec::with_capacity(count), 0);
    for (i, value) in list.iter().enumerate() {
        let event = object(value).map(Members::new)?;
        match (event.integer("timestamp")?, event.text("message")?) {
            (Some(timestamp), Some(message)) => {
                events.push(InputLogEvent { timestamp: UnixMillis(timestamp), message: message.to_owned() });
            }
            (timestamp, message) => {
                for (name, missing) in [("timestamp", timestamp.is_none()), ("message", message.is_none())] {
                    if missing && faults < MAX_FAULTS {
                        faults += 1;
                        constraints.missing(&format!("logEvents.{}.member.{name}", i + 1));
                    }
                }
            }
        }
    }
    constraints.finish()?;
    Ok(events)
}

fn object(value: &Value) -> Result<&Map<String, Value>, ApiError> {
    value.as_object().ok_or_else(|| {
        ApiError::new("SerializationException", "The member logEvents must be a list of objects")
    })
}

fn render(done: &PutLogEventsResult) -> Value {
    let mut answer = json!({ "nextSequenceToken": done.next_sequence_token });
    if let Some(rejected) = done.rejected {
        let mut info = json!({});
        for (name, index) in [
            ("tooOldLogEventEndIndex", rejected.too_old_log_event_end_index),
            ("expiredLogEventEndIndex", rejected.expired_log_event_end_index),
            ("tooNewLogEventStartIndex", rejected.too_new_log_event_start_index),
        ] {
            if let Some(index) = index {
                info[name] = json!(index);
            }
        }
        answer["rejectedLogEventsInfo"] = info;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_logs::RejectedLogEventsInfo;

    #[test]
    fn requests() {
        let given = json!({
            "logGroupName": "g", "logStreamName": "s", "sequenceToken": "weir:1",
            "logEvents": [{"timestamp": 1, "message": "a"}, {"timestamp": 2.0, "message": "ä", "x": 1}],
            "entity": {"keyAttributes": {"Type": "Service", "Name": "n"}},
        });
        let event = |at, message: &str| InputLogEvent { timestamp: UnixMillis(at), message: message.into() };
        let wanted = PutLogEvents {
            group: "g".into(),
            stream: "s".into(),
            events: vec![event(1, "a"), event(2, "ä")],
            sequence_token: Some("weir:1".into()),
        };
        assert_eq!(parse(Members::new(given.as_object().unwrap())).unwrap(), wanted);
    }

    #[test]
    fn faults() {
        for (given, code, message) in [
            (
                json!({"logStreamName": "s"}),
                "InvalidParameterException",
                "2 validation errors detected: Value null at 'logGroupName' failed to satisfy constraint: \
                 Member must not be null; Value null at 'logEvents' failed to satisfy constraint: \
                 Member must not be null",
            ),
            (
                json!({"logGroupName": "g", "logStreamName": "s", "logEvents": [
                    {"timestamp": 1, "message": "a"}, {"timestamp": 1}, {"message": "a"},
                ]}),
                "InvalidParameterException",
                "2 validation errors detected: Value null at 'logEvents.2.member.message' failed to satisfy \
                 constraint: Member must not be null; Value null at 'logEvents.3.member.timestamp' failed to \
                 satisfy constraint: Member must not be null",
            ),
            (
                json!({"logGroupName": "g", "logStreamName": "s", "logEvents": vec![json!({}); 10_001]}),
                "InvalidParameterException",
                "1 validation error detected: Value '[10001 events]' at 'logEvents' failed to satisfy \
                 constraint: Member must have length less than or equal to 10000",
            ),
            (
                json!({"logGroupName": "g", "logStreamName": "s", "logEvents": ["a"]}),
                "SerializationException",
                "The member logEvents must be a list of objects",
            ),
        ] {
            let error = parse(Members::new(given.as_object().unwrap())).unwrap_err();
            assert_eq!((error.code.as_ref(), error.message.as_str()), (code, message));
        }
    }

    #[test]
    fn answers() {
        let mut done = PutLogEventsResult { next_sequence_token: "49".into(), rejected: None };
        assert_eq!(render(&done), json!({"nextSequenceToken": "49"}));
        done.rejected = Some(RejectedLogEventsInfo {
            too_old_log_event_end_index: Some(1),
            expired_log_event_end_index: Some(2),
            too_new_log_event_start_index: None,
        });
        let info = json!({"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2});
        assert_eq!(render(&done), json!({"nextSequenceToken": "49", "rejectedLogEventsInfo": info}));
        done.rejected =
            Some(RejectedLogEventsInfo { too_new_log_event_start_index: Some(0), ..Default::default() });
        assert_eq!(render(&done)["rejectedLogEventsInfo"], json!({"tooNewLogEventStartIndex": 0}));
    }
}
