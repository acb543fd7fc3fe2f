//! ListInstanceProfilesForRole: the instance profiles that have a role.
//!
//! And how lists of profiles are rendered.

use super::request::{authorize_role, required};
use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{InstanceProfile, instance_profile};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize_role(call, "iam:ListInstanceProfilesForRole", name, &[])?;
    let profiles = call.transact(|cx| instance_profile::of_role(cx, name))?;
    render(call, params, &profiles)
}

/// One page of profiles with their roles, without tags.
pub fn render(call: &Call<'_>, params: &Params, profiles: &[InstanceProfile]) -> Result<Xml, ApiError> {
    let with_roles = call.transact(|cx| {
        let with_role =
            |profile: &InstanceProfile| Ok((instance_profile::role(cx, profile)?, profile.clone()));
        profiles.iter().map(with_role).collect::<Result<Vec<_>, _>>()
    })?;
    let page = page::page(with_roles, params, |(_, profile)| &profile.name)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "InstanceProfiles", |xml, (role, profile)| {
        shape::instance_profile(xml, profile, role.as_ref(), &[]);
    });
    Ok(xml)
}
