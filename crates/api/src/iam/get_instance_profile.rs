//! GetInstanceProfile: an instance profile and its role.

use super::request::{authorize_profile, required};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, instance_profile};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    authorize_profile(call, "iam:GetInstanceProfile", name, &[])?;
    let (profile, role, tags) = call.transact(|cx| {
        let profile = instance_profile::get(cx, name)?;
        let role = instance_profile::role(cx, &profile)?;
        let tags = iam_tag::of(cx, &profile.id)?;
        Ok((profile, role, tags))
    })?;
    let mut xml = Xml::new();
    xml.element("InstanceProfile", |xml| {
        shape::instance_profile(xml, &profile, role.as_ref(), &tags);
    });
    Ok(xml)
}
