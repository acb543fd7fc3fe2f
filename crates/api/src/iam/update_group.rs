//! UpdateGroup: another name or path for a group.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, group, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    let new_name = params.get("NewGroupName");
    let new_path = params.get("NewPath");
    authorize::<Group>(call, "iam:UpdateGroup", name, &[])?;
    // The caller must be allowed to have the group under its new ARN as well.
    let target = identity::arn::<Group>(&call.scope, new_path.unwrap_or("/"), new_name.unwrap_or(name));
    call.authorize("iam:UpdateGroup", &target.to_string(), &[])?;
    call.transact(|cx| group::update(cx, name, new_name, new_path))?;
    Ok(Xml::new())
}
