//! `MaxResults` and `NextToken`.

use crate::error::ApiError;
use crate::protocol::query::Params;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Cuts one page out of `items`: those after the token's place, at most
/// `MaxResults` (`range`, usually 5 to 1000). The second value is the token of
/// the next page. `key` gives the order in which `items` come and must be unique.
///
/// Errors: `InvalidParameterValue` (MaxResults), `InvalidNextToken`.
pub fn page<T>(
    items: Vec<T>,
    params: &Params,
    range: std::ops::RangeInclusive<i64>,
    key: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = params.integer("MaxResults")?;
    if let Some(limit) = limit.filter(|limit| !range.contains(limit)) {
        let message = format!(
            "Value ( {limit} ) for parameter maxResults is invalid. Expecting a value between {} and {}.",
            range.start(),
            range.end()
        );
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let bad_token = || ApiError::new("InvalidNextToken", "The token is invalid");
    let after = match params.get("NextToken") {
        None => None,
        Some(token) => {
            let bytes = STANDARD.decode(token).map_err(|_| bad_token())?;
            Some(String::from_utf8(bytes).map_err(|_| bad_token())?)
        }
    };
    let start = match &after {
        None => 0,
        Some(after) => items.iter().position(|item| key(item) > after.as_str()).unwrap_or(items.len()),
    };
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let left = items.len() - start;
    let page: Vec<T> = items.into_iter().skip(start).take(limit).collect();
    let token = (left > limit).then(|| page.last().map(|item| STANDARD.encode(key(item)))).flatten();
    Ok((page, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let all: Vec<String> = (0..12).map(|n| format!("id-{n:02}")).collect();
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let form = format!("MaxResults=5&NextToken={token}");
            let params = Params::parse(form.as_bytes()).unwrap();
            let (page, next) = page(all.clone(), &params, 5..=1000, |id| id).unwrap();
            assert!(page.len() <= 5);
            seen.extend(page);
            match next {
                Some(next) => token = form_urlencoded::byte_serialize(next.as_bytes()).collect(),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn faults() {
        for form in ["MaxResults=4", "MaxResults=1001", "MaxResults=x", "NextToken=%21%21"] {
            let params = Params::parse(form.as_bytes()).unwrap();
            assert!(page(vec![String::new()], &params, 5..=1000, |id| id).is_err(), "{form}");
        }
    }
}
