//! RemoveRoleFromInstanceProfile: the role goes out of a profile.

use super::request::{authorize_profile, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::instance_profile;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    let role = required(params, "RoleName")?;
    authorize_profile(call, "iam:RemoveRoleFromInstanceProfile", name, &[])?;
    call.transact(|cx| instance_profile::remove_role(cx, name, role))?;
    Ok(Xml::new())
}
