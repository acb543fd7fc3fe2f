//! `ModifyVpcTenancy`. Source: EC2 API, `ModifyVpcTenancy`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc;

/// Makes the tenancy of a VPC `default`.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (id, tenancy) = (params.required("VpcId")?, params.required("InstanceTenancy")?);
    call.authorize_ec2(params, "ec2:ModifyVpcTenancy", &[call.arn("ec2", format!("vpc/{id}"))], &[])?;
    call.transact(|cx| vpc::modify_tenancy(cx, id, tenancy))?;
    let mut xml = Xml::new();
    xml.text("returnValue", true);
    Ok(xml)
}
