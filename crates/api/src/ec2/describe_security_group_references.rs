//! `DescribeSecurityGroupReferences`. Source: EC2 API,
//! `DescribeSecurityGroupReferences`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::region;
use weir_control::security_group::find;

/// Lists references from other VPCs to groups. There are none, since VPCs are
/// not peered.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let ids = params.list("GroupId");
    if ids.is_empty() {
        return Err(ApiError::missing_parameter("GroupId"));
    }
    call.authorize_ec2(params, "ec2:DescribeSecurityGroupReferences", &["*".to_owned()], &[])?;
    call.transact(|cx| {
        region::ensure(cx)?;
        ids.iter().try_for_each(|id| find::by_id(cx, id).map(drop))
    })?;
    let mut xml = Xml::new();
    xml.element("securityGroupReferenceSet", |_| {});
    Ok(xml)
}
