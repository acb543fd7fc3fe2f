//! DescribeLogStreams: the streams of a group by name or by newest event.

use super::{arn, identify, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::Scope;
use weir_logs::{DescribeLogStreams, LogStream, LogStreams};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let request = parse(members, &call.scope)?;
    permit::group(call, "DescribeLogStreams", &request.group)?;
    let found =
        call.services.logs.describe_log_streams(&arn::store_scope(&call.scope), &request, call.now)?;
    Ok(Some(render(&call.scope, &request.group, &found)))
}

fn parse(members: Members<'_>, scope: &Scope) -> Result<DescribeLogStreams, ApiError> {
    Ok(DescribeLogStreams {
        group: identify::group(members, scope)?,
        name_prefix: members.text("logStreamNamePrefix")?.map(str::to_owned),
        order_by: members.text("orderBy")?.map(str::parse).transpose()?.unwrap_or_default(),
        descending: members.boolean("descending")?.unwrap_or_default(),
        limit: members.integer("limit")?,
        next_token: members.text("nextToken")?.map(str::to_owned),
    })
}

fn render(scope: &Scope, group: &str, found: &LogStreams) -> Value {
    let streams: Vec<Value> =
        found.log_streams.iter().map(|stream| render_stream(scope, group, stream)).collect();
    let mut answer = json!({ "logStreams": streams });
    if let Some(token) = &found.next_token {
        answer["nextToken"] = json!(token);
    }
    answer
}

fn render_stream(scope: &Scope, group: &str, stream: &LogStream) -> Value {
    let mut shown = json!({
        "logStreamName": stream.name,
        "creationTime": stream.creation_time.0,
        "arn": arn::stream(scope, group, &stream.name),
        // AWS counts bytes of groups only, since 2019.
        "storedBytes": 0,
    });
    for (name, at) in [
        ("firstEventTimestamp", stream.first_event_timestamp),
        ("lastEventTimestamp", stream.last_event_timestamp),
        ("lastIngestionTime", stream.last_ingestion_time),
    ] {
        if let Some(at) = at {
            shown[name] = json!(at.0);
        }
    }
    if let Some(token) = &stream.upload_sequence_token {
        shown["uploadSequenceToken"] = json!(token);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_logs::OrderBy;
    use weir_types::time::UnixMillis;

    fn scope() -> Scope {
        Scope::new("123456789012", "us-east-1")
    }

    #[test]
    fn requests() {
        let given = json!({
            "logGroupIdentifier": "arn:aws:logs:us-east-1:123456789012:log-group:g",
            "orderBy": "LastEventTime", "descending": true, "limit": 2, "nextToken": "t",
        });
        let wanted = DescribeLogStreams {
            group: "g".into(),
            name_prefix: None,
            order_by: OrderBy::LastEventTime,
            descending: true,
            limit: Some(2),
            next_token: Some("t".into()),
        };
        assert_eq!(parse(Members::new(given.as_object().unwrap()), &scope()).unwrap(), wanted);
        let given = json!({"logGroupName": "g", "orderBy": "Size"});
        let error = parse(Members::new(given.as_object().unwrap()), &scope()).unwrap_err();
        assert_eq!(
            error.message,
            "1 validation error detected: Value 'Size' at 'orderBy' failed to satisfy constraint: \
             Member must satisfy enum value set: [LogStreamName, LastEventTime]"
        );
    }

    #[test]
    fn answers() {
        let empty = LogStream {
            name: "empty".into(),
            creation_time: UnixMillis(5),
            first_event_timestamp: None,
            last_event_timestamp: None,
            last_ingestion_time: None,
            upload_sequence_token: None,
        };
        let full = LogStream {
            name: "eni-1-all".into(),
            first_event_timestamp: Some(UnixMillis(6)),
            last_event_timestamp: Some(UnixMillis(7)),
            last_ingestion_time: Some(UnixMillis(8)),
            upload_sequence_token: Some("49".into()),
            ..empty.clone()
        };
        let found = LogStreams { log_streams: vec![empty, full], next_token: None };
        let expect = json!({ "logStreams": [
            {
                "logStreamName": "empty",
                "creationTime": 5,
                "arn": "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:empty",
                "storedBytes": 0,
            },
            {
                "logStreamName": "eni-1-all",
                "creationTime": 5,
                "arn": "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:eni-1-all",
                "storedBytes": 0,
                "firstEventTimestamp": 6,
                "lastEventTimestamp": 7,
                "lastIngestionTime": 8,
                "uploadSequenceToken": "49",
            },
        ]});
        assert_eq!(render(&scope(), "g", &found), expect);
    }
}
