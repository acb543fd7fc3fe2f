//! GetContextKeysForPrincipalPolicy: the condition keys that the policies of a
//! user, group or role read.

use super::get_context_keys_for_custom_policy::render;
use super::request::required;
use super::simulate_principal_policy::source_arn;
use super::simulation;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::policies;
use weir_iam::{DocumentKind, PolicyDocument};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let source = required(params, "PolicySourceArn")?;
    call.authorize("iam:GetContextKeysForPrincipalPolicy", source, &[])?;
    let arn = source_arn(call, source)?;
    let (sources, _) = call.transact(|cx| policies::sources_of(cx.tx, &arn))?;
    let mut documents = Vec::new();
    for source in sources {
        let document = PolicyDocument::parse(&source.text, DocumentKind::Identity);
        documents.push(document.map_err(|error| ApiError::internal(format!("{}: {error}", source.name)))?);
    }
    let further = simulation::listed(params, "PolicyInputList")?;
    documents.extend(further.into_iter().map(|input| input.document));
    Ok(render(documents.iter()))
}
