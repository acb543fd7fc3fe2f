//! CreateInstanceProfile: an instance profile without a role.

use super::request::{lent, request_tag_keys, required, tags};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::instance_profile;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    let path = params.get("Path");
    let tags = tags(params)?;
    let arn = instance_profile::arn(&call.scope, path.unwrap_or("/"), name).to_string();
    call.authorize("iam:CreateInstanceProfile", &arn, &lent(&request_tag_keys(&tags)))?;
    let profile =
        call.transact(|cx| instance_profile::create(cx, name, path, &tags, call.services.settings.emulator))?;
    let mut xml = Xml::new();
    xml.element("InstanceProfile", |xml| shape::instance_profile(xml, &profile, None, &tags));
    Ok(xml)
}
