//! Network interfaces for devices that come and go: containers, virtual
//! machines, cables between namespaces.
//!
//! All of them are in one VPC, which is there before the first device, so that
//! one flow log on it records every device that will ever come. It has a subnet
//! for each network that the devices are on, and one for those of which no
//! network is known.
//!
//! Invariant: an interface that was made here carries [`super::TAG`] with the
//! device's place and [`RULE`] with the rule's text; no interface without
//! [`RULE`] is ever changed or removed here.

use super::{TAG, block_around};
use crate::error::Result;
use crate::flow_log::FlowLog;
use crate::network_interface::{self, NetworkInterface};
use crate::state::Cx;
use crate::subnet::{self, CreateSubnet, Subnet};
use crate::vpc::{self, CreateVpc, Vpc, VpcIpv4};
use crate::{address_pool, attachment, cidr, interface_index, random, tags};
use std::net::{Ipv4Addr, Ipv6Addr};
use weir_types::id::{EniId, VpcCidrAssociationId, VpcId};
use weir_types::net::Ipv4Net;
use weir_types::orders::{Attachment, Mode, Side};

/// The tag of an interface that a rule made; its value is the rule.
pub const RULE: &str = "weir:rule";

/// What [`RULE`] says of their VPC and its subnets, which are of all rules.
const ANY: &str = "any";

/// The network of devices of which none is known: RFC 6598's shared space,
/// which is nobody's own.
const NO_NETWORK: &str = "100.64.0.0/16";

/// A device that a rule wants attached.
#[derive(Debug, Clone)]
pub struct Appeared {
    pub device: String,
    /// As in [`Attachment::netns`].
    pub netns: Option<String>,
    pub mode: Mode,
    pub side: Side,
    /// Of the interface; the first one is the primary address.
    pub ipv4: Vec<(Ipv4Addr, u8)>,
    /// Without link-local ones.
    pub ipv6: Vec<Ipv6Addr>,
    /// The network that it is on, if that is known otherwise: its bridge's.
    pub network: Option<(Ipv4Addr, u8)>,
    /// The rule's text.
    pub rule: String,
    /// The interface that the device's place had before.
    pub before: Option<EniId>,
}

/// A device in words: `eth0`, `web/eth0`, `/run/docker/netns/1a2b/eth0`.
pub fn place(netns: Option<&str>, device: &str) -> String {
    netns.map_or_else(|| device.to_owned(), |netns| format!("{netns}/{device}"))
}

/// An interface that a rule made.
#[derive(Debug, Clone)]
pub struct OfRule {
    pub interface: EniId,
    /// As [`place`] writes it.
    pub place: String,
    pub attachment: Option<Attachment>,
}

/// The VPC of devices that come and go; it is made if it is not there.
pub fn network(cx: Cx<'_>) -> Result<VpcId> {
    for vpc in cx.tx.list::<Vpc>(cx.scope)? {
        if tags::of(cx, vpc.id.as_str())?.contains(&any_rule()) {
            return Ok(vpc.id);
        }
    }
    let request =
        CreateVpc { cidr_block: Some(NO_NETWORK.to_owned()), tags: vec![any_rule()], ..CreateVpc::default() };
    Ok(vpc::create(cx, &request)?.id)
}

/// Attaches a device; an interface is made unless its place had one before.
/// Answers the interface, and whether it was attached already: such a one stays
/// as it is.
///
/// Errors: those of making the resources and of [`attachment::put`].
pub fn appear(cx: Cx<'_>, device: &Appeared) -> Result<(NetworkInterface, bool)> {
    let same = |old: &Attachment| old.device == device.device && old.netns == device.netns;
    if let Some(old) = attachment::list(cx)?.into_iter().find(same) {
        return Ok((network_interface::FAULTS.find(cx, old.interface.as_str())?, true));
    }
    let before = match &device.before {
        Some(id) => cx.tx.get::<NetworkInterface>(cx.scope, id.as_str())?,
        None => None,
    };
    let interface = match before.filter(|interface| interface.attached.is_none()) {
        Some(interface) => {
            readdress(cx, &interface.id, &device.ipv4, &device.ipv6)?;
            interface
        }
        None => make(cx, device)?,
    };
    attachment::put(
        cx,
        &Attachment {
            interface: interface.id.clone(),
            device: device.device.clone(),
            netns: device.netns.clone(),
            mode: device.mode,
            side: device.side,
        },
    )?;
    Ok((interface, false))
}

fn make(cx: Cx<'_>, device: &Appeared) -> Result<NetworkInterface> {
    let vpc = network(cx)?;
    let addresses: Vec<Ipv4Addr> = device.ipv4.iter().map(|(address, _)| *address).collect();
    let subnet = subnet_for(cx, &vpc, device.ipv4.first().copied().or(device.network), &addresses)?;
    let taken = address_pool::of(cx, &subnet.id)?;
    let addresses = addresses.into_iter().filter(|address| !taken.contains(*address)).collect();
    let ipv6 = device.ipv6.iter().copied().filter(|address| !taken.contains(*address)).collect();
    let place = place(device.netns.as_deref(), &device.device);
    let description = format!("device {place} of this host");
    let interface = network_interface::create_as_it_is(cx, subnet, description, addresses, ipv6)?;
    let words = [(TAG.to_owned(), shorten(&place)), (RULE.to_owned(), shorten(&device.rule))];
    tags::set(cx, interface.id.as_str(), &words)?;
    Ok(interface)
}

/// As much as a tag's value may have.
fn shorten(text: &str) -> String {
    text.chars().take(255).collect()
}

fn any_rule() -> (String, String) {
    (RULE.to_owned(), ANY.to_owned())
}

/// The subnet of the network that a device is on. Networks of several
/// namespaces may have the same addresses; who comes second is put with those
/// of which no network is known. So are those in [`NO_NETWORK`] itself: a subnet
/// of their own would leave no room for its one.
fn subnet_for(
    cx: Cx<'_>,
    vpc: &VpcId,
    network: Option<(Ipv4Addr, u8)>,
    addresses: &[Ipv4Addr],
) -> Result<Subnet> {
    let of_none: Ipv4Net = cidr::ipv4(NO_NETWORK, "InvalidSubnet.Range")?;
    let block = network.and_then(|(address, prefix)| block_around(address, prefix).ok());
    let block = block.filter(|block| {
        cidr::ipv4(&block.to_string(), "InvalidSubnet.Range").is_ok() && !cidr::overlap_ipv4(&of_none, block)
    });
    let subnets: Vec<Subnet> = cx.tx.list_in(cx.scope, vpc.as_str())?;
    if let Some(block) = block {
        let there = subnets.iter().find(|subnet| subnet.cidr.contains(&block));
        match there {
            Some(subnet) => {
                let taken = address_pool::of(cx, &subnet.id)?;
                if !addresses.iter().any(|address| taken.contains(*address)) {
                    return Ok(subnet.clone());
                }
            }
            None if !subnets.iter().any(|subnet| cidr::overlap_ipv4(&subnet.cidr, &block)) => {
                return subnet_with(cx, vpc, block);
            }
            None => {}
        }
    }
    // Somebody may have made a subnet of a part of it.
    match subnets.into_iter().find(|subnet| cidr::overlap_ipv4(&subnet.cidr, &of_none)) {
        Some(subnet) => Ok(subnet),
        None => subnet_with(cx, vpc, of_none),
    }
}

/// Makes a subnet; the VPC gets its block, whatever its other blocks are: the
/// host's networks are as they are.
fn subnet_with(cx: Cx<'_>, vpc: &VpcId, block: Ipv4Net) -> Result<Subnet> {
    let mut whole = vpc::find(cx, vpc.as_str())?;
    if !whole.ipv4().any(|(own, _)| own.contains(&block)) {
        let association = VpcCidrAssociationId::from_random(random::bits()?);
        whole.secondary.push(VpcIpv4 { cidr: block, association });
        cx.tx.put(cx.scope, &whole)?;
    }
    let request = CreateSubnet {
        vpc_id: vpc.to_string(),
        cidr_block: block.to_string(),
        tags: vec![any_rule()],
        ..CreateSubnet::default()
    };
    subnet::create(cx, &request)
}

/// Gives an interface that a rule made the addresses that its device has now,
/// as far as no other interface of the subnet has them. Says whether that
/// changed anything.
pub fn readdress(cx: Cx<'_>, id: &EniId, ipv4: &[(Ipv4Addr, u8)], ipv6: &[Ipv6Addr]) -> Result<bool> {
    let Some(mut interface) = cx.tx.get::<NetworkInterface>(cx.scope, id.as_str())? else { return Ok(false) };
    if !is_of_rule(cx, id)? {
        return Ok(false);
    }
    let taken = address_pool::of(cx, &interface.subnet)?;
    let ipv4: Vec<Ipv4Addr> = ipv4
        .iter()
        .map(|(address, _)| *address)
        .filter(|address| interface.ipv4.contains(address) || !taken.contains(*address))
        .collect();
    let ipv6: Vec<Ipv6Addr> = ipv6
        .iter()
        .copied()
        .filter(|address| interface.ipv6.contains(address) || !taken.contains(*address))
        .collect();
    if (&interface.ipv4, &interface.ipv6) == (&ipv4, &ipv6) {
        return Ok(false);
    }
    (interface.ipv4, interface.ipv6) = (ipv4, ipv6);
    interface_index::put(cx, &interface)?;
    Ok(true)
}

/// The devices of attachments are called otherwise now: all of them, or none if
/// one cannot be. They may have swapped their names.
///
/// Errors: those of [`attachment::put`].
pub fn rename(cx: Cx<'_>, devices: &[(&EniId, &str)]) -> Result<()> {
    let mut renamed = Vec::new();
    for &(id, device) in devices {
        let Some(attachment) = attachment::get(cx, id)? else { continue };
        let interface: Option<NetworkInterface> = cx.tx.get(cx.scope, id.as_str())?;
        let at = interface.and_then(|interface| interface.attached);
        renamed.push((Attachment { device: device.to_owned(), ..attachment }, at));
    }
    // All names are free before the first is taken.
    for (Attachment { interface: id, .. }, _) in &renamed {
        attachment::delete(cx, id)?;
    }
    for (attachment, at) in renamed {
        attachment::put(cx, &attachment)?;
        let id = &attachment.interface;
        // It never left its place on the instance.
        if let (Some(mut interface), Some(at)) = (cx.tx.get::<NetworkInterface>(cx.scope, id.as_str())?, at) {
            interface.attached = Some(at);
            interface_index::put(cx, &interface)?;
        }
        if is_of_rule(cx, id)? {
            let place = place(attachment.netns.as_deref(), &attachment.device);
            tags::set(cx, id.as_str(), &[(TAG.to_owned(), shorten(&place))])?;
        }
    }
    Ok(())
}

/// Undoes the attachment of a device that is gone, or that could not be attached;
/// the interface stays.
pub fn vanish(cx: Cx<'_>, id: &EniId) -> Result<()> {
    attachment::delete(cx, id).map(drop)
}

/// Removes an interface that a rule made, if it is not attached again and has
/// no flow log of its own. Says whether it is gone.
pub fn expire(cx: Cx<'_>, id: &EniId) -> Result<bool> {
    let Some(interface) = cx.tx.get::<NetworkInterface>(cx.scope, id.as_str())? else { return Ok(true) };
    let is_wanted =
        interface.attached.is_some() || !cx.tx.list_in::<FlowLog>(cx.scope, id.as_str())?.is_empty();
    if is_wanted || !is_of_rule(cx, id)? {
        return Ok(false);
    }
    network_interface::delete(cx, id.as_str())?;
    Ok(true)
}

/// The interfaces that rules made for devices of this host.
pub fn of_rules(cx: Cx<'_>) -> Result<Vec<OfRule>> {
    let attachments = attachment::list(cx)?;
    let mut found = Vec::new();
    for interface in cx.tx.list::<NetworkInterface>(cx.scope)? {
        let tags = tags::of(cx, interface.id.as_str())?;
        if !tags.iter().any(|(key, _)| key == RULE) {
            continue;
        }
        let Some((_, place)) = tags.into_iter().find(|(key, _)| key == TAG) else { continue };
        let attachment = attachments.iter().find(|attachment| attachment.interface == interface.id);
        if attachment.is_none() && interface.attached.is_some() {
            // Another server's, on another host.
            continue;
        }
        found.push(OfRule { interface: interface.id, place, attachment: attachment.cloned() });
    }
    Ok(found)
}

fn is_of_rule(cx: Cx<'_>, id: &EniId) -> Result<bool> {
    Ok(tags::of(cx, id.as_str())?.iter().any(|(key, _)| key == RULE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_world::World;

    fn device(name: &str, netns: Option<&str>, ipv4: &[(&str, u8)]) -> Appeared {
        Appeared {
            device: name.to_owned(),
            netns: netns.map(str::to_owned),
            mode: Mode::Observe,
            side: Side::Instance,
            ipv4: ipv4.iter().map(|(text, prefix)| (text.parse().unwrap(), *prefix)).collect(),
            ipv6: Vec::new(),
            network: None,
            rule: "veth*".to_owned(),
            before: None,
        }
    }

    fn cidr_of(world: &World, interface: &NetworkInterface) -> String {
        let subnet = world.run(|cx| cx.tx.get::<Subnet>(cx.scope, interface.subnet.as_str())).unwrap();
        subnet.unwrap().cidr.to_string()
    }

    #[test]
    fn devices_of_all_networks_are_in_one_vpc() {
        let world = World::new();
        let vpc = world.run(network).unwrap();
        let bridged = Appeared {
            network: Some(("172.17.0.1".parse().unwrap(), 16)),
            side: Side::Host,
            ..device("veth1", None, &[])
        };
        for (device, block, addresses) in [
            (device("eth0", Some("web"), &[("10.0.1.10", 24), ("10.0.1.11", 24)]), "10.0.1.0/24", 2),
            (device("eth0", Some("db"), &[("10.0.1.12", 24)]), "10.0.1.0/24", 1),
            // Another network with the same addresses.
            (device("eth0", Some("twin"), &[("10.0.1.10", 24)]), "100.64.0.0/16", 1),
            (device("eth0", Some("triplet"), &[("10.0.1.10", 24)]), "100.64.0.0/16", 0),
            (device("eth0", Some("wide"), &[("10.0.9.9", 16)]), "100.64.0.0/16", 1),
            (device("eth0", Some("odd"), &[("169.254.3.3", 16)]), "100.64.0.0/16", 1),
            (bridged, "172.17.0.0/16", 0),
            (device("tap0", None, &[]), "100.64.0.0/16", 0),
        ] {
            let (interface, known) = world.run(|cx| appear(cx, &device)).unwrap();
            let found = (cidr_of(&world, &interface), interface.ipv4.len());
            assert_eq!(found, (block.to_owned(), addresses), "{device:?}");
            assert_eq!((known, &interface.vpc), (false, &vpc));
            let (same, known) = world.run(|cx| appear(cx, &device)).unwrap();
            assert_eq!((same.id, known), (interface.id, true));
        }
        assert_eq!(world.run(of_rules).unwrap().len(), 8);
        assert_eq!(world.run(network).unwrap(), vpc);
    }

    #[test]
    fn devices_swap_their_names() {
        let world = World::new();
        let make = |name: &str| world.run(|cx| appear(cx, &device(name, None, &[]))).unwrap().0.id;
        let (a, b, c) = (make("veth0"), make("veth1"), make("veth2"));
        let named =
            || [&a, &b, &c].map(|id| world.run(|cx| attachment::get(cx, id)).unwrap().unwrap().device);
        let places = || {
            let made = world.run(of_rules).unwrap();
            [&a, &b, &c].map(|id| made.iter().find(|of| of.interface == *id).unwrap().place.clone())
        };
        world.run(|cx| rename(cx, &[(&a, "veth1"), (&b, "veth0")])).unwrap();
        assert_eq!(named(), ["veth1", "veth0", "veth2"]);
        world.run(|cx| rename(cx, &[(&b, "veth1"), (&a, "veth2"), (&c, "veth3")])).unwrap();
        assert_eq!((named(), places()), (["veth2", "veth1", "veth3"].map(String::from), named()));
        // All or none.
        world.run(|cx| rename(cx, &[(&b, "veth9"), (&a, "veth3")])).unwrap_err();
        assert_eq!(named(), ["veth2", "veth1", "veth3"]);
    }

    #[test]
    fn a_device_in_the_shared_space_leaves_room_for_those_without_a_network() {
        let world = World::new();
        for device in [
            device("eth0", Some("web"), &[("100.64.1.5", 24)]),
            device("tap0", None, &[]),
            device("wide0", None, &[("100.70.0.1", 10)]),
        ] {
            let interface = world.run(|cx| appear(cx, &device)).unwrap().0;
            let addresses: Vec<_> = device.ipv4.iter().map(|(address, _)| *address).collect();
            let block = if device.device == "wide0" { "100.70.0.0/16" } else { NO_NETWORK };
            assert_eq!((cidr_of(&world, &interface).as_str(), interface.ipv4), (block, addresses));
        }
        // As an older version left it.
        let world = World::new();
        let part = "100.64.1.0/24".parse().unwrap();
        let subnet = world.run(|cx| subnet_with(cx, &network(cx)?, part)).unwrap();
        let interface = world.run(|cx| appear(cx, &device("tap0", None, &[]))).unwrap().0;
        assert_eq!(interface.subnet, subnet.id);
    }

    #[test]
    fn an_interface_follows_its_device_and_outlives_it() {
        let world = World::new();
        let web = device("eth0", Some("web"), &[("10.0.1.10", 24)]);
        let id = world.run(|cx| appear(cx, &web)).unwrap().0.id;
        let get = || world.run(|cx| cx.tx.get::<NetworkInterface>(cx.scope, id.as_str())).unwrap().unwrap();
        let place_of = || world.run(of_rules).unwrap()[0].place.clone();
        let at = get().attached;
        world.run(|cx| rename(cx, &[(&id, "lan0")])).unwrap();
        assert_eq!((place_of().as_str(), get().attached), ("web/lan0", at));
        let new = [("10.0.1.77".parse().unwrap(), 24)];
        assert!(world.run(|cx| readdress(cx, &id, &new, &[])).unwrap());
        assert!(!world.run(|cx| readdress(cx, &id, &new, &[])).unwrap());
        assert_eq!(get().ipv4, ["10.0.1.77".parse::<Ipv4Addr>().unwrap()]);

        assert!(!world.run(|cx| expire(cx, &id)).unwrap(), "it is attached");
        world.run(|cx| vanish(cx, &id)).unwrap();
        let back = Appeared { before: Some(id.clone()), ..web.clone() };
        assert_eq!(world.run(|cx| appear(cx, &back)).unwrap().0.id, id);
        world.run(|cx| vanish(cx, &id)).unwrap();
        assert!(world.run(|cx| expire(cx, &id)).unwrap());
        assert!(world.run(of_rules).unwrap().is_empty());
        let new = world.run(|cx| appear(cx, &back)).unwrap().0.id;
        assert_ne!(new, id);
    }

    #[test]
    fn what_no_rule_made_stays() {
        let world = World::new();
        let ipv4 = vec![("192.0.2.1".parse().unwrap(), 24)];
        let device = super::super::Device { name: "eth0".to_owned(), ipv4, ipv6: Vec::new() };
        let id = world.run(|cx| super::super::ensure(cx, &device)).unwrap().interface.id;
        world.run(|cx| vanish(cx, &id)).unwrap();
        assert!(!world.run(|cx| expire(cx, &id)).unwrap());
        assert!(!world.run(|cx| readdress(cx, &id, &[], &[])).unwrap());
        assert!(world.run(of_rules).unwrap().is_empty());
    }
}
