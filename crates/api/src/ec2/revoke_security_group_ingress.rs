//! `RevokeSecurityGroupIngress`. Source: EC2 API, `RevokeSecurityGroupIngress`.

use super::security_group_rule;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_types::net::Direction;

/// Removes ingress rules from a security group, by what they say or by their ids.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    security_group_rule::revoke(call, params, Direction::Ingress)
}
