//! `DescribeNatGateways`: there are none, since Weir does not route.
//! Source: EC2 API, `DescribeNatGateways`.

use super::absent::Absent;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const ABSENT: Absent = Absent {
    action: "ec2:DescribeNatGateways",
    ids: "NatGatewayId",
    set: "natGatewaySet",
    not_found: "NatGatewayNotFound",
    noun: "natGateway ID",
};

/// Answers that there are none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    ABSENT.describe(call, params)
}
