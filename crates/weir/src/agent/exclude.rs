//! Traffic that flow logs never show, because it is the network's own service:
//! DNS to its resolver, instance metadata, Time Sync, DHCP, licence activation,
//! and whatever goes to the VPC's router itself.
//!
//! It is counted in the kernel like any other and left out of the records; a
//! window with nothing else is NODATA. On a device in observe mode nothing is
//! left out: what AWS reserves in a subnet are ordinary machines on a network
//! that was there before.
//!
//! Source: VPC user guide, "Flow log limitations"; VPC user guide, "Subnet CIDR
//! blocks" (the router is the subnet's second address, the resolver the VPC's third).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weir_flow::sample::FlowSample;
use weir_types::net::{Direction, IpNet, Protocol};
use weir_types::orders::{InterfaceOrder, Mode};

/// Addresses of AWS whose traffic is never recorded: metadata, Time Sync.
const SERVICES: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 123)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x123)),
];

/// Addresses that the resolver has in every VPC.
const RESOLVERS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 253)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253)),
];

/// Where Windows instances activate their licences, at TCP port 1688.
const ACTIVATION: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(169, 254, 169, 250)), IpAddr::V4(Ipv4Addr::new(169, 254, 169, 251))];

/// What is left out of records.
#[derive(Debug, Clone, Default)]
pub struct Excluded {
    /// Nothing is.
    pub nothing: bool,
    /// Further addresses of the network's resolver.
    pub resolvers: Vec<IpAddr>,
}

impl Excluded {
    /// Whether a flow of an interface is in no record.
    pub fn holds(&self, order: &InterfaceOrder, flow: &FlowSample) -> bool {
        if self.nothing || order.attachment.mode == Mode::Observe {
            return false;
        }
        let (peer, port, own_port) = match flow.direction {
            Direction::Ingress => (flow.src, flow.src_port, flow.dst_port),
            Direction::Egress => (flow.dst, flow.dst_port, flow.src_port),
        };
        let (is_udp, is_tcp) = (flow.protocol == Protocol::UDP, flow.protocol == Protocol::TCP);
        let is_dhcp = is_udp && matches!((own_port, port), (68, 67) | (67, 68) | (546, 547) | (547, 546));
        is_dhcp
            || SERVICES.contains(&peer)
            || is_tcp && port == 1688 && ACTIVATION.contains(&peer)
            || (is_udp || is_tcp) && port == 53 && self.is_resolver(order, peer)
            || order.rules.subnet_cidrs.iter().any(|subnet| after(subnet, 1) == Some(peer))
    }

    fn is_resolver(&self, order: &InterfaceOrder, peer: IpAddr) -> bool {
        RESOLVERS.contains(&peer)
            || self.resolvers.contains(&peer)
            || order.vpc_cidrs.iter().any(|vpc| after(vpc, 2) == Some(peer))
    }
}

/// The address so many behind the first one of an IPv4 block.
fn after(block: &IpNet, offset: u32) -> Option<IpAddr> {
    match block {
        IpNet::V4(block) => Some(Ipv4Addr::from(u32::from(block.network()).checked_add(offset)?).into()),
        IpNet::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_types::id::{EniId, SubnetId, VpcId};
    use weir_types::net::Action;
    use weir_types::orders::{Attachment, Side};
    use weir_types::rule::InterfaceRules;
    use weir_types::time::UnixMillis;

    fn order(mode: Mode) -> InterfaceOrder {
        InterfaceOrder {
            attachment: Attachment {
                interface: EniId::from_random(1),
                device: "eth0".into(),
                netns: None,
                mode,
                side: Side::Instance,
            },
            account: "123456789012".into(),
            region: "us-east-1".into(),
            az_id: "use1-az1".into(),
            vpc: VpcId::from_random(1),
            vpc_cidrs: vec!["10.0.0.0/16".parse().unwrap(), "fd12::/56".parse().unwrap()],
            subnet: SubnetId::from_random(1),
            instance: None,
            primary_ipv4: None,
            ipv4: vec![],
            ipv6: vec![],
            rules: InterfaceRules {
                subnet_cidrs: vec!["10.0.1.0/24".parse().unwrap()],
                ..InterfaceRules::default()
            },
        }
    }

    fn flow(peer: &str, protocol: Protocol, own_port: u16, port: u16) -> FlowSample {
        FlowSample {
            src: "10.0.1.10".parse().unwrap(),
            dst: peer.parse().unwrap(),
            src_port: own_port,
            dst_port: port,
            protocol,
            direction: Direction::Egress,
            action: Action::Accept,
            packets: 1,
            bytes: 60,
            first: UnixMillis(0),
            last: UnixMillis(0),
            tcp_flags: 0,
            decision: Default::default(),
        }
    }

    #[test]
    fn what_aws_never_records_is_left_out_both_ways() {
        use Protocol as P;
        let excluded = Excluded { nothing: false, resolvers: vec!["192.0.2.53".parse().unwrap()] };
        for (peer, protocol, own_port, port, expected) in [
            ("169.254.169.254", P::TCP, 40_000, 80, true),
            ("fd00:ec2::254", P::TCP, 40_000, 80, true),
            ("169.254.169.123", P::UDP, 123, 123, true),
            ("169.254.169.253", P::UDP, 40_000, 53, true),
            ("169.254.169.253", P::UDP, 40_000, 54, false),
            ("10.0.0.2", P::TCP, 40_000, 53, true),
            ("10.0.0.2", P::TCP, 40_000, 443, false),
            ("192.0.2.53", P::UDP, 40_000, 53, true),
            ("192.0.2.54", P::UDP, 40_000, 53, false),
            ("255.255.255.255", P::UDP, 68, 67, true),
            ("10.0.1.99", P::UDP, 67, 68, true),
            ("ff02::1:2", P::UDP, 546, 547, true),
            ("10.0.1.99", P::TCP, 68, 67, false),
            ("169.254.169.250", P::TCP, 40_000, 1688, true),
            ("169.254.169.250", P::UDP, 40_000, 1688, false),
            ("10.0.1.1", P::ICMP, 0, 0, true),
            ("10.0.2.1", P::ICMP, 0, 0, false),
            ("203.0.113.12", P::UDP, 40_000, 53, false),
        ] {
            let sent = flow(peer, protocol, own_port, port);
            let came = FlowSample {
                src: sent.dst,
                dst: sent.src,
                src_port: port,
                dst_port: own_port,
                direction: Direction::Ingress,
                ..sent
            };
            for flow in [sent, came] {
                assert_eq!(excluded.holds(&order(Mode::Enforce), &flow), expected, "{flow:?}");
                assert!(!excluded.holds(&order(Mode::Observe), &flow), "{flow:?}");
                assert!(!Excluded { nothing: true, ..excluded.clone() }.holds(&order(Mode::Enforce), &flow));
            }
        }
    }
}
