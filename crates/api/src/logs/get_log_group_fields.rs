//! GetLogGroupFields: which fields a group's events have, and how many per cent
//! of them.
//!
//! Read are the 15 minutes around `time`, or the last 15 minutes, at most the
//! first 10,000 events of them.

use super::{arn, identify, permit, query_groups};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_logs::FilterLogEvents;
use weir_logs::insights::Group;
use weir_logs::limits::Constraints;

const MINUTE_MS: i64 = 60_000;
/// The most fields that are told.
const MOST: usize = 1000;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let time = members.integer("time")?;
    Constraints::new().range(time, "time", 0, i64::MAX).finish()?;
    let name = identify::group(members, &call.scope)?;
    permit::group(call, "GetLogGroupFields", &name)?;
    let (start, end) = match time {
        Some(seconds) => {
            let at = seconds.saturating_mul(1000);
            (at.saturating_sub(8 * MINUTE_MS), at.saturating_add(7 * MINUTE_MS))
        }
        None => (call.now.0 - 15 * MINUTE_MS, call.now.0),
    };
    let scope = arn::store_scope(&call.scope);
    let request = FilterLogEvents {
        group: name.clone(),
        start_time: Some(start.max(0)),
        end_time: Some(end),
        ..Default::default()
    };
    let page = call.services.logs.filter_log_events(&scope, &request, call.now)?;
    let mut groups = [Group { scope, name, formats: Vec::new() }];
    query_groups::add_formats(call, &mut groups)?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for discovery in groups.iter().map(Group::discovery) {
        for event in &page.events {
            let names: BTreeSet<String> =
                discovery.fields(&event.message).into_iter().map(|(name, _)| name).collect();
            for name in names {
                *counts.entry(name).or_default() += 1;
            }
        }
    }
    let all = page.events.len();
    if all > 0 {
        for name in ["@ingestionTime", "@log", "@logStream", "@message", "@timestamp"] {
            counts.insert(name.to_owned(), all);
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(MOST);
    let field = |(name, count): (String, usize)| json!({ "name": name, "percent": count * 100 / all.max(1) });
    let fields: Vec<Value> = counts.into_iter().map(field).collect();
    Ok(Some(json!({ "logGroupFields": fields })))
}
