//! Pages: `NextToken` is a position, bound to its list.

use super::ApiError;

/// The items after the token, at most `size`, with the token of what follows.
///
/// Errors: `InvalidNextToken`.
pub fn page<T>(
    items: Vec<T>,
    size: usize,
    token: Option<&str>,
    list: &str,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let start = match token {
        None => 0,
        Some(token) => read(token, list)
            .filter(|start| *start <= items.len())
            .ok_or_else(|| ApiError::new("InvalidNextToken", "Request parameter NextToken is invalid"))?,
    };
    let more = items.len() > start + size;
    let next = more.then(|| hex::encode(format!("{list}\n{}", start + size)));
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}

fn read(token: &str, list: &str) -> Option<usize> {
    let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
    text.strip_prefix(list)?.strip_prefix('\n')?.parse().ok()
}
