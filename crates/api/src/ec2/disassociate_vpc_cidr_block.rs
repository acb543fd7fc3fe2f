//! `DisassociateVpcCidrBlock`. Source: EC2 API, `DisassociateVpcCidrBlock`.

use super::vpc_cidr as answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc_cidr;

/// Takes a block from its VPC.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let association = params.required("AssociationId")?;
    // Whose association it is is known only after a look.
    call.authorize_ec2(params, "ec2:DisassociateVpcCidrBlock", &[call.arn("ec2", "vpc/*")], &[])?;
    let (vpc, block) = call.transact(|cx| vpc_cidr::disassociate(cx, association))?;
    Ok(answer::render(&vpc, &block, "disassociating", &call.scope))
}
