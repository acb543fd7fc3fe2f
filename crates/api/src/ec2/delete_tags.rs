//! `DeleteTags`. Source: EC2 API, `DeleteTags`.

use super::{create_tags, taggable};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{region, tags};

/// Removes tags of resources: those named, or all if none is.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let ids = create_tags::resource_ids(params)?;
    let named = parse(params)?;
    let resources: Vec<String> = ids.iter().map(|id| taggable::arn(call, id)).collect();
    call.authorize_ec2(params, "ec2:DeleteTags", &resources, &[])?;
    call.transact(|cx| {
        region::ensure(cx)?;
        for id in &ids {
            taggable::check(cx, id)?;
            if named.is_empty() {
                let all: Vec<_> = tags::of(cx, id)?.into_iter().map(|(key, _)| (key, None)).collect();
                tags::remove(cx, id, &all)?;
            }
            tags::remove(cx, id, &named)?;
        }
        Ok(())
    })?;
    Ok(super::done())
}

/// Keys and, where given, the value that a tag must have to go. An empty value
/// is a value.
fn parse(params: &Params) -> Result<Vec<(String, Option<String>)>, ApiError> {
    let tag = |tag: Params| Ok((tag.required("Key")?.to_owned(), tag.raw("Value").map(str::to_owned)));
    params.structs("Tag").into_iter().map(tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_a_value_and_an_absent_one_is_any() {
        let form = "Tag.1.Key=a&Tag.2.Key=b&Tag.2.Value=&Tag.3.Key=c&Tag.3.Value=v";
        let tags = parse(&Params::parse(form.as_bytes()).unwrap()).unwrap();
        let tag = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(tags, [tag("a", None), tag("b", Some("")), tag("c", Some("v"))]);
        assert_eq!(parse(&Params::default()).unwrap(), []);
        assert!(parse(&Params::parse(b"Tag.1.Value=v").unwrap()).is_err());
    }
}
