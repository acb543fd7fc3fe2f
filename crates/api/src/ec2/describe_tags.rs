//! `DescribeTags`. Source: EC2 API, `DescribeTags`, `TagDescription`.

use super::filter::Filters;
use super::{page, taggable};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use std::collections::BTreeSet;
use weir_control::region;

const FILTERS: [&str; 4] = ["key", "resource-id", "resource-type", "value"];

/// One tag of one resource.
struct Tag {
    resource: String,
    key: String,
    value: String,
    /// Resource and key, which no two tags share: the order of pages.
    place: String,
}

/// Lists tags of all resources.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeTags", &["*".to_owned()], &[])?;
    let all = call.transact(|cx| {
        region::ensure(cx)?;
        let narrowing = filters.narrowing();
        let Some(ids) = narrowing.iter().find(|filter| filter.name == "resource-id") else {
            return cx.tx.all_tags(cx.scope);
        };
        let mut all = Vec::new();
        for id in ids.values.iter().collect::<BTreeSet<_>>() {
            let tags = cx.tx.tags(cx.scope, id)?;
            all.extend(tags.into_iter().map(|(key, value)| (id.clone(), key, value)));
        }
        Ok(all)
    })?;
    let tags = all.into_iter().map(|(resource, key, value)| Tag {
        place: format!("{resource}/{key}"),
        resource,
        key,
        value,
    });
    let pass = |tag: &Tag| filters.pass(&[(tag.key.clone(), tag.value.clone())], |name| values(tag, name));
    let found = tags.filter(pass).collect();
    let (tags, next) = page::page(found, params, 5..=1000, |tag: &Tag| tag.place.as_str())?;
    let mut xml = Xml::new();
    xml.set("tagSet", tags, |item, tag| render(item, &tag));
    xml.optional("nextToken", next);
    Ok(xml)
}

fn values(tag: &Tag, filter: &str) -> Vec<String> {
    let value = match filter {
        "key" => Some(tag.key.clone()),
        "resource-id" => Some(tag.resource.clone()),
        "resource-type" => taggable::type_of(&tag.resource).map(str::to_owned),
        "value" => Some(tag.value.clone()),
        _ => None,
    };
    value.into_iter().collect()
}

fn render(xml: &mut Xml, tag: &Tag) {
    xml.text("resourceId", &tag.resource);
    xml.optional("resourceType", taggable::type_of(&tag.resource));
    xml.text("key", &tag.key).text("value", &tag.value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_shown_with_its_resource() {
        let tag = Tag {
            resource: "fl-0123456789abcdef0".to_owned(),
            key: "k".to_owned(),
            value: "v".to_owned(),
            place: String::new(),
        };
        for filter in FILTERS {
            assert_eq!(values(&tag, filter).len(), 1, "{filter}");
        }
        let mut xml = Xml::new();
        render(&mut xml, &tag);
        assert_eq!(
            xml.as_str(),
            "<resourceId>fl-0123456789abcdef0</resourceId><resourceType>vpc-flow-log</resourceType>\
             <key>k</key><value>v</value>"
        );
    }
}
