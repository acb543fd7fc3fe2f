//! DescribeQueries: queries that are scheduled, running or ended not long ago,
//! the newest first.

use super::arn;
use super::error::invalid;
use crate::call::Call;
use crate::error::ApiError;
use crate::insights::{Query, Status};
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::limits::{Constraints, one_of};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let group = members.text("logGroupName")?;
    let status = members.text("status")?;
    let language = members.text("queryLanguage")?;
    let most = members.integer("maxResults")?;
    let mut constraints = Constraints::new();
    if let Some(group) = group {
        constraints.group_name(group, "logGroupName");
    }
    if let Some(status) = status {
        let known: Vec<&str> = Status::ALL.iter().map(|known| known.as_str()).chain(["Unknown"]).collect();
        constraints.that(known.contains(&status), status, "status", one_of(&known));
    }
    let languages = ["CWLI", "SQL", "PPL"];
    if let Some(language) = language {
        constraints.that(languages.contains(&language), language, "queryLanguage", one_of(languages));
    }
    constraints.range(most, "maxResults", 1, 1000).finish()?;
    call.authorize("logs:DescribeQueries", "*", &[])?;
    if let Some(group) = group {
        call.services.logs.log_group_tags(&arn::store_scope(&call.scope), group)?;
    }
    let mut found = call.services.insights.list(&call.scope);
    found.retain(|query| {
        group.is_none_or(|group| query.groups.iter().any(|known| known == group))
            && status.is_none_or(|status| query.now().0.as_str() == status)
            && language.is_none_or(|language| language == "CWLI")
    });
    // A token is the id of the last query that was shown.
    let from = match members.text("nextToken")? {
        None => 0,
        Some(token) => {
            let last = found.iter().position(|query| query.id == token);
            1 + last.ok_or_else(|| invalid("The specified nextToken is invalid."))?
        }
    };
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(1000);
    let page = found.get(from..found.len().min(from + most)).unwrap_or_default();
    let shown: Vec<Value> = page.iter().map(|query| render(query)).collect();
    let mut answer = json!({ "queries": shown });
    if let Some(last) = page.last().filter(|_| from + page.len() < found.len()) {
        answer["nextToken"] = json!(last.id);
    }
    Ok(Some(answer))
}

fn render(query: &Query) -> Value {
    let mut shown = json!({
        "queryLanguage": "CWLI",
        "queryId": query.id,
        "queryString": query.text,
        "status": query.now().0.as_str(),
        "createTime": query.created.0,
        "logGroupName": query.groups.first(),
        "bytesScanned": query.progress.bytes() as f64,
        "userIdentity": query.user,
    });
    if let Some(took) = query.took() {
        shown["queryDuration"] = json!(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    }
    shown
}
