//! `TagSpecification.N`: tags given when a resource is made; and how tags are
//! rendered.

use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

/// Reads the tags of all tag specifications, which must be for `resource_type`.
///
/// Errors: `InvalidParameterValue` for another resource type,
/// `InvalidParameterValue` for a repeated key.
pub fn parse(params: &Params, resource_type: &str) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for spec in params.structs("TagSpecification") {
        let given = spec.required("ResourceType")?;
        if given != resource_type {
            let message = format!(
                "'{given}' is not a valid taggable resource type for this operation. Use '{resource_type}'."
            );
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        for tag in spec.structs("Tag") {
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
