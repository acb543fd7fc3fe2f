//! Finding groups and rules by what callers call them.

use super::{SecurityGroup, SecurityGroupRule};
use crate::error::{ControlError, Result};
use crate::lookup::IdFaults;
use crate::state::Cx;
use crate::vpc::{self, Vpc};
use weir_types::id::VpcId;

/// Unknown and malformed ids of groups.
pub const FAULTS: IdFaults = IdFaults {
    prefix: "sg",
    noun: "security group",
    malformed: "InvalidGroupId.Malformed",
    not_found: "InvalidGroup.NotFound",
};

/// Unknown and malformed ids of rules.
pub const RULE_FAULTS: IdFaults = IdFaults {
    prefix: "sgr",
    noun: "security group rule ID",
    malformed: "InvalidSecurityGroupRuleId.Malformed",
    not_found: "InvalidSecurityGroupRuleId.NotFound",
};

/// The group with this id.
///
/// Errors: `InvalidGroupId.Malformed`, `InvalidGroup.NotFound`.
pub fn by_id(cx: Cx<'_>, id: &str) -> Result<SecurityGroup> {
    FAULTS.find(cx, id)
}

/// The group of this name in a VPC, whatever the name's case.
///
/// Errors: `InvalidGroup.NotFound`.
pub fn by_name(cx: Cx<'_>, vpc: &VpcId, name: &str) -> Result<SecurityGroup> {
    named(cx, vpc, name)?.ok_or_else(|| {
        let message = format!("The security group '{name}' does not exist in VPC '{vpc}'");
        ControlError::fault("InvalidGroup.NotFound", message)
    })
}

pub(super) fn named(cx: Cx<'_>, vpc: &VpcId, name: &str) -> Result<Option<SecurityGroup>> {
    let groups: Vec<SecurityGroup> = cx.tx.list_in(cx.scope, vpc.as_str())?;
    Ok(groups.into_iter().find(|group| group.name.eq_ignore_ascii_case(name)))
}

/// The group of a request: by id, or by name in the default VPC.
///
/// Errors: those of [`by_id`], `InvalidGroup.NotFound`, `MissingParameter` if
/// neither is given.
pub fn by_id_or_name(cx: Cx<'_>, id: Option<&str>, name: Option<&str>) -> Result<SecurityGroup> {
    match (id, name) {
        (Some(id), _) => by_id(cx, id),
        (None, Some(name)) => in_default_vpc(cx, name),
        (None, None) => {
            let message = "The request must contain the parameter groupName or groupId";
            Err(ControlError::fault("MissingParameter", message))
        }
    }
}

/// The group of this name in the default VPC.
///
/// Errors: `InvalidGroup.NotFound`.
pub fn in_default_vpc(cx: Cx<'_>, name: &str) -> Result<SecurityGroup> {
    let Some(vpc) = default_vpc(cx)? else { return Err(unknown(name)) };
    named(cx, &vpc.id, name)?.ok_or_else(|| {
        let message = format!("The security group '{name}' does not exist in default VPC '{}'", vpc.id);
        ControlError::fault("InvalidGroup.NotFound", message)
    })
}

pub(super) fn default_vpc(cx: Cx<'_>) -> Result<Option<Vpc>> {
    vpc::default(cx)
}

/// The rule with this id.
///
/// Errors: `InvalidSecurityGroupRuleId.Malformed`, `InvalidSecurityGroupRuleId.NotFound`.
pub fn rule_by_id(cx: Cx<'_>, id: &str) -> Result<SecurityGroupRule> {
    RULE_FAULTS.find(cx, id)
}

pub(super) fn unknown(group: &str) -> ControlError {
    ControlError::fault("InvalidGroup.NotFound", format!("The security group '{group}' does not exist"))
}

pub(super) fn unknown_rule(rule: &str) -> ControlError {
    let message = format!("The security group rule ID '{rule}' does not exist");
    ControlError::fault("InvalidSecurityGroupRuleId.NotFound", message)
}
