//! `CreateDefaultVpc`. Source: EC2 API, `CreateDefaultVpc`.

use super::describe_vpcs;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc;

/// Makes the default VPC again, with a subnet in each zone.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    call.authorize_ec2(params, "ec2:CreateDefaultVpc", &[call.arn("ec2", "vpc/*")], &[])?;
    let vpc = call.transact(vpc::create_default_again)?;
    let mut xml = Xml::new();
    xml.element("vpc", |item| describe_vpcs::render(item, &vpc, &[], &call.scope));
    Ok(xml)
}
