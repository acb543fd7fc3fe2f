//! `TagSpecification.N`: tags given when a resource is made; and how tags are
//! rendered.

use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

/// Reads the tags of all tag specifications, which must be for `resource_type`.
///
/// Errors: `InvalidParameter` for a specification without type or tags,
/// `InvalidParameterValue` for another resource type or a repeated key.
pub fn parse(params: &Params, resource_type: &str) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for spec in params.structs("TagSpecification") {
        let incomplete = |message: &str| Err(ApiError::new("InvalidParameter", message));
        let Some(given) = spec.get("ResourceType") else {
            return incomplete("Tag specification resource type must have a value");
        };
        if given != resource_type {
            let message = format!(
                "'{given}' is not a valid taggable resource type for this operation. Use '{resource_type}'."
            );
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        let given_tags = spec.structs("Tag");
        if given_tags.is_empty() {
            return incomplete("Tag specification must have at least one tag");
        }
        for tag in given_tags {
            let key = tag.required("Key")?.to_owned();
            if tags.iter().any(|(known, _)| *known == key) {
                let message = format!("Duplicate tag key '{key}' specified.");
                return Err(ApiError::new("InvalidParameterValue", message));
            }
            tags.push((key, tag.get("Value").unwrap_or_default().to_owned()));
        }
    }
    Ok(tags)
}

/// `<tagSet>` with its items.
pub fn render(xml: &mut Xml, tags: &[(String, String)]) {
    xml.set("tagSet", tags, |item, (key, value)| {
        item.text("key", key).text("value", value);
    });
}
