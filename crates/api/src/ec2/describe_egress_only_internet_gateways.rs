//! `DescribeEgressOnlyInternetGateways`: there are none, since Weir does not route.
//! Source: EC2 API, `DescribeEgressOnlyInternetGateways`.

use super::absent::Absent;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const ABSENT: Absent = Absent {
    action: "ec2:DescribeEgressOnlyInternetGateways",
    ids: "EgressOnlyInternetGatewayId",
    set: "egressOnlyInternetGatewaySet",
    not_found: "InvalidGatewayID.NotFound",
    noun: "eigw ID",
};

/// Answers that there are none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    ABSENT.describe(call, params)
}
