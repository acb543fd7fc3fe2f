//! The other ends of an interface's packets: interfaces of its own VPC
//! (`next-hop-…`) and the public ranges of AWS's services (`pkt-…-aws-service`).
//!
//! Source: VPC user guide, "Flow log records", versions 5 and 11; "AWS IP
//! address ranges".

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use weir_types::id::{EniId, SubnetId, VpcId};
use weir_types::net::IpNet;

/// What is known around a network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// Of its VPC.
    pub neighbors: Arc<Neighbors>,
    pub aws: Arc<AwsRanges>,
    pub tags: TagValues,
    /// Whose containers have its network namespace.
    pub task: Option<Arc<Task>>,
}

/// Containers that share a network namespace, and the ECS task that they are, if
/// they are one. What is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    pub cluster_arn: String,
    pub cluster_name: String,
    /// The container that started first.
    pub container_id: String,
    pub second_container_id: String,
    pub task_definition_arn: String,
    pub task_arn: String,
    pub task_id: String,
}

/// Values of the tags that a flow log's TagFieldSpecification names: of the
/// first and the second key. They are written as they stand here, so they are
/// percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagValues {
    pub instance: [Option<String>; 2],
    pub interface: [Option<String>; 2],
}

/// The network interface at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextHop {
    pub interface: EniId,
    pub vpc: VpcId,
    pub subnet: SubnetId,
    /// `use1-az1`
    pub az_id: String,
}

/// The interfaces of one VPC by their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Neighbors(HashMap<IpAddr, NextHop>);

impl Neighbors {
    pub fn of(&self, address: IpAddr) -> Option<&NextHop> {
        self.0.get(&address)
    }
}

impl FromIterator<(IpAddr, NextHop)> for Neighbors {
    fn from_iter<I: IntoIterator<Item = (IpAddr, NextHop)>>(interfaces: I) -> Self {
        Self(interfaces.into_iter().collect())
    }
}

/// Which AWS service an address belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AwsRanges {
    /// By length of the prefix, for both families. Of one prefix the narrowest
    /// service: `AMAZON` holds every other one's addresses.
    by_length: BTreeMap<u8, HashMap<IpNet, String>>,
}

const EVERYTHING: &str = "AMAZON";

impl AwsRanges {
    /// The service with the longest prefix around the address; `AMAZON` only if
    /// there is no other.
    pub fn service(&self, address: IpAddr) -> Option<&str> {
        let mut found = None;
        for (&length, ranges) in self.by_length.iter().rev() {
            let Ok(around) = IpNet::new(address, length) else { continue };
            match ranges.get(&around.trunc()).map(String::as_str) {
                Some(EVERYTHING) => found = Some(EVERYTHING),
                Some(service) => return Some(service),
                None => {}
            }
        }
        found
    }
}

impl FromIterator<(IpNet, String)> for AwsRanges {
    fn from_iter<I: IntoIterator<Item = (IpNet, String)>>(ranges: I) -> Self {
        /// Ranges of these are often listed again under a service that uses them.
        fn is_wide(service: &str) -> u8 {
            match service {
                EVERYTHING => 2,
                "EC2" => 1,
                _ => 0,
            }
        }
        let mut by_length: BTreeMap<u8, HashMap<IpNet, String>> = BTreeMap::new();
        for (range, service) in ranges {
            let of_length = by_length.entry(range.prefix_len()).or_default();
            let known = of_length.entry(range.trunc()).or_insert_with(|| service.clone());
            if is_wide(&service) < is_wide(known) {
                *known = service;
            }
        }
        Self { by_length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_service_is_the_address_s() {
        let listed = [
            ("52.216.0.0/15", "AMAZON"),
            ("52.216.0.0/15", "S3"),
            ("3.0.0.0/8", "AMAZON"),
            ("3.4.0.0/16", "EC2"),
            ("3.4.12.0/24", "AMAZON"),
            ("3.4.16.0/29", "EC2_INSTANCE_CONNECT"),
            ("3.4.16.0/29", "EC2"),
            ("2600:9000::/28", "CLOUDFRONT"),
        ];
        let ranges = listed.map(|(range, service)| (range.parse().unwrap(), service.to_owned()));
        let ranges: AwsRanges = ranges.into_iter().collect();
        for (address, service) in [
            ("52.217.255.255", Some("S3")),
            ("52.218.0.0", None),
            ("3.255.0.1", Some("AMAZON")),
            ("3.4.12.1", Some("EC2")),
            ("3.4.16.7", Some("EC2_INSTANCE_CONNECT")),
            ("2600:900f::1", Some("CLOUDFRONT")),
            ("2600:9010::1", None),
            ("10.0.0.1", None),
        ] {
            assert_eq!(ranges.service(address.parse().unwrap()), service, "{address}");
        }
        assert_eq!(AwsRanges::default().service("3.4.16.7".parse().unwrap()), None);
    }
}
