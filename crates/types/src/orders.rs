//! Orders: what one host must capture, enforce and record. The control plane
//! writes them, an agent obeys them; they are complete, so that an agent needs
//! nothing but the newest.

use crate::arn::Arn;
use crate::flow_log::{FileFormat, TrafficType};
use crate::id::{EniId, FlowLogId, InstanceId, SubnetId, VpcId};
use crate::net::IpNet;
use crate::rule::InterfaceRules;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Everything one host has to do. `generation` grows with each change of the
/// control plane's state; an agent that applied generation N enforces every
/// change up to N.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Orders {
    pub generation: u64,
    pub interfaces: Vec<InterfaceOrder>,
    pub flow_logs: Vec<FlowLogOrder>,
    /// All interfaces of the VPCs of `interfaces`, for `next-hop-…`; empty if
    /// no flow log has such a field.
    #[serde(default)]
    pub neighbors: BTreeMap<VpcId, Vec<Neighbor>>,
    /// Tags of `interfaces` and their instances by id and key; empty if no flow
    /// log has a tag field.
    #[serde(default)]
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}

/// A network interface of a VPC, on this host or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbor {
    pub interface: EniId,
    pub subnet: SubnetId,
    pub az_id: String,
    pub addresses: Vec<IpAddr>,
}

/// One attached network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceOrder {
    pub attachment: Attachment,
    pub account: String,
    pub region: String,
    /// `use1-az1`
    pub az_id: String,
    pub vpc: VpcId,
    /// The blocks of the VPC, for `traffic-path`.
    pub vpc_cidrs: Vec<IpNet>,
    pub subnet: SubnetId,
    pub instance: Option<InstanceId>,
    pub primary_ipv4: Option<Ipv4Addr>,
    /// All IPv4 addresses, the primary one first.
    pub ipv4: Vec<Ipv4Addr>,
    pub ipv6: Vec<Ipv6Addr>,
    pub rules: InterfaceRules,
}

/// One active flow log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLogOrder {
    pub id: FlowLogId,
    pub account: String,
    pub region: String,
    pub traffic_type: TrafficType,
    /// The LogFormat text, default or custom.
    pub log_format: String,
    pub destination: Destination,
    /// Seconds: 60 or 600. The agent's own interval may be shorter.
    pub max_aggregation_interval_s: u32,
    /// The id of the VPC, subnet or network interface that it was made for.
    pub resource: String,
    /// Keys of `instance-tag` and `instance-tag-2`.
    #[serde(default)]
    pub instance_tag_keys: Vec<String>,
    /// Keys of `interface-tag` and `interface-tag-2`.
    #[serde(default)]
    pub interface_tag_keys: Vec<String>,
}

impl FlowLogOrder {
    /// Whether records show tags.
    pub fn has_tag_fields(&self) -> bool {
        !self.instance_tag_keys.is_empty() || !self.interface_tag_keys.is_empty()
    }

    /// Whether an interface is the flow log's resource, or lies in it.
    pub fn covers(&self, interface: &InterfaceOrder) -> bool {
        let InterfaceOrder { attachment, vpc, subnet, account, region, .. } = interface;
        let ids = [attachment.interface.as_str(), subnet.as_str(), vpc.as_str()];
        (account, region) == (&self.account, &self.region) && ids.contains(&self.resource.as_str())
    }
}

/// Where a flow log's records go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Destination {
    CloudWatchLogs {
        log_group: String,
        role: Arn,
    },
    S3 {
        bucket: String,
        /// The folder in it: empty, or ending with a slash.
        prefix: String,
        file_format: FileFormat,
        hive_compatible_partitions: bool,
        per_hour_partition: bool,
    },
    KinesisDataFirehose {
        stream: Arn,
        /// Assumed one after the other; the last one writes.
        roles: Vec<Arn>,
    },
}

/// A network interface of the VPC on a device of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub interface: EniId,
    /// The device's name in its namespace: at most 15 bytes.
    pub device: String,
    /// The network namespace: a name as `ip netns` knows it, or an absolute
    /// path. `None` is the agent's own.
    pub netns: Option<String>,
    pub mode: Mode,
    pub side: Side,
}

/// Who decides ACCEPT or REJECT, and whether packets are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The host's own firewall decides; nothing is dropped by Weir.
    Observe,
    /// Weir's rules decide; nothing is dropped.
    Evaluate,
    /// Weir's rules decide, and rejected packets are dropped.
    Enforce,
}

/// Which end of the cable a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The instance's own end: the device's ingress is the interface's ingress.
    Instance,
    /// The host's end of a veth pair or tap: the device's ingress is the
    /// interface's egress.
    Host,
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),+) => {
        impl $type {
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("'{text}' is not one of {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}

words!(Mode: Observe = "observe", Evaluate = "evaluate", Enforce = "enforce");
words!(Side: Instance = "instance", Host = "host");
