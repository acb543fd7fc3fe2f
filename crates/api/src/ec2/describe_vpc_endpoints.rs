//! `DescribeVpcEndpoints`: there are none, since Weir does not route.
//! Source: EC2 API, `DescribeVpcEndpoints`.

use super::absent::Absent;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const ABSENT: Absent = Absent {
    action: "ec2:DescribeVpcEndpoints",
    ids: "VpcEndpointId",
    set: "vpcEndpointSet",
    not_found: "InvalidVpcEndpointId.NotFound",
    noun: "Vpc Endpoint Id",
};

/// Answers that there are none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    ABSENT.describe(call, params)
}
