//! Attributes: what the Modify…Attribute and Describe…Attribute actions share.
//! A Modify changes one attribute at a time.

use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use std::fmt::Display;

/// The one attribute of a request, out of all that there are by name.
///
/// Errors: `InvalidParameterCombination` for none and for several.
pub fn only<T>(all: impl IntoIterator<Item = (&'static str, Option<T>)>) -> Result<T, ApiError> {
    let given = all.into_iter().filter_map(|(name, attribute)| Some((name, attribute?)));
    let (names, mut given): (Vec<&str>, Vec<T>) = given.unzip();
    match (given.pop(), names.len()) {
        (Some(attribute), 1) => Ok(attribute),
        (None, _) => Err(ApiError::new("InvalidParameterCombination", "No attributes specified.")),
        (Some(_), _) => {
            let message = format!("Fields for multiple attribute types specified: {}", names.join(", "));
            Err(ApiError::new("InvalidParameterCombination", message))
        }
    }
}

/// The truth value of an `AttributeBooleanValue`: `Name.Value`.
///
/// Errors: `InvalidParameterValue`.
pub fn boolean(params: &Params, name: &str) -> Result<Option<bool>, ApiError> {
    params.structure(name).boolean("Value")
}

/// Writes `<name><value>…</value></name>`.
pub fn value(xml: &mut Xml, name: &str, value: impl Display) {
    xml.element(name, |xml| {
        xml.text("value", value);
    });
}

/// A name of an attribute that there is not.
pub fn unknown(name: &str) -> ApiError {
    let message = format!("Value ({name}) for parameter attribute is invalid. Unknown attribute.");
    ApiError::new("InvalidParameterValue", message)
}
