//! `DescribeInternetGateways`: there are none, since Weir does not route.
//! Source: EC2 API, `DescribeInternetGateways`.

use super::absent::Absent;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const ABSENT: Absent = Absent {
    action: "ec2:DescribeInternetGateways",
    ids: "InternetGatewayId",
    set: "internetGatewaySet",
    not_found: "InvalidInternetGatewayID.NotFound",
    noun: "internetGateway ID",
};

/// Answers that there are none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    ABSENT.describe(call, params)
}
