//! `AuthorizeSecurityGroupIngress`. Source: EC2 API, `AuthorizeSecurityGroupIngress`.

use super::security_group_rule;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_types::net::Direction;

/// Adds ingress rules to a security group.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    security_group_rule::authorize(call, params, Direction::Ingress)
}
