//! Resources that have tags, by the prefix of their ids.

use crate::call::Call;
use weir_control::flow_log;
use weir_control::instance;
use weir_control::network_acl::{self, NetworkAcl};
use weir_control::network_interface::{self, NetworkInterface};
use weir_control::prefix_list::{self, PrefixList};
use weir_control::route_table;
use weir_control::security_group::find;
use weir_control::subnet::{self, Subnet};
use weir_control::vpc::{self, Vpc};
use weir_control::{ControlError, Cx, Result, region};

/// A kind of resource that has tags.
struct Kind {
    prefix: &'static str,
    /// As in `ResourceType` and in ARNs.
    name: &'static str,
    /// Fails with the kind's own fault if nothing has the id.
    check: fn(Cx<'_>, &str) -> Result<()>,
}

const KINDS: [Kind; 11] = [
    Kind {
        prefix: "acl",
        name: "network-acl",
        check: |cx, id| network_acl::FAULTS.find::<NetworkAcl>(cx, id).map(drop),
    },
    Kind { prefix: "dopt", name: "dhcp-options", check: check_dhcp_options },
    Kind {
        prefix: "eni",
        name: "network-interface",
        check: |cx, id| network_interface::FAULTS.find::<NetworkInterface>(cx, id).map(drop),
    },
    Kind { prefix: "fl", name: "vpc-flow-log", check: |cx, id| flow_log::select(cx, &[id]).map(drop) },
    Kind { prefix: "i", name: "instance", check: |cx, id| instance::select(cx, &[id]).map(drop) },
    Kind {
        prefix: "pl",
        name: "prefix-list",
        check: |cx, id| prefix_list::FAULTS.find::<PrefixList>(cx, id).map(drop),
    },
    Kind { prefix: "rtb", name: "route-table", check: |cx, id| route_table::find(cx, id).map(drop) },
    Kind { prefix: "sg", name: "security-group", check: |cx, id| find::by_id(cx, id).map(drop) },
    Kind { prefix: "sgr", name: "security-group-rule", check: |cx, id| find::rule_by_id(cx, id).map(drop) },
    Kind {
        prefix: "subnet",
        name: "subnet",
        check: |cx, id| subnet::FAULTS.find::<Subnet>(cx, id).map(drop),
    },
    Kind { prefix: "vpc", name: "vpc", check: |cx, id| vpc::FAULTS.find::<Vpc>(cx, id).map(drop) },
];

fn check_dhcp_options(cx: Cx<'_>, id: &str) -> Result<()> {
    if region::ensure(cx)?.dhcp_options.as_str() == id {
        return Ok(());
    }
    let message = format!("The dhcpOption ID '{id}' does not exist");
    Err(ControlError::fault("InvalidDhcpOptionID.NotFound", message))
}

fn kind_of(id: &str) -> Option<&'static Kind> {
    let (prefix, _) = id.split_once('-')?;
    KINDS.iter().find(|kind| kind.prefix == prefix)
}

/// The type of the resource with this id, such as `vpc-flow-log`.
pub fn type_of(id: &str) -> Option<&'static str> {
    kind_of(id).map(|kind| kind.name)
}

/// The ARN of the resource with this id, for authorization; of anything for an
/// id of no known kind.
pub fn arn(call: &Call<'_>, id: &str) -> String {
    call.arn("ec2", format!("{}/{id}", type_of(id).unwrap_or("*")))
}

/// Errors: the `NotFound` of the id's kind; `InvalidID` for an id of no kind.
pub fn check(cx: Cx<'_>, id: &str) -> Result<()> {
    match kind_of(id) {
        Some(kind) => (kind.check)(cx, id),
        None => Err(ControlError::fault("InvalidID", format!("The ID '{id}' is not valid"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::{Scope, State};
    use weir_types::time::UnixMillis;

    #[test]
    fn each_kind_has_its_own_fault() {
        let state = State::in_memory().unwrap();
        let scope = Scope::new("123456789012", "us-east-1");
        let fault = |id: &str| {
            let outcome = state.transact(|tx| {
                let cx = Cx { tx, scope: &scope, now: UnixMillis(0) };
                region::ensure(cx)?;
                check(cx, id)
            });
            match outcome {
                Err(ControlError::Fault { code, .. }) => code,
                other => panic!("{other:?}"),
            }
        };
        for (prefix, kind, code) in [
            ("acl", "network-acl", "InvalidNetworkAclID.NotFound"),
            ("dopt", "dhcp-options", "InvalidDhcpOptionID.NotFound"),
            ("eni", "network-interface", "InvalidNetworkInterfaceID.NotFound"),
            ("fl", "vpc-flow-log", "InvalidFlowLogId.NotFound"),
            ("i", "instance", "InvalidInstanceID.NotFound"),
            ("pl", "prefix-list", "InvalidPrefixListID.NotFound"),
            ("rtb", "route-table", "InvalidRouteTableID.NotFound"),
            ("sg", "security-group", "InvalidGroup.NotFound"),
            ("sgr", "security-group-rule", "InvalidSecurityGroupRuleId.NotFound"),
            ("subnet", "subnet", "InvalidSubnetID.NotFound"),
            ("vpc", "vpc", "InvalidVpcID.NotFound"),
        ] {
            let id = format!("{prefix}-00000000000000001");
            assert_eq!((type_of(&id), fault(&id)), (Some(kind), code));
        }
        assert_eq!((type_of("vpc1"), fault("vpc1")), (None, "InvalidID"));
        assert_eq!(fault("bucket-00000000000000001"), "InvalidID");
    }
}
