//! CreateServiceLinkedRole: the role by which a service acts for the account.

use super::request::required;
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{role, service_linked_role};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let service = required(params, "AWSServiceName")?;
    let suffix = params.get("CustomSuffix");
    let (name, path) = service_linked_role::naming(service, suffix)?;
    let arn = role::arn(&call.scope, &path, &name).to_string();
    call.authorize("iam:CreateServiceLinkedRole", &arn, &[("iam:AWSServiceName", service)])?;
    let description = params.get("Description");
    let role = call.transact(|cx| service_linked_role::create(cx, service, suffix, description))?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| shape::role(xml, &role, &[]));
    Ok(xml)
}
