//! A record: what is known about one flow in one window, before anybody has
//! said which of it he wants to read.
//!
//! A [`Record`] is a view of the interface's facts and of one sample; fields
//! are computed when a format asks for them (`crate::field`). What a host
//! cannot know (the service of an ECS task) is null.
//!
//! Source of the address rules: VPC user guide, "Flow log records", and the
//! examples "Traffic through a NAT gateway" and "... a transit gateway".

use crate::decision::RuleNames;
use crate::sample::FlowSample;
use crate::surroundings::{NextHop, Surroundings, Task};
use crate::value::Value;
use std::net::{IpAddr, Ipv4Addr};
use weir_types::flow_log::TrafficType;
use weir_types::id::{EniId, InstanceId, SubnetId, VpcId};
use weir_types::net::{Direction, IpNet, Protocol};
use weir_types::orders::InterfaceOrder;
use weir_types::time::UnixMillis;

/// What is known about a network interface apart from its traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceFacts {
    /// The owner of the interface: twelve digits.
    pub account: String,
    pub region: String,
    pub interface: EniId,
    /// `use1-az1`, the id of the zone and not its name.
    pub az_id: Option<String>,
    pub vpc: Option<VpcId>,
    pub subnet: Option<SubnetId>,
    pub instance: Option<InstanceId>,
    /// Stands in `srcaddr` or `dstaddr` for whatever IPv4 address the local
    /// side of a packet has.
    pub primary_ipv4: Option<Ipv4Addr>,
    /// The blocks of the VPC. Empty means unknown, and `traffic-path` is null.
    pub vpc_cidrs: Vec<IpNet>,
    /// The names of rules that decide its packets, or did.
    pub rules: RuleNames,
    /// Its tags, its neighbors and AWS's ranges, where they are known.
    pub around: Surroundings,
}

impl InterfaceFacts {
    /// An interface of which only the three names are known.
    pub fn new(account: impl Into<String>, region: impl Into<String>, interface: EniId) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
            interface,
            az_id: None,
            vpc: None,
            subnet: None,
            instance: None,
            primary_ipv4: None,
            vpc_cidrs: Vec::new(),
            rules: RuleNames::default(),
            around: Surroundings::default(),
        }
    }
}

impl From<&InterfaceOrder> for InterfaceFacts {
    fn from(order: &InterfaceOrder) -> Self {
        Self {
            account: order.account.clone(),
            region: order.region.clone(),
            interface: order.attachment.interface.clone(),
            az_id: Some(order.az_id.clone()).filter(|id| !id.is_empty()),
            vpc: Some(order.vpc.clone()),
            subnet: Some(order.subnet.clone()),
            instance: order.instance.clone(),
            primary_ipv4: order.primary_ipv4,
            vpc_cidrs: order.vpc_cidrs.clone(),
            rules: RuleNames::default(),
            around: Surroundings::default(),
        }
    }
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// One flow: log-status `OK`.
    Flow(&'a FlowSample),
    /// The interface had no traffic in the window.
    NoData,
    /// Traffic of the window is in no record: so many packets with so many
    /// bytes, of about so many flows, or zeros if that is not known.
    SkipData { packets: u64, bytes: u64, flows: u64 },
}

/// The `log-status` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogStatus {
    Ok,
    NoData,
    SkipData,
}

impl LogStatus {
    /// `OK`, `NODATA` or `SKIPDATA`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NoData => "NODATA",
            Self::SkipData => "SKIPDATA",
        }
    }
}

/// One flow log record, in no format yet.
///
/// Invariant: `start_s <= end_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub facts: &'a InterfaceFacts,
    pub body: Body<'a>,
    /// The first packet of the flow in the window; the window's own start
    /// where there is no flow. Unix seconds.
    pub start_s: i64,
    /// The last packet, or the window's end. Unix seconds.
    pub end_s: i64,
}

impl<'a> Record<'a> {
    /// A record of one flow, from its first to its last packet.
    pub fn of_flow(facts: &'a InterfaceFacts, sample: &'a FlowSample) -> Self {
        let start_s = sample.first.seconds();
        Self { facts, body: Body::Flow(sample), start_s, end_s: sample.last.seconds().max(start_s) }
    }

    pub fn log_status(&self) -> LogStatus {
        match self.body {
            Body::Flow(_) => LogStatus::Ok,
            Body::NoData => LogStatus::NoData,
            Body::SkipData { .. } => LogStatus::SkipData,
        }
    }

    /// The timestamp of the record as a log event: `start`.
    pub fn timestamp(&self) -> UnixMillis {
        UnixMillis::from_seconds(self.start_s)
    }

    /// Whether a flow log of this traffic type has the record. NODATA and
    /// SKIPDATA speak of the interface, not of an action: every flow log has them.
    pub fn is_wanted_by(&self, traffic_type: TrafficType) -> bool {
        match self.body {
            Body::Flow(sample) => traffic_type.wants(sample.action),
            Body::NoData | Body::SkipData { .. } => true,
        }
    }

    /// `value` of the record's flow; null when it has none.
    pub(crate) fn flow(&self, value: impl FnOnce(&'a FlowSample) -> Value<'a>) -> Value<'a> {
        match self.body {
            Body::Flow(sample) => value(sample),
            Body::NoData | Body::SkipData { .. } => Value::Null,
        }
    }

    /// A number about what a SKIPDATA record stands for, from its packets, bytes
    /// and flows; null where it is not known.
    pub(crate) fn skipped(&self, number: impl FnOnce(u64, u64, u64) -> u64) -> Value<'a> {
        match self.body {
            Body::SkipData { packets, bytes, flows } => match number(packets, bytes, flows) {
                0 => Value::Null,
                known => Value::count(known),
            },
            _ => Value::Null,
        }
    }

    /// `srcaddr`: on egress the local side, which shows the primary address.
    pub(crate) fn src_addr(&self) -> Value<'a> {
        self.flow(|sample| self.address(sample.src, sample.direction == Direction::Egress))
    }

    /// `dstaddr`: on ingress the local side.
    pub(crate) fn dst_addr(&self) -> Value<'a> {
        self.flow(|sample| self.address(sample.dst, sample.direction == Direction::Ingress))
    }

    /// The primary IPv4 address stands for every IPv4 address of the local
    /// side, own or foreign (a router's, a pod's); IPv6 stays as in the packet.
    fn address(&self, in_packet: IpAddr, is_local: bool) -> Value<'a> {
        Value::Ip(match self.facts.primary_ipv4 {
            Some(primary) if is_local && in_packet.is_ipv4() => IpAddr::V4(primary),
            _ => in_packet,
        })
    }

    /// FIN 1, SYN 2, RST 4, SYN-ACK 18, OR-ed; null for what no packets add up
    /// to, such as the ACK half of a SYN-ACK alone.
    pub(crate) fn tcp_flags(&self) -> Value<'a> {
        const SYN: u8 = 2;
        const ACK: u8 = 16;
        self.flow(|sample| match sample.tcp_flags {
            _ if sample.protocol != Protocol::TCP => Value::Int(0),
            flags if flags & !0b1_0111 != 0 || flags & (SYN | ACK) == ACK => Value::Null,
            flags => Value::Int(flags.into()),
        })
    }

    /// `IPv4` or `IPv6`.
    pub(crate) fn ip_type(&self) -> Value<'a> {
        self.flow(|sample| Value::Text(if sample.src.is_ipv4() { "IPv4" } else { "IPv6" }))
    }

    /// `value` of the interface that the flow goes to (egress) or comes from
    /// (ingress); null when it is none of the VPC's.
    pub(crate) fn next_hop(&self, value: impl FnOnce(&'a NextHop) -> &'a str) -> Value<'a> {
        let neighbors = &self.facts.around.neighbors;
        self.flow(|sample| {
            let other = if sample.direction == Direction::Egress { sample.dst } else { sample.src };
            Value::text(neighbors.of(other).map(value))
        })
    }

    /// Part of what is known of the ECS task that has the interface's namespace.
    pub(crate) fn task(&self, part: impl FnOnce(&'a Task) -> &'a str) -> Value<'a> {
        let task = self.facts.around.task.as_deref();
        self.flow(|_| Value::text(task.map(part)))
    }

    /// The AWS service of an address of the flow; null when it is none.
    pub(crate) fn aws_service(&self, address: impl FnOnce(&FlowSample) -> IpAddr) -> Value<'a> {
        let aws = &self.facts.around.aws;
        self.flow(|sample| Value::text(aws.service(address(sample))))
    }

    /// Egress inside the VPC is 1; all else leaves by the internet gateway, 8,
    /// the only way out that a VPC of Weir has.
    pub(crate) fn traffic_path(&self) -> Value<'a> {
        let cidrs = &self.facts.vpc_cidrs;
        self.flow(|sample| match sample.direction {
            Direction::Ingress => Value::Null,
            Direction::Egress if cidrs.is_empty() => Value::Null,
            Direction::Egress if cidrs.iter().any(|cidr| cidr.contains(&sample.dst)) => Value::Int(1),
            Direction::Egress => Value::Int(8),
        })
    }
}
