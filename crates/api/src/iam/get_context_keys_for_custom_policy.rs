//! GetContextKeysForCustomPolicy: the condition keys that policies read.

use super::request::required;
use super::simulation::{self, Input};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_iam::PolicyDocument;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    if params.list("PolicyInputList").is_empty() {
        required(params, "PolicyInputList")?;
    }
    call.authorize("iam:GetContextKeysForCustomPolicy", "*", &[])?;
    let inputs = simulation::listed(params, "PolicyInputList")?;
    Ok(render(inputs.iter().map(|Input { document, .. }| document)))
}

/// The keys of all these, one of each.
pub fn render<'a>(documents: impl Iterator<Item = &'a PolicyDocument>) -> Xml {
    let mut keys: Vec<String> = Vec::new();
    for key in documents.flat_map(PolicyDocument::context_keys) {
        if !keys.iter().any(|known| known.eq_ignore_ascii_case(&key)) {
            keys.push(key);
        }
    }
    let mut xml = Xml::new();
    xml.element("ContextKeyNames", |list| {
        for key in &keys {
            list.text("member", key);
        }
    });
    xml
}
