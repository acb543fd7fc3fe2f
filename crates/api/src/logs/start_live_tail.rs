//! StartLiveTail: a stream of events, until the client leaves.
//!
//! The one action whose answer is not one body; see `dispatch`.

use super::error::invalid;
use super::live_tail::Wanted;
use super::{arn, identify, permit, random_id, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use axum::body::Bytes;
use serde_json::json;
use tokio::sync::mpsc;
use weir_logs::limits::{Constraints, at_least, at_most};
use weir_logs::pattern::Pattern;

/// The action's name; it is in no table, because its answer is a stream.
pub const NAME: &str = "StartLiveTail";
/// The content type of the answer.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The frames of a new session.
pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<mpsc::Receiver<Bytes>, ApiError> {
    required::check(members, &["logGroupIdentifiers"])?;
    let identifiers = members.texts("logGroupIdentifiers")?.unwrap_or_default();
    let streams = members.texts("logStreamNames")?.unwrap_or_default();
    let prefixes = members.texts("logStreamNamePrefixes")?.unwrap_or_default();
    let mut constraints = Constraints::new();
    for (list, member, max) in [
        (&identifiers, "logGroupIdentifiers", 10),
        (&streams, "logStreamNames", 100),
        (&prefixes, "logStreamNamePrefixes", 100),
    ] {
        let shown = format!("[{}]", list.join(", "));
        let needed = member == "logGroupIdentifiers";
        constraints.that(!(needed && list.is_empty()), &shown, member, at_least("length", 1));
        constraints.that(list.len() <= max, &shown, member, at_most("length", max));
    }
    let pattern = members.text("logEventFilterPattern")?.unwrap_or_default();
    constraints.length(pattern, "logEventFilterPattern", 0, 1024);
    constraints.finish()?;
    if !streams.is_empty() && !prefixes.is_empty() {
        return Err(invalid("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters."));
    }
    if identifiers.len() > 1 && !(streams.is_empty() && prefixes.is_empty()) {
        return Err(invalid("Log streams can be named only with a single log group."));
    }
    let pattern_text = pattern;
    let pattern = Pattern::parse(pattern).map_err(|error| invalid(error.to_string()))?;
    let scope = arn::store_scope(&call.scope);
    let mut groups = Vec::new();
    for identifier in &identifiers {
        if !identifier.starts_with("arn:") {
            return Err(invalid(format!(
                "'{identifier}' at 'logGroupIdentifiers' is not the ARN of a log group."
            )));
        }
        let group = identify::identified(identifier, &call.scope)?;
        permit::group(call, NAME, &group)?;
        call.services.logs.log_group_tags(&scope, &group)?;
        groups.push((group, (*identifier).to_owned()));
    }
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let start = json!({
        "requestId": call.request_id,
        "sessionId": random_id()?,
        "logGroupIdentifiers": identifiers,
        "logStreamNames": streams,
        "logStreamNamePrefixes": prefixes,
        "logEventFilterPattern": pattern_text,
    });
    let wanted =
        Wanted { scope, groups, streams: owned(&streams), stream_prefixes: owned(&prefixes), pattern };
    call.services.live_tail.start(wanted, &start).ok_or_else(|| {
        ApiError::new("LimitExceededException", "There are 15 live tail sessions already, the most at once.")
    })
}
