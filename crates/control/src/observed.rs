//! Network interfaces for devices of this host that somebody wants to watch:
//! found, or made with a VPC and a subnet around the device's own addresses.
//!
//! Everything that is made here carries the tag `weir:observed`, and is a plain
//! resource otherwise. The interface has exactly the device's addresses, also
//! those that AWS keeps for itself in a subnet: the host has them already.

pub mod appeared;

use crate::error::{ControlError, Result};
use crate::network_interface::{self, NetworkInterface};
use crate::state::Cx;
use crate::subnet::{self, CreateSubnet, Subnet};
use crate::vpc::{self, CreateVpc, Vpc};
use crate::{attachment, interface_index, tags};
use std::net::{Ipv4Addr, Ipv6Addr};
use weir_types::net::Ipv4Net;
use weir_types::orders::{Attachment, Mode, Side};

/// The tag of what was made here; its value is the device's name.
pub const TAG: &str = "weir:observed";

/// A device and its addresses.
#[derive(Debug, Clone)]
pub struct Device {
    pub name: String,
    /// The first one is the primary address.
    pub ipv4: Vec<(Ipv4Addr, u8)>,
    /// Without link-local ones.
    pub ipv6: Vec<Ipv6Addr>,
}

/// The interface on a device.
#[derive(Debug, Clone)]
pub struct Observed {
    pub device: String,
    pub interface: NetworkInterface,
    /// Who decides there: not always [`Mode::Observe`] if it was attached before.
    pub mode: Mode,
    /// What was made for it, `vpc`, `subnet` and `network interface`; empty if
    /// all was there.
    pub made: Vec<&'static str>,
    /// Whether the attachment is new.
    pub attached: bool,
}

/// Makes sure that the device of this host's own network namespace has an
/// interface. One that is there stays as it is, whatever its mode.
///
/// Errors: `InvalidParameterValue` for a device without an IPv4 address that a
/// VPC can have; those of making the resources.
pub fn ensure(cx: Cx<'_>, device: &Device) -> Result<Observed> {
    let there = attachment::list(cx)?;
    if let Some(old) = there.into_iter().find(|old| old.netns.is_none() && old.device == device.name) {
        let interface = network_interface::FAULTS.find(cx, old.interface.as_str())?;
        let (mode, name) = (old.mode, device.name.clone());
        return Ok(Observed { device: name, interface, mode, made: Vec::new(), attached: false });
    }
    let (address, prefix) = *device.ipv4.first().ok_or_else(|| {
        let message = format!(
            "Device '{}' has no IPv4 address; make a network interface for it and use weir attach",
            device.name
        );
        ControlError::fault("InvalidParameterValue", message)
    })?;
    let mut made = Vec::new();
    let interface = match detached_before(cx, &device.name, address)? {
        Some(interface) => interface,
        None => {
            let subnet = subnet_around(cx, &device.name, block_around(address, prefix)?, &mut made)?;
            made.push("network interface");
            let ipv4 = device.ipv4.iter().map(|(address, _)| *address).collect();
            let description = format!("device {} of this host", device.name);
            let interface =
                network_interface::create_as_it_is(cx, subnet, description, ipv4, device.ipv6.clone())?;
            tags::set(cx, interface.id.as_str(), &[tag(&device.name)])?;
            interface
        }
    };
    let mode = Mode::Observe;
    let attachment = Attachment {
        interface: interface.id.clone(),
        device: device.name.clone(),
        netns: None,
        mode,
        side: Side::Instance,
    };
    attachment::put(cx, &attachment)?;
    Ok(Observed { device: device.name.clone(), interface, mode, made, attached: true })
}

fn tag(device: &str) -> (String, String) {
    (TAG.to_owned(), device.to_owned())
}

fn is_ours(cx: Cx<'_>, id: &str) -> Result<bool> {
    Ok(tags::of(cx, id)?.iter().any(|(key, _)| key == TAG))
}

/// An interface that was made for the device and has lost it.
fn detached_before(cx: Cx<'_>, device: &str, address: Ipv4Addr) -> Result<Option<NetworkInterface>> {
    for interface in interface_index::find(cx, interface_index::Key::Address(address))? {
        if interface.attached.is_none() && tags::of(cx, interface.id.as_str())?.contains(&tag(device)) {
            return Ok(Some(interface));
        }
    }
    Ok(None)
}

/// The device's network as far as it fits a VPC: /16 to /28.
fn block_around(address: Ipv4Addr, prefix: u8) -> Result<Ipv4Net> {
    let block = Ipv4Net::new(address, prefix.clamp(16, 28)).map(|block| block.trunc());
    block.map_err(|error| ControlError::fault("InvalidParameterValue", error.to_string()))
}

fn subnet_around(cx: Cx<'_>, device: &str, block: Ipv4Net, made: &mut Vec<&'static str>) -> Result<Subnet> {
    for vpc in cx.tx.list::<Vpc>(cx.scope)? {
        if !vpc.cidr.contains(&block) || !is_ours(cx, vpc.id.as_str())? {
            continue;
        }
        let subnets: Vec<Subnet> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
        if let Some(subnet) = subnets.into_iter().find(|subnet| subnet.cidr.contains(&block)) {
            return Ok(subnet);
        }
    }
    let tags = vec![tag(device)];
    let request =
        CreateVpc { cidr_block: Some(block.to_string()), tags: tags.clone(), ..CreateVpc::default() };
    let vpc = vpc::create(cx, &request)?;
    made.push("vpc");
    let request = CreateSubnet {
        vpc_id: vpc.id.to_string(),
        cidr_block: block.to_string(),
        tags,
        ..CreateSubnet::default()
    };
    made.push("subnet");
    subnet::create(cx, &request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_world::World;

    fn device(name: &str, ipv4: &[(&str, u8)]) -> Device {
        Device {
            name: name.to_owned(),
            ipv4: ipv4.iter().map(|(text, prefix)| (text.parse().unwrap(), *prefix)).collect(),
            ipv6: Vec::new(),
        }
    }

    #[test]
    fn a_device_gets_its_own_addresses_also_reserved_ones() {
        let world = World::new();
        let eth0 = device("eth0", &[("192.0.2.1", 24), ("192.0.2.9", 24)]);
        let first = world.run(|cx| ensure(cx, &eth0)).unwrap();
        assert_eq!(first.made, ["vpc", "subnet", "network interface"]);
        assert_eq!(first.interface.ipv4, ["192.0.2.1", "192.0.2.9"].map(|a| a.parse::<Ipv4Addr>().unwrap()));
        assert_eq!((first.mode, first.attached), (Mode::Observe, true));

        let again = world.run(|cx| ensure(cx, &eth0)).unwrap();
        assert_eq!((again.interface.id.clone(), again.attached), (first.interface.id.clone(), false));

        world.run(|cx| appeared::vanish(cx, &first.interface.id)).unwrap();
        let back = world.run(|cx| ensure(cx, &eth0)).unwrap();
        assert_eq!((back.interface.id, back.made.len(), back.attached), (first.interface.id, 0, true));

        let other = world.run(|cx| ensure(cx, &device("eth1", &[("192.0.2.77", 25)]))).unwrap();
        assert_eq!((other.interface.subnet, other.made), (first.interface.subnet, vec!["network interface"]));
    }

    #[test]
    fn networks_of_any_length_fit() {
        for (address, prefix, expected) in [
            ("10.1.2.3", 8, "10.1.0.0/16"),
            ("10.1.2.3", 20, "10.1.0.0/20"),
            ("10.1.2.35", 32, "10.1.2.32/28"),
        ] {
            let block = block_around(address.parse().unwrap(), prefix).unwrap();
            assert_eq!(block.to_string(), expected);
        }
    }

    #[test]
    fn a_device_without_an_address_is_told_so() {
        let fault = World::new().fault(|cx| ensure(cx, &device("br0", &[])));
        assert!(fault.contains("has no IPv4 address"), "{fault}");
    }
}
