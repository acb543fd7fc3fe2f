//! `DescribeStaleSecurityGroups`. Source: EC2 API, `DescribeStaleSecurityGroups`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc;

/// Lists rules that name groups of peers which are gone. There are none, since
/// VPCs are not peered.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("VpcId")?;
    call.authorize_ec2(params, "ec2:DescribeStaleSecurityGroups", &["*".to_owned()], &[])?;
    call.transact(|cx| vpc::find(cx, id))?;
    let mut xml = Xml::new();
    xml.element("staleSecurityGroupSet", |_| {});
    Ok(xml)
}
