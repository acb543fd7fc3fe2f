//! SimulatePrincipalPolicy: what a user, group or role may do, with further
//! policies if some are given.

use super::request::required;
use super::simulation::{self, Input, Inputs};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::policies::{self, Source};
use weir_iam::DocumentKind;
use weir_types::arn::Arn;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let source = required(params, "PolicySourceArn")?;
    call.authorize("iam:SimulatePrincipalPolicy", source, &[])?;
    let arn = source_arn(call, source)?;
    let (sources, boundary) = call.transact(|cx| policies::sources_of(cx.tx, &arn))?;
    let mut inputs = Inputs {
        identity: sources.iter().map(input).collect::<Result<_, _>>()?,
        boundary: simulation::listed(params, "PermissionsBoundaryPolicyInputList")?,
        resource: simulation::resource_policy(params)?,
    };
    inputs.identity.extend(simulation::listed(params, "PolicyInputList")?);
    // A boundary that is given takes the place of the one that there is.
    if inputs.boundary.is_empty() {
        inputs.boundary = boundary.iter().map(input).collect::<Result<_, _>>()?;
    }
    let principal = simulation::caller(params.get("CallerArn").unwrap_or(source))?;
    simulation::answer(call, params, &inputs, &principal)
}

/// The ARN of a user, group or role of the caller's account.
///
/// Errors: `InvalidInput`, `NoSuchEntity`.
pub fn source_arn(call: &Call<'_>, text: &str) -> Result<Arn, ApiError> {
    let bad = || ApiError::new("InvalidInput", "Invalid ARN:  Could not be parsed!");
    let arn: Arn = text.parse().map_err(|_| bad())?;
    let kind = arn.resource.split('/').next().unwrap_or_default();
    if arn.service != "iam" || !["user", "group", "role"].contains(&kind) || !arn.resource.contains('/') {
        return Err(bad());
    }
    if arn.account != call.scope.account {
        let name = arn.resource.rsplit('/').next().unwrap_or_default();
        let message = format!("The {kind} with name {name} cannot be found.");
        return Err(ApiError::new("NoSuchEntity", message));
    }
    Ok(arn)
}

/// A stored policy under test.
fn input(source: &Source) -> Result<Input, ApiError> {
    let (id, kind) = match source.inline_of {
        Some(noun) => (source.name.clone(), noun),
        None => {
            let name = source.name.rsplit('/').next().unwrap_or_default().to_owned();
            (name, if source.name.contains(":iam::aws:") { "aws-managed" } else { "user-managed" })
        }
    };
    Input::new(id, kind, &source.text, DocumentKind::Identity)
}
