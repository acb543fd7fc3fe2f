//! Secondary private IPv4 addresses of network interfaces: they come, move
//! between the interfaces of a subnet, and go. The primary one stays.
//!
//! Source: EC2 API, `AssignPrivateIpAddresses`, `UnassignPrivateIpAddresses`;
//! EC2 user guide, "Secondary IP addresses".

use crate::error::{ControlError, Result};
use crate::interface_index::Key;
use crate::network_interface::{self, FAULTS, NetworkInterface};
use crate::state::Cx;
use crate::subnet::{self, Subnet};
use crate::{address, address_pool, interface_index, region};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What AssignPrivateIpAddresses is asked for: addresses or a number of them.
#[derive(Debug, Clone, Default)]
pub struct Assign {
    pub addresses: Vec<String>,
    pub count: Option<i64>,
    /// Takes an address from another interface, which has it as a secondary one.
    pub allow_reassignment: bool,
}

/// Gives an interface secondary addresses. Answers those that were asked for or
/// picked; one that the interface has already stays where it is.
///
/// Errors: `InvalidNetworkInterfaceID.NotFound`, `MissingParameter`,
/// `InvalidParameterCombination`, `InvalidParameterValue` (not an address of the
/// subnet, or another interface's), `PrivateIpAddressLimitExceeded`,
/// `InsufficientFreeAddressesInSubnet`.
pub fn assign(cx: Cx<'_>, id: &str, request: &Assign) -> Result<Vec<Ipv4Addr>> {
    region::ensure(cx)?;
    let mut interface: NetworkInterface = FAULTS.find(cx, id)?;
    let count = network_interface::count(request.count, "secondaryPrivateIpAddressCount")?;
    match (request.addresses.is_empty(), request.count) {
        (false, None) | (true, Some(1..)) => {}
        (false, Some(_)) => {
            let message = "The parameters privateIpAddresses and secondaryPrivateIpAddressCount \
                           cannot be used together.";
            return Err(ControlError::fault("InvalidParameterCombination", message));
        }
        (true, Some(_)) => {
            let message = "Value (0) for parameter secondaryPrivateIpAddressCount is invalid.";
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
        (true, None) => {
            let message =
                "Either 'privateIpAddresses' or 'secondaryPrivateIpAddressCount' should be provided.";
            return Err(ControlError::fault("MissingParameter", message));
        }
    }
    let subnet: Subnet = subnet::FAULTS.find(cx, interface.subnet.as_str())?;
    let mut taken = address_pool::of(cx, &subnet.id)?;
    let mut assigned: Vec<Ipv4Addr> = Vec::new();
    for text in &request.addresses {
        let address: Ipv4Addr = text.parse().map_err(|_| address::not_an_address(text))?;
        if !interface.ipv4.contains(&address) {
            if subnet.cidr.contains(&address) && taken.contains(address) {
                let holders = interface_index::find(cx, Key::Address(address))?;
                for mut holder in holders.into_iter().filter(|holder| holder.subnet == subnet.id) {
                    release(cx, &mut holder, address, request.allow_reassignment)?;
                }
            } else {
                address::take_ipv4(&subnet.cidr, &mut taken, text)?;
            }
            interface.ipv4.push(address);
        }
        if !assigned.contains(&address) {
            assigned.push(address);
        }
    }
    network_interface::within_limit(interface.ipv4.len().saturating_add(count))?;
    for _ in 0..count {
        let address = address::pick_ipv4(&subnet.cidr, &mut taken)?;
        interface.ipv4.push(address);
        assigned.push(address);
    }
    interface_index::put(cx, &interface)?;
    Ok(assigned)
}

/// Takes a secondary address from the interface that has it, if that is allowed.
fn release(cx: Cx<'_>, holder: &mut NetworkInterface, address: Ipv4Addr, allowed: bool) -> Result<()> {
    if !allowed {
        let message = format!("[{address}] assigned, but move is not allowed.");
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    if holder.primary_ipv4() == Some(address) {
        let message = format!("[{address}] is the primary address of {} and cannot be moved.", holder.id);
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    holder.ipv4.retain(|other| *other != address);
    interface_index::put(cx, holder)
}

/// Takes secondary addresses from an interface, all that are named or none.
///
/// Errors: `InvalidNetworkInterfaceID.NotFound`, `MissingParameter`,
/// `InvalidParameterValue` (not an address, not the interface's, the primary one).
pub fn unassign(cx: Cx<'_>, id: &str, addresses: &[&str]) -> Result<()> {
    region::ensure(cx)?;
    let mut interface: NetworkInterface = FAULTS.find(cx, id)?;
    if addresses.is_empty() {
        let message = "The request must contain the parameter privateIpAddresses";
        return Err(ControlError::fault("MissingParameter", message));
    }
    let parse = |text: &&str| text.parse().map_err(|_| address::not_an_address(text));
    let addresses: BTreeSet<Ipv4Addr> = addresses.iter().map(parse).collect::<Result<_>>()?;
    for address in &addresses {
        let message = match interface.ipv4.iter().position(|held| held == address) {
            Some(0) => format!("[{address}] is the primary address of {id} and cannot be unassigned."),
            None => format!("Some of [{address}] are not assigned to interface {id}"),
            Some(_) => continue,
        };
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    interface.ipv4.retain(|held| !addresses.contains(held));
    interface_index::put(cx, &interface)
}
