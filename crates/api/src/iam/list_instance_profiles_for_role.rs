//! ListInstanceProfilesForRole: none, since there are no instance profiles.
//! Terraform asks before it deletes a role.

use super::page;
use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize_role(call, "iam:ListInstanceProfilesForRole", name, &[])?;
    call.transact(|cx| role::get(cx, name))?;
    let none = page::page(Vec::<String>::new(), params, |name| name)?;
    let mut xml = Xml::new();
    none.render(&mut xml, "InstanceProfiles", |_, _| ());
    Ok(xml)
}
