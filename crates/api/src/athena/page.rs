//! Pages of lists: a token names the last item of the page before.

use super::required::invalid;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Map, Value};

/// The items after `NextToken`, at most `MaxResults` or `most`, and the token
/// for those after them.
///
/// Errors: `InvalidRequestException`.
pub fn page<T>(
    items: Vec<T>,
    members: Members<'_>,
    most: usize,
    name: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let asked = members.integer("MaxResults")?.filter(|max| *max != 0);
    let max = match asked {
        None => most,
        Some(max) => usize::try_from(max)
            .ok()
            .filter(|max| *max <= most.max(1000))
            .ok_or_else(|| invalid(format!("MaxResults must be between 1 and {most}")))?,
    };
    let mut start = 0;
    if let Some(token) = members.text("NextToken")?.filter(|token| !token.is_empty()) {
        let last = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let last = last.and_then(|last| items.iter().position(|item| name(item) == last));
        start = 1 + last.ok_or_else(|| invalid("The NextToken is not valid"))?;
    }
    let total = items.len();
    let shown: Vec<T> = items.into_iter().skip(start).take(max).collect();
    let more = start + shown.len() < total;
    let next = shown.last().filter(|_| more).map(|item| hex::encode(name(item)));
    Ok((shown, next))
}

/// `{ list: […], NextToken }`
pub fn answer(list: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = Map::new();
    answer.insert(list.to_owned(), Value::Array(items));
    if let Some(next) = next {
        answer.insert("NextToken".to_owned(), Value::String(next));
    }
    Value::Object(answer)
}
