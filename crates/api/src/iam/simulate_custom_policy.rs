//! SimulateCustomPolicy: what policies that are given with the request would allow.

use super::request::required;
use super::simulation::{self, Inputs};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_iam::Principal;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    if params.list("PolicyInputList").is_empty() {
        required(params, "PolicyInputList")?;
    }
    call.authorize("iam:SimulateCustomPolicy", "*", &[])?;
    let inputs = Inputs {
        identity: simulation::listed(params, "PolicyInputList")?,
        boundary: simulation::listed(params, "PermissionsBoundaryPolicyInputList")?,
        resource: simulation::resource_policy(params)?,
    };
    let principal = match (params.get("CallerArn"), &inputs.resource) {
        (Some(arn), _) => simulation::caller(arn)?,
        (None, Some(_)) => {
            let message = "CallerArn is required when a ResourcePolicy is given";
            return Err(ApiError::new("InvalidInput", message));
        }
        // Somebody of the account, whose name no policy here can know.
        (None, None) => {
            let arn = weir_control::principal::identity::iam_arn(&call.scope, "user/simulated");
            Principal::User { arn, user_id: String::new() }
        }
    };
    simulation::answer(call, params, &inputs, &principal)
}
