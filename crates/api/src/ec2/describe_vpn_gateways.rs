//! `DescribeVpnGateways`: there are none, since Weir has no VPNs.
//! Source: EC2 API, `DescribeVpnGateways`.

use super::absent::Absent;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const ABSENT: Absent = Absent {
    action: "ec2:DescribeVpnGateways",
    ids: "VpnGatewayId",
    set: "vpnGatewaySet",
    not_found: "InvalidVpnGatewayID.NotFound",
    noun: "vpnGateway ID",
};

/// Answers that there are none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    ABSENT.describe(call, params)
}
