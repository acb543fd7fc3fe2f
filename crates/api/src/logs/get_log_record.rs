//! GetLogRecord: the event that an `@ptr` of a query's result points to, with
//! all its fields.

use super::error::invalid;
use super::{arn, permit, query_groups, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Map, Value, json};
use weir_logs::FilterLogEvents;
use weir_logs::insights::{Group, Pointer};
use weir_logs::limits::Constraints;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [text] = required::texts(members, ["logRecordPointer"])?;
    let wrong = || invalid("The specified logRecordPointer is invalid.");
    let pointer = Pointer::parse(text).ok_or_else(wrong)?;
    let mut constraints = Constraints::new();
    constraints.group_name(&pointer.group, "g").stream_name(&pointer.stream, "s");
    constraints.range(Some(pointer.timestamp), "t", 0, i64::MAX).finish().map_err(|_| wrong())?;
    permit::group(call, "GetLogRecord", &pointer.group)?;
    let scope = arn::store_scope(&call.scope);
    let mut request = FilterLogEvents {
        group: pointer.group.clone(),
        stream_names: Some(vec![pointer.stream.clone()]),
        start_time: Some(pointer.timestamp),
        end_time: Some(pointer.timestamp),
        ..Default::default()
    };
    let event = loop {
        let page = call.services.logs.filter_log_events(&scope, &request, call.now)?;
        if let Some(found) = page.events.into_iter().find(|event| event.event_id == pointer.event_id) {
            break found;
        }
        request.next_token = page.next_token;
        if request.next_token.is_none() {
            let message = "The specified log record does not exist.";
            return Err(ApiError::new("ResourceNotFoundException", message));
        }
    };
    let mut groups = [Group { scope, name: pointer.group.clone(), formats: Vec::new() }];
    query_groups::add_formats(call, &mut groups)?;
    let mut record = Map::new();
    for group in &groups {
        for (name, value) in group.discovery().fields(&event.message) {
            record.insert(name, value.into());
        }
        record.insert("@log".to_owned(), group.log().into());
    }
    record.insert("@timestamp".to_owned(), event.timestamp.0.to_string().into());
    record.insert("@ingestionTime".to_owned(), event.ingestion_time.0.to_string().into());
    record.insert("@logStream".to_owned(), event.log_stream_name.into());
    record.insert("@message".to_owned(), event.message.into());
    record.insert("@ptr".to_owned(), text.into());
    Ok(Some(json!({ "logRecord": record })))
}
