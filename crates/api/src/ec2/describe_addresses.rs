//! `DescribeAddresses`: there are none, since Weir gives no public addresses.
//! Source: EC2 API, `DescribeAddresses`.

use super::absent::Absent;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const ABSENT: Absent = Absent {
    action: "ec2:DescribeAddresses",
    ids: "AllocationId",
    set: "addressesSet",
    not_found: "InvalidAllocationID.NotFound",
    noun: "allocation ID",
};

/// Answers that there are none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    ABSENT.describe(call, params)
}
