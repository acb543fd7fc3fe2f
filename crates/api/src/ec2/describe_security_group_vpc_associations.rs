//! `DescribeSecurityGroupVpcAssociations`: there are none, a security group is of one VPC.
//! Source: EC2 API, `DescribeSecurityGroupVpcAssociations`.

use super::absent::Absent;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const ABSENT: Absent = Absent {
    action: "ec2:DescribeSecurityGroupVpcAssociations",
    ids: "",
    set: "securityGroupVpcAssociationSet",
    not_found: "",
    noun: "",
};

/// Answers that there are none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    ABSENT.describe(call, params)
}
