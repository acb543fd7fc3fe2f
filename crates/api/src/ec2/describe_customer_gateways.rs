//! `DescribeCustomerGateways`: there are none, since Weir has no VPNs.
//! Source: EC2 API, `DescribeCustomerGateways`.

use super::absent::Absent;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const ABSENT: Absent = Absent {
    action: "ec2:DescribeCustomerGateways",
    ids: "CustomerGatewayId",
    set: "customerGatewaySet",
    not_found: "InvalidCustomerGatewayID.NotFound",
    noun: "customerGateway ID",
};

/// Answers that there are none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    ABSENT.describe(call, params)
}
