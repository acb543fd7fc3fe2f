//! `UpdateSecurityGroupRuleDescriptionsIngress`. Source: EC2 API,
//! `UpdateSecurityGroupRuleDescriptionsIngress`.

use super::security_group_rule;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_types::net::Direction;

/// Gives ingress rules of a security group other descriptions, or none.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    security_group_rule::set_descriptions(call, params, Direction::Ingress)
}
