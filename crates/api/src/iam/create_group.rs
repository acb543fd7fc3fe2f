//! CreateGroup: a group without members and permissions.

use super::request::required;
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, group, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    let path = params.get("Path");
    let arn = identity::arn::<Group>(&call.scope, path.unwrap_or("/"), name).to_string();
    call.authorize("iam:CreateGroup", &arn, &[])?;
    let group = call.transact(|cx| group::create(cx, name, path, call.services.settings.emulator))?;
    let mut xml = Xml::new();
    xml.element("Group", |xml| shape::group(xml, &group));
    Ok(xml)
}
