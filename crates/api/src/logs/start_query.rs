//! StartQuery: a Logs Insights query over up to 50 log groups.

use super::error::invalid;
use super::{query_groups, random_id, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::insights::New;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use std::time::Duration;
use weir_logs::insights::{DEFAULT_LIMIT, Group, MAX_LIMIT, MAX_QUERY_CHARS, Query, QueryError, Request};
use weir_logs::limits::{Constraints, one_of};

/// From then on it is milliseconds: the year 5138, in seconds.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Suites for emulators ask for the result at once.
const EMULATOR_PATIENCE: Duration = Duration::from_secs(5);

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let text = members.text("queryString")?.unwrap_or_default();
    let (start, end) = (members.integer("startTime")?, members.integer("endTime")?);
    let limit = members.integer("limit")?;
    let language = members.text("queryLanguage")?.unwrap_or("CWLI");
    required::check(members, &["startTime", "endTime", "queryString"])?;
    let mut constraints = Constraints::new();
    constraints.length(text, "queryString", 0, MAX_QUERY_CHARS);
    constraints.range(start, "startTime", 0, i64::MAX).range(end, "endTime", 0, i64::MAX);
    constraints.range(limit, "limit", 1, MAX_LIMIT as i64);
    let languages = ["CWLI", "SQL", "PPL"];
    constraints.that(languages.contains(&language), language, "queryLanguage", one_of(languages));
    constraints.finish()?;
    if language != "CWLI" {
        return Err(invalid(format!(
            "The query language {language} is not supported; write the query in CWLI."
        )));
    }
    let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
    if start > end {
        return Err(invalid("The start time of the query is after its end time."));
    }
    let query = match Query::parse(text) {
        Ok(query) => Some(query),
        // Suites for emulators query with any text.
        Err(_) if call.services.settings.emulator => None,
        Err(error) => return Err(malformed(&error)),
    };
    let source = query.as_ref().and_then(|query| query.source.as_ref());
    let groups = query_groups::groups(call, members, source)?;
    let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
    let new = New {
        id: random_id()?,
        scope: call.scope.clone(),
        text: shown(call, text, &names, start, end),
        user: call.principal.arn(),
        created: call.now,
        groups: names,
    };
    let request = query.map(|query| request(call, query, groups, (start, end), limit));
    let query = call.services.insights.start(new, request).ok_or_else(|| {
        ApiError::new("LimitExceededException", "Account maximum query concurrency limit of [100] reached.")
    })?;
    if call.services.settings.emulator {
        query.wait(EMULATOR_PATIENCE);
    }
    Ok(Some(json!({ "queryId": query.id })))
}

fn request(
    call: &Call<'_>,
    query: Query,
    groups: Vec<Group>,
    (start, end): (i64, i64),
    limit: Option<i64>,
) -> Request {
    // The last second counts as a whole.
    let (start, end) = match end >= MILLISECONDS_FROM {
        true => (start, end),
        false => (start.saturating_mul(1000), end * 1000 + 999),
    };
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DEFAULT_LIMIT);
    Request { query, groups, start, end, limit, now: call.now }
}

/// The text as DescribeQueries shows it.
fn shown(call: &Call<'_>, text: &str, groups: &[String], start: i64, end: i64) -> String {
    if call.services.settings.emulator {
        return text.to_owned();
    }
    let groups: Vec<String> = groups.iter().map(|name| format!("SOURCE \"{name}\"")).collect();
    let (start, end) = match end >= MILLISECONDS_FROM {
        true => (start.to_string(), end.to_string()),
        false => (format!("{start}000"), format!("{end}999")),
    };
    format!("{} START={start} END={end} | {text}", groups.join(" | "))
}

fn malformed(error: &QueryError) -> ApiError {
    let place = json!({ "startCharOffset": error.start, "endCharOffset": error.end });
    ApiError {
        details: Some(json!({ "queryCompileError": { "location": place, "message": error.message } })),
        ..ApiError::new("MalformedQueryException", error.message.clone())
    }
}
