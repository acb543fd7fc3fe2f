//! CreateRole: a role with its trust policy and tags.

use super::request::{creation_keys, lent, required, tags};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role::{self, CreateRole};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let mut request = parse(params)?;
    request.unchecked = call.services.settings.emulator;
    let arn = role::arn(&call.scope, request.path.as_deref().unwrap_or("/"), &request.name).to_string();
    let keys = creation_keys(request.boundary.as_deref(), &request.tags);
    call.authorize("iam:CreateRole", &arn, &lent(&keys))?;
    let role = call.transact(|cx| role::create(cx, &request))?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| shape::role(xml, &role, &request.tags));
    Ok(xml)
}

fn parse(params: &Params) -> Result<CreateRole, ApiError> {
    Ok(CreateRole {
        name: required(params, "RoleName")?.to_owned(),
        trust_policy: required(params, "AssumeRolePolicyDocument")?.to_owned(),
        path: params.get("Path").map(str::to_owned),
        description: params.raw("Description").map(str::to_owned),
        max_session_s: params.integer("MaxSessionDuration")?,
        boundary: params.get("PermissionsBoundary").map(str::to_owned),
        tags: tags(params)?,
        unchecked: false,
    })
}
