//! CreateRole: a role with its trust policy and tags.

use super::get_role;
use super::request::{lent, request_tag_keys, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role::{self, CreateRole};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let mut request = parse(params)?;
    request.unchecked = call.services.settings.emulator;
    let arn = role::arn(&call.scope, request.path.as_deref().unwrap_or("/"), &request.name).to_string();
    call.authorize("iam:CreateRole", &arn, &lent(&request_tag_keys(&request.tags)))?;
    if let Some(boundary) = params.get("PermissionsBoundary") {
        // There are no managed policies that could be a boundary.
        let message = format!("Scope ARN: {boundary} does not exist or is not attachable.");
        return Err(ApiError::new("NoSuchEntity", message));
    }
    let role = call.transact(|cx| role::create(cx, &request))?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| get_role::render(xml, &role, &request.tags));
    Ok(xml)
}

fn parse(params: &Params) -> Result<CreateRole, ApiError> {
    Ok(CreateRole {
        name: required(params, "RoleName")?.to_owned(),
        trust_policy: required(params, "AssumeRolePolicyDocument")?.to_owned(),
        path: params.get("Path").map(str::to_owned),
        description: params.get("Description").map(str::to_owned),
        max_session_s: params.integer("MaxSessionDuration")?,
        tags: tags(params)?,
        unchecked: false,
    })
}
