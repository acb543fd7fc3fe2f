//! DeleteInstanceProfile: refused while a role is in it.

use super::request::{authorize_profile, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::instance_profile;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    authorize_profile(call, "iam:DeleteInstanceProfile", name, &[])?;
    call.transact(|cx| instance_profile::delete(cx, name))?;
    Ok(Xml::new())
}
