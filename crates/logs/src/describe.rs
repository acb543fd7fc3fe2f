//! Paging of the Describe actions.

use crate::limits::{Constraints, MAX_DESCRIBE};

/// Checks `limit`: 1 to 50, default 50.
pub(crate) fn page_size(limit: Option<i64>, constraints: &mut Constraints) -> usize {
    constraints.range(limit, "limit", 1, MAX_DESCRIBE as i64);
    limit.and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_DESCRIBE)
}

/// The first `size` items, and the position of the last of them if there are more.
pub(crate) fn page<T, P>(
    items: impl Iterator<Item = T>,
    size: usize,
    position: impl Fn(&T) -> P,
) -> (Vec<T>, Option<P>) {
    let mut items = items.fuse();
    let page: Vec<T> = items.by_ref().take(size).collect();
    let more = items.next().is_some();
    let last = page.last().filter(|_| more).map(position);
    (page, last)
}
