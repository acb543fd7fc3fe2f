//! `CreateTags`. Source: EC2 API, `CreateTags`.

use super::taggable;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{region, tags};

/// Resources in one request. Source: EC2 API, `CreateTags`, `ResourceId`.
pub const RESOURCES_LIMIT: usize = 1000;

/// Sets tags of resources: all of them or, on a fault, none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let ids = resource_ids(params)?;
    let tags = parse(params)?;
    let resources: Vec<String> = ids.iter().map(|id| taggable::arn(call, id)).collect();
    call.authorize_ec2(params, "ec2:CreateTags", &resources, &[])?;
    call.transact(|cx| {
        region::ensure(cx)?;
        for id in &ids {
            taggable::check(cx, id)?;
            tags::set(cx, id, &tags)?;
        }
        Ok(())
    })?;
    Ok(super::done())
}

/// `ResourceId.N`, at least one.
pub fn resource_ids(params: &Params) -> Result<Vec<&str>, ApiError> {
    let ids = params.list("ResourceId");
    match ids.len() {
        0 => Err(ApiError::missing_parameter("resourceIdSet")),
        1..=RESOURCES_LIMIT => Ok(ids),
        _ => {
            let message = format!("ResourceId must have at most {RESOURCES_LIMIT} items");
            Err(ApiError::new("InvalidParameterValue", message))
        }
    }
}

fn parse(params: &Params) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for tag in params.structs("Tag") {
        let key = tag.required("Key")?.to_owned();
        if tags.iter().any(|(known, _)| *known == key) {
            let message = format!("Duplicate tag key '{key}' specified.");
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        tags.push((key, tag.get("Value").unwrap_or_default().to_owned()));
    }
    if tags.is_empty() {
        return Err(ApiError::missing_parameter("tagSet"));
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let form = "ResourceId.1=vpc-1&ResourceId.2=eni-1&Tag.1.Key=k&Tag.1.Value=v&Tag.2.Key=empty";
        let params = Params::parse(form.as_bytes()).unwrap();
        assert_eq!(resource_ids(&params).unwrap(), ["vpc-1", "eni-1"]);
        assert_eq!(parse(&params).unwrap(), [("k".into(), "v".into()), ("empty".into(), String::new())]);
        for (form, code) in [
            ("", "MissingParameter"),
            ("Tag.1.Value=v", "MissingParameter"),
            ("Tag.1.Key=k&Tag.2.Key=k", "InvalidParameterValue"),
        ] {
            let params = Params::parse(form.as_bytes()).unwrap();
            assert_eq!(parse(&params).unwrap_err().code, code, "{form}");
            assert_eq!(resource_ids(&params).unwrap_err().code, "MissingParameter");
        }
    }
}
