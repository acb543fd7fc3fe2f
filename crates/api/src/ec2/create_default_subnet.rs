//! `CreateDefaultSubnet`. Source: EC2 API, `CreateDefaultSubnet`.

use super::describe_subnets::{self, Shown};
use super::unsupported;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::subnet;

/// Makes the default subnet of a zone again.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    unsupported::refuse(params, &["Ipv6Native"])?;
    let (name, id) = (params.get("AvailabilityZone"), params.get("AvailabilityZoneId"));
    call.authorize_ec2(params, "ec2:CreateDefaultSubnet", &[call.arn("ec2", "subnet/*")], &[])?;
    let subnet = call.transact(|cx| subnet::create_default_again(cx, name, id))?;
    let mut xml = Xml::new();
    let shown = Shown { subnet, used: 0, tags: Vec::new() };
    xml.element("subnet", |item| describe_subnets::render(item, &shown, &call.scope));
    Ok(xml)
}
