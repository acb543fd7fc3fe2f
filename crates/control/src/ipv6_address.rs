//! IPv6 addresses of network interfaces: they come and go.
//!
//! Source: EC2 API, `AssignIpv6Addresses`, `UnassignIpv6Addresses`.

use crate::error::{ControlError, Result};
use crate::network_interface::{self, FAULTS, NetworkInterface};
use crate::state::Cx;
use crate::subnet::{self, Subnet};
use crate::{address, address_pool, interface_index, region};
use std::net::Ipv6Addr;

/// Gives an interface IPv6 addresses: those that are named, or a number of
/// them. Answers those that came.
///
/// Errors: `InvalidNetworkInterfaceID.NotFound`, `MissingParameter`,
/// `InvalidParameterCombination`, `InvalidParameterValue` (not an address of the
/// subnet, no IPv6 block), `InvalidIPAddress.InUse`,
/// `PrivateIpAddressLimitExceeded`, `InsufficientFreeAddressesInSubnet`.
pub fn assign(cx: Cx<'_>, id: &str, named: &[&str], count: Option<i64>) -> Result<Vec<Ipv6Addr>> {
    region::ensure(cx)?;
    let mut interface: NetworkInterface = FAULTS.find(cx, id)?;
    let number = network_interface::count(count, "ipv6AddressCount")?;
    match (named.is_empty(), count) {
        (false, None) | (true, Some(1..)) => {}
        (false, Some(_)) => {
            let message = "The parameters ipv6Addresses and ipv6AddressCount cannot be used together.";
            return Err(ControlError::fault("InvalidParameterCombination", message));
        }
        (true, Some(_)) => {
            let message = "Value (0) for parameter ipv6AddressCount is invalid.";
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
        (true, None) => {
            let message = "Either 'ipv6Addresses' or 'ipv6AddressCount' should be provided.";
            return Err(ControlError::fault("MissingParameter", message));
        }
    }
    let subnet: Subnet = subnet::FAULTS.find(cx, interface.subnet.as_str())?;
    let block = network_interface::ipv6_block(&subnet)?;
    let mut taken = address_pool::of(cx, &subnet.id)?;
    let mut assigned: Vec<Ipv6Addr> = Vec::new();
    for text in named {
        let address: Ipv6Addr = text.parse().map_err(|_| address::not_an_address(text))?;
        // One that the interface has is as good as assigned.
        if !interface.ipv6.contains(&address) {
            address::take_ipv6(&block, &mut taken, text)?;
            interface.ipv6.push(address);
        }
        if !assigned.contains(&address) {
            assigned.push(address);
        }
    }
    network_interface::within_limit(interface.ipv6.len().saturating_add(number))?;
    for _ in 0..number {
        let address = address::pick_ipv6(&block, &mut taken)?;
        interface.ipv6.push(address);
        assigned.push(address);
    }
    interface_index::put(cx, &interface)?;
    Ok(assigned)
}

/// Takes IPv6 addresses from an interface, all that are named or none.
///
/// Errors: `InvalidNetworkInterfaceID.NotFound`, `MissingParameter`,
/// `InvalidParameterValue` (not an address, not the interface's).
pub fn unassign(cx: Cx<'_>, id: &str, named: &[&str]) -> Result<()> {
    region::ensure(cx)?;
    let mut interface: NetworkInterface = FAULTS.find(cx, id)?;
    if named.is_empty() {
        let message = "The request must contain the parameter ipv6Addresses";
        return Err(ControlError::fault("MissingParameter", message));
    }
    for text in named {
        let address: Ipv6Addr = text.parse().map_err(|_| address::not_an_address(text))?;
        if !interface.ipv6.contains(&address) {
            let message = format!("Some of [{address}] are not assigned to interface {id}");
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
    }
    interface.ipv6.retain(|held| !named.iter().any(|text| text.parse() == Ok(*held)));
    interface_index::put(cx, &interface)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security_group::find;
    use crate::test_world::{World, interface, subnet, text, vpc};

    #[test]
    fn addresses_come_by_name_or_number_and_go() {
        World::new()
            .run(|cx| {
                let vpc = vpc(cx, false, "2001:db8::/56")?;
                let near = subnet(cx, &vpc, "10.0.1.0/24", "2001:db8::/64")?;
                let far = subnet(cx, &vpc, "10.0.2.0/24", "")?;
                let group = find::by_name(cx, &vpc.id, "default")?.id;
                let one = interface(cx, &near, &[&group], &["10.0.1.4"])?.id.to_string();
                let other = interface(cx, &near, &[&group], &["10.0.1.5", "2001:db8::5"])?.id.to_string();
                let without = interface(cx, &far, &[&group], &["10.0.2.4"])?.id.to_string();
                let assign = |id: &str, named: &[&str], count| match assign(cx, id, named, count) {
                    Ok(addresses) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                    Err(error) => text::<()>(Err(error)).split(':').next().unwrap().to_owned(),
                };
                for (id, named, count, expected) in [
                    (&one, vec![], Some(2), "2001:db8::4 2001:db8::6"),
                    (
                        &one,
                        vec!["2001:db8::9", "2001:db8::9", "2001:db8::4"],
                        None,
                        "2001:db8::9 2001:db8::4",
                    ),
                    (&other, vec!["2001:db8::9"], None, "InvalidIPAddress.InUse"),
                    (&other, vec!["2001:db8::9"], Some(1), "InvalidParameterCombination"),
                    (&other, vec!["2001:db8:1::9"], None, "InvalidParameterValue"),
                    (&other, vec![], Some(0), "InvalidParameterValue"),
                    (&other, vec![], None, "MissingParameter"),
                    (&other, vec![], Some(50), "PrivateIpAddressLimitExceeded"),
                    (&without, vec![], Some(1), "InvalidParameterValue"),
                ] {
                    assert_eq!(assign(id, &named, count), expected, "{named:?} {count:?}");
                }
                assert!(text(unassign(cx, &one, &["2001:db8::4", "2001:db8::5"])).contains("not assigned"));
                unassign(cx, &one, &["2001:db8::4", "2001:DB8::9"])?;
                let left: NetworkInterface = FAULTS.find(cx, &one)?;
                assert_eq!(left.ipv6, ["2001:db8::6".parse::<Ipv6Addr>().unwrap()]);
                assert_eq!(assign(&other, &[], Some(1)), "2001:db8::4");
                Ok(())
            })
            .unwrap();
    }
}
