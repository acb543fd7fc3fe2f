//! Regions and their availability zones.
//!
//! Any region that has the shape of one works; it is made, with its default
//! VPC, when it is first touched. Zones of AWS's own regions have AWS's names
//! and ids, every other region has three.
//!
//! Source: EC2 user guide, "Regions and Zones"; VPC user guide, "Default VPCs".

use crate::attachment;
use crate::error::{ControlError, Result};
use crate::interface_index;
use crate::random;
use crate::state::{Cx, Resource};
use crate::vpc;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weir_types::arn::partition_of;
use weir_types::id::{DhcpOptionsId, InstanceId};

/// A region that the account has touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    pub name: String,
    /// The DHCP options that its VPCs have.
    pub dhcp_options: DhcpOptionsId,
    /// Whether its interfaces have links and pools; before there were any, no.
    #[serde(default)]
    pub indexed: bool,
    /// What hosts are to EC2, once an interface was attached there.
    #[serde(default)]
    pub host_instances: BTreeMap<String, InstanceId>,
}

impl Resource for Region {
    const KIND: &'static str = "region";
    fn id(&self) -> &str {
        &self.name
    }
}

/// An availability zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// `us-east-1a`
    pub name: String,
    /// `use1-az1`, the same for every account.
    pub id: String,
}

/// Whether an account must ask for a region before it uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptIn {
    NotRequired,
    OptedIn,
    NotOptedIn,
}

impl OptIn {
    /// `opt-in-not-required` and so on, as in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRequired => "opt-in-not-required",
            Self::OptedIn => "opted-in",
            Self::NotOptedIn => "not-opted-in",
        }
    }
}

/// Regions that every account has.
const REGIONS: [&str; 21] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Regions that an account has once it asked for them.
const OPT_IN_REGIONS: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// Zones as letter of the name and number of the id, where they are not
/// a1, b2, c3.
const ZONES: [(&str, &[(char, u8)]); 6] = [
    ("ap-northeast-1", &[('a', 4), ('c', 1), ('d', 2)]),
    ("ap-northeast-2", &[('a', 1), ('b', 2), ('c', 3), ('d', 4)]),
    ("ca-central-1", &[('a', 1), ('b', 2), ('d', 4)]),
    ("us-east-1", &[('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5), ('f', 6)]),
    ("us-west-1", &[('a', 3), ('b', 1)]),
    ("us-west-2", &[('a', 1), ('b', 2), ('c', 3), ('d', 4)]),
];

/// The zones of a region, in the order of their names.
pub fn zones(region: &str) -> Vec<Zone> {
    let known = ZONES.iter().find(|(name, _)| *name == region);
    let plan = known.map_or([('a', 1), ('b', 2), ('c', 3)].as_slice(), |(_, plan)| plan);
    let prefix = zone_id_prefix(region);
    plan.iter()
        .map(|(letter, number)| Zone {
            name: format!("{region}{letter}"),
            id: format!("{prefix}-az{number}"),
        })
        .collect()
}

/// `use1` for `us-east-1`, `apse2` for `ap-southeast-2`, `usgw1` for
/// `us-gov-west-1`: the area whole, of directions their initials.
fn zone_id_prefix(region: &str) -> String {
    let mut parts = region.split('-');
    let mut prefix = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part {
            "northeast" => prefix.push_str("ne"),
            "northwest" => prefix.push_str("nw"),
            "southeast" => prefix.push_str("se"),
            "southwest" => prefix.push_str("sw"),
            number if number.starts_with(|c: char| c.is_ascii_digit()) => prefix.push_str(number),
            word => prefix.extend(word.chars().next()),
        }
    }
    prefix
}

/// Whether a text has the shape of a region's name: `us-east-1`.
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [area, middle @ .., number] = parts.as_slice() else { return false };
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.len() <= 2 && number.bytes().all(|b| b.is_ascii_digit());
    is_word(area) && !middle.is_empty() && middle.iter().all(is_word) && is_number && text.len() <= 32
}

/// Regions of the caller's partition in the order of names. A region that asks
/// for opt-in is opted in once it was touched; the caller's region always is.
pub fn list(cx: Cx<'_>) -> Result<Vec<(String, OptIn)>> {
    let here = cx.scope.region.as_str();
    let mut found: Vec<(String, OptIn)> = Vec::new();
    for name in REGIONS {
        found.push((name.to_owned(), OptIn::NotRequired));
    }
    for name in OPT_IN_REGIONS {
        let there = crate::Scope::new(cx.scope.account.clone(), name);
        let touched = name == here || cx.tx.get::<Region>(&there, name)?.is_some();
        found.push((name.to_owned(), if touched { OptIn::OptedIn } else { OptIn::NotOptedIn }));
    }
    if !found.iter().any(|(name, _)| name == here) {
        found.push((here.to_owned(), OptIn::NotRequired));
    }
    found.retain(|(name, _)| partition_of(name) == partition_of(here));
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

/// Makes the region with its default VPC if it was never touched. Every action
/// of EC2 begins with this.
///
/// Errors: `InvalidParameterValue` if the name is not one of a region.
pub fn ensure(cx: Cx<'_>) -> Result<Region> {
    let name = cx.scope.region.as_str();
    if let Some(mut region) = cx.tx.get::<Region>(cx.scope, name)? {
        if !region.indexed {
            region.indexed = true;
            cx.tx.put(cx.scope, &region)?;
            interface_index::rebuild(cx)?;
            attachment::rebuild(cx)?;
            return ensure(cx);
        }
        return Ok(region);
    }
    if !is_region(name) {
        return Err(ControlError::fault(
            "InvalidParameterValue",
            format!("Invalid region provided: [{name}]"),
        ));
    }
    let dhcp_options = DhcpOptionsId::from_random(random::bits()?);
    let region =
        Region { name: name.to_owned(), dhcp_options, indexed: true, host_instances: BTreeMap::new() };
    cx.tx.put(cx.scope, &region)?;
    vpc::create_default(cx, &region)?;
    Ok(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_names_and_ids_as_in_aws() {
        for (region, expected) in [
            (
                "us-east-1",
                "us-east-1a=use1-az1 us-east-1b=use1-az2 us-east-1c=use1-az3 us-east-1d=use1-az4 us-east-1e=use1-az5 us-east-1f=use1-az6",
            ),
            ("us-west-1", "us-west-1a=usw1-az3 us-west-1b=usw1-az1"),
            ("eu-central-1", "eu-central-1a=euc1-az1 eu-central-1b=euc1-az2 eu-central-1c=euc1-az3"),
            (
                "ap-southeast-2",
                "ap-southeast-2a=apse2-az1 ap-southeast-2b=apse2-az2 ap-southeast-2c=apse2-az3",
            ),
            (
                "ap-northeast-1",
                "ap-northeast-1a=apne1-az4 ap-northeast-1c=apne1-az1 ap-northeast-1d=apne1-az2",
            ),
            (
                "cn-northwest-1",
                "cn-northwest-1a=cnnw1-az1 cn-northwest-1b=cnnw1-az2 cn-northwest-1c=cnnw1-az3",
            ),
            ("us-gov-west-1", "us-gov-west-1a=usgw1-az1 us-gov-west-1b=usgw1-az2 us-gov-west-1c=usgw1-az3"),
            ("xx-home-7", "xx-home-7a=xxh7-az1 xx-home-7b=xxh7-az2 xx-home-7c=xxh7-az3"),
        ] {
            let found: Vec<String> =
                zones(region).into_iter().map(|zone| format!("{}={}", zone.name, zone.id)).collect();
            assert_eq!(found.join(" "), expected);
        }
    }

    #[test]
    fn names_of_regions() {
        for (text, expected) in [
            ("us-east-1", true),
            ("us-gov-west-1", true),
            ("xx-home-12", true),
            ("us-east-1a", false),
            ("us-east", false),
            ("us-1", false),
            ("aws-global", false),
            ("US-EAST-1", false),
            ("us--1", false),
            ("", false),
        ] {
            assert_eq!(is_region(text), expected, "{text}");
        }
        assert!(REGIONS.iter().chain(&OPT_IN_REGIONS).all(|name| is_region(name)));
    }
}
