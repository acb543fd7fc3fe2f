//! AddRoleToInstanceProfile: a role for the instances that get the profile.

use super::request::{authorize_profile, required, role_arn};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::instance_profile;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    let role = required(params, "RoleName")?;
    authorize_profile(call, "iam:AddRoleToInstanceProfile", name, &[])?;
    call.pass_role(&role_arn(call, role)?, "ec2.amazonaws.com")?;
    call.transact(|cx| instance_profile::add_role(cx, name, role))?;
    Ok(Xml::new())
}
