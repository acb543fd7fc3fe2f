//! `Marker` and `MaxItems`. Source: IAM API, "ListRoles".

use super::shape;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use weir_control::principal::validate;

/// Items of a page without `MaxItems`.
const DEFAULT: i64 = 100;

/// One page of a list.
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins.
    marker: Option<String>,
}

/// Cuts one page out of `items`, which come in the order of `key`. Keys are
/// unique, and compared ignoring case, as names are.
///
/// Errors: `ValidationError`.
pub fn page<T>(mut items: Vec<T>, params: &Params, key: impl Fn(&T) -> &str) -> Result<Page<T>, ApiError> {
    items.sort_by_key(|item| key(item).to_lowercase());
    let after = |items: &[T], last: &str| {
        items.iter().position(|item| key(item).to_lowercase() > last.to_lowercase())
    };
    cut(items, params, &key, after)
}

/// The same for items in an order of their own; a page begins after the item
/// with the last page's last key.
///
/// Errors: `ValidationError`.
pub fn page_in_order<T>(
    items: Vec<T>,
    params: &Params,
    key: impl Fn(&T) -> &str,
) -> Result<Page<T>, ApiError> {
    let after = |items: &[T], last: &str| items.iter().position(|item| key(item) == last).map(|at| at + 1);
    cut(items, params, &key, after)
}

fn cut<T>(
    items: Vec<T>,
    params: &Params,
    key: impl Fn(&T) -> &str,
    after: impl Fn(&[T], &str) -> Option<usize>,
) -> Result<Page<T>, ApiError> {
    let limit = params.integer("MaxItems")?.unwrap_or(DEFAULT);
    validate::number("maxItems", limit, 1..=1000)?;
    let start = match params.get("Marker") {
        None => 0,
        Some(marker) => {
            let bad = || ApiError::new("ValidationError", "Invalid Marker.");
            let last = URL_SAFE_NO_PAD.decode(marker).map_err(|_| bad())?;
            let last = String::from_utf8(last).map_err(|_| bad())?;
            after(&items, &last).unwrap_or(items.len())
        }
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let left = items.len() - start;
    let items: Vec<T> = items.into_iter().skip(start).take(limit).collect();
    let marker = (left > limit).then(|| items.last().map(|item| URL_SAFE_NO_PAD.encode(key(item)))).flatten();
    Ok(Page { items, marker })
}

/// One page of names.
pub fn render_names(names: Vec<String>, params: &Params, list: &str) -> Result<Xml, ApiError> {
    let page = page(names, params, |name| name)?;
    let mut xml = Xml::new();
    xml.element(list, |list| {
        for name in &page.items {
            list.text("member", name);
        }
    });
    page.render_end(&mut xml);
    Ok(xml)
}

/// One page of tags.
pub fn render_tags(tags: Vec<(String, String)>, params: &Params) -> Result<Xml, ApiError> {
    let page = page(tags, params, |(key, _)| key)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Tags", shape::tag);
    Ok(xml)
}

impl<T> Page<T> {
    /// The list and its end.
    pub fn render(&self, xml: &mut Xml, name: &str, mut inside: impl FnMut(&mut Xml, &T)) {
        xml.list(name, "member", &self.items, |member, item| inside(member, item));
        self.render_end(xml);
    }

    /// `IsTruncated` and `Marker`, which follow every list.
    pub fn render_end(&self, xml: &mut Xml) {
        xml.text("IsTruncated", self.marker.is_some()).optional("Marker", self.marker.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_say_when_there_is_no_more() {
        let all = ["a", "B", "c", "D", "e"];
        let (mut seen, mut marker) = (Vec::new(), String::new());
        for expected_more in [true, true, false] {
            let params = Params::parse(format!("MaxItems=2&Marker={marker}").as_bytes()).unwrap();
            let page = page(all.to_vec(), &params, |item| item).unwrap();
            assert_eq!(page.marker.is_some(), expected_more);
            seen.extend(page.items);
            marker = page.marker.unwrap_or_default();
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn faults() {
        for form in ["MaxItems=0", "MaxItems=1001", "MaxItems=x", "Marker=%21"] {
            assert!(page(vec![""], &Params::parse(form.as_bytes()).unwrap(), |item| item).is_err(), "{form}");
        }
    }
}
