//! `AuthorizeSecurityGroupEgress`. Source: EC2 API, `AuthorizeSecurityGroupEgress`.

use super::security_group_rule;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_types::net::Direction;

/// Adds egress rules to a security group.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    // Only ingress knows groups by name.
    params.required("GroupId")?;
    security_group_rule::authorize(call, params, Direction::Egress)
}
