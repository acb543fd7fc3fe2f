//! By what network interfaces are found besides their id and VPC, and the only
//! way to store one.
//!
//! Invariant: an interface's addresses are in its subnet's pool, and no others.

use crate::address_pool;
use crate::error::Result;
use crate::network_interface::NetworkInterface;
use crate::state::Cx;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use weir_types::id::{InstanceId, SecurityGroupId, SubnetId};

/// What interfaces are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    Subnet(&'a SubnetId),
    Group(&'a SecurityGroupId),
    /// Primary or secondary.
    Address(Ipv4Addr),
    Instance(&'a InstanceId),
    /// That it is attached to any instance.
    Attached,
}

/// The interfaces with this key, by id.
pub fn find(cx: Cx<'_>, key: Key<'_>) -> Result<Vec<NetworkInterface>> {
    let by = |name: &str, value: &str| cx.tx.list_by(cx.scope, name, &[value]);
    match key {
        Key::Subnet(id) => by("subnet-id", id.as_str()),
        Key::Group(id) => by("group-id", id.as_str()),
        Key::Address(address) => by("addresses.private-ip-address", &address.to_string()),
        Key::Instance(id) => by("attachment.instance-id", id.as_str()),
        Key::Attached => by("attachment.status", "attached"),
    }
}

/// Whether an interface is in a subnet.
pub fn any_in_subnet(cx: Cx<'_>, subnet: &SubnetId) -> Result<bool> {
    Ok(!address_pool::of(cx, subnet)?.is_empty())
}

/// Whether an interface carries a group.
pub fn any_in_group(cx: Cx<'_>, group: &SecurityGroupId) -> Result<bool> {
    Ok(!find(cx, Key::Group(group))?.is_empty())
}

/// Stores an interface, new or changed.
pub fn put(cx: Cx<'_>, interface: &NetworkInterface) -> Result<()> {
    let before: Option<NetworkInterface> = cx.tx.get(cx.scope, interface.id.as_str())?;
    let old = before.as_ref().map(addresses).unwrap_or_default();
    let new = addresses(interface);
    let gone: Vec<IpAddr> = old.difference(&new).copied().collect();
    let come: Vec<IpAddr> = new.difference(&old).copied().collect();
    address_pool::change(cx, &interface.subnet, &gone, &come)?;
    cx.tx.put(cx.scope, interface)
}

/// Removes an interface.
pub fn delete(cx: Cx<'_>, interface: &NetworkInterface) -> Result<()> {
    let gone: Vec<IpAddr> = addresses(interface).into_iter().collect();
    address_pool::change(cx, &interface.subnet, &gone, &[])?;
    cx.tx.delete::<NetworkInterface>(cx.scope, interface.id.as_str()).map(drop)
}

/// Makes keys and pools of a region whose interfaces were stored without.
pub(crate) fn rebuild(cx: Cx<'_>) -> Result<()> {
    for interface in cx.tx.list::<NetworkInterface>(cx.scope)? {
        let come: Vec<IpAddr> = addresses(&interface).into_iter().collect();
        address_pool::change(cx, &interface.subnet, &[], &come)?;
        cx.tx.put(cx.scope, &interface)?;
    }
    Ok(())
}

fn addresses(interface: &NetworkInterface) -> BTreeSet<IpAddr> {
    let ipv4 = interface.ipv4.iter().copied().map(IpAddr::V4);
    ipv4.chain(interface.ipv6.iter().copied().map(IpAddr::V6)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region;
    use crate::security_group::find as find_group;
    use crate::test_world::{World, interface, subnet, vpc};

    #[test]
    fn keys_and_pool_follow_the_interface() {
        World::new()
            .run(|cx| {
                let vpc = vpc(cx, false, "")?;
                let subnet = subnet(cx, &vpc, "10.0.1.0/24", "2001:db8::/64")?;
                let group = find_group::by_name(cx, &vpc.id, "default")?.id;
                let mut one = interface(cx, &subnet, &[&group], &["10.0.1.4", "2001:db8::4"])?;
                let address = |text: &str| Key::Address(text.parse().unwrap());
                for key in [Key::Subnet(&subnet.id), Key::Group(&group), address("10.0.1.4")] {
                    assert_eq!(find(cx, key)?, [one.clone()], "{key:?}");
                }
                one.ipv4 = vec!["10.0.1.5".parse().unwrap()];
                put(cx, &one)?;
                let found = (find(cx, address("10.0.1.4"))?.len(), find(cx, address("10.0.1.5"))?.len());
                assert_eq!(found, (0, 1));
                assert_eq!(address_pool::of(cx, &subnet.id)?.ipv4_count(), 1);
                delete(cx, &one)?;
                assert!(!any_in_group(cx, &group)? && !any_in_subnet(cx, &subnet.id)?);
                assert_eq!(find(cx, address("10.0.1.5"))?, []);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn a_state_without_pools_gets_them() {
        World::new()
            .run(|cx| {
                let vpc = vpc(cx, false, "")?;
                let subnet = subnet(cx, &vpc, "10.0.1.0/24", "")?;
                let group = find_group::by_name(cx, &vpc.id, "default")?.id;
                let one = interface(cx, &subnet, &[&group], &["10.0.1.4"])?;
                delete(cx, &one)?;
                // As an older version stored it.
                cx.tx.put(cx.scope, &one)?;
                let mut region = region::ensure(cx)?;
                region.indexed = false;
                cx.tx.put(cx.scope, &region)?;
                assert!(!any_in_subnet(cx, &subnet.id)?);
                region::ensure(cx)?;
                assert!(any_in_subnet(cx, &subnet.id)?);
                assert_eq!(address_pool::of(cx, &subnet.id)?.ipv4_count(), 1);
                Ok(())
            })
            .unwrap();
    }
}
