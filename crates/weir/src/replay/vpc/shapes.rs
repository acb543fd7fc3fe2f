//! The parts of EC2's responses that rules are made of, in the JSON of the AWS
//! CLI. Source: the output shapes of Amazon EC2's API reference.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr};
use weir_types::id::InstanceId;

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub(super) struct $name { $($(#[$attribute])* pub $field: $type),* }
    )*};
}

shapes! {
    /// What all files say together.
    Document {
        network_interfaces: Vec<Interface>,
        security_groups: Vec<Group>,
        network_acls: Vec<Acl>,
        subnets: Vec<Subnet>,
        vpcs: Vec<Vpc>,
        prefix_lists: Vec<PrefixList>,
    }

    Interface {
        network_interface_id: String,
        owner_id: Option<String>,
        private_ip_address: Option<String>,
        private_ip_addresses: Vec<PrivateAddress>,
        #[serde(rename = "Ipv6Addresses")]
        ipv6_addresses: Vec<Ipv6Address>,
        /// Left out: the interface has no groups that limit it.
        groups: Option<Vec<GroupName>>,
        subnet_id: Option<String>,
        vpc_id: Option<String>,
        availability_zone_id: Option<String>,
        attachment: Attachment,
    }

    PrivateAddress { private_ip_address: String }
    Ipv6Address { #[serde(rename = "Ipv6Address")] ipv6_address: String }
    GroupName { group_id: String }
    Attachment { instance_id: Option<String> }

    Group {
        group_id: String,
        ip_permissions: Vec<Permission>,
        ip_permissions_egress: Vec<Permission>,
    }

    Permission {
        ip_protocol: String,
        from_port: Option<i32>,
        to_port: Option<i32>,
        ip_ranges: Vec<IpRange>,
        #[serde(rename = "Ipv6Ranges")]
        ipv6_ranges: Vec<Ipv6Range>,
        user_id_group_pairs: Vec<GroupName>,
        prefix_list_ids: Vec<PrefixListName>,
    }

    IpRange { cidr_ip: String }
    Ipv6Range { #[serde(rename = "CidrIpv6")] cidr_ipv6: String }
    PrefixListName { prefix_list_id: String }
    PrefixList { prefix_list_id: String, cidrs: Vec<String> }

    Acl {
        network_acl_id: String,
        vpc_id: Option<String>,
        is_default: bool,
        associations: Vec<Association>,
        entries: Vec<Entry>,
    }

    Association { subnet_id: String }

    Entry {
        cidr_block: Option<String>,
        #[serde(rename = "Ipv6CidrBlock")]
        ipv6_cidr_block: Option<String>,
        egress: bool,
        protocol: String,
        rule_action: String,
        rule_number: u32,
        port_range: Option<PortRange>,
        icmp_type_code: Option<IcmpTypeCode>,
    }

    PortRange { from: i32, to: i32 }
    IcmpTypeCode { code: i32, r#type: i32 }

    Subnet {
        subnet_id: String,
        cidr_block: Option<String>,
        #[serde(rename = "Ipv6CidrBlockAssociationSet")]
        ipv6_cidr_block_association_set: Vec<Ipv6Block>,
    }

    Vpc {
        vpc_id: String,
        cidr_block: Option<String>,
        cidr_block_association_set: Vec<Block>,
        #[serde(rename = "Ipv6CidrBlockAssociationSet")]
        ipv6_cidr_block_association_set: Vec<Ipv6Block>,
    }

    Block { cidr_block: String }
    Ipv6Block { #[serde(rename = "Ipv6CidrBlock")] ipv6_cidr_block: String }
}

impl Document {
    pub(super) fn add(&mut self, more: Self) {
        self.network_interfaces.extend(more.network_interfaces);
        self.security_groups.extend(more.security_groups);
        self.network_acls.extend(more.network_acls);
        self.subnets.extend(more.subnets);
        self.vpcs.extend(more.vpcs);
        self.prefix_lists.extend(more.prefix_lists);
    }
}

impl Interface {
    /// All addresses, the primary one first, each once.
    pub(super) fn addresses(&self) -> Result<Vec<IpAddr>> {
        let secondary = self.private_ip_addresses.iter().map(|address| &address.private_ip_address);
        let v6 = self.ipv6_addresses.iter().map(|address| &address.ipv6_address);
        let mut addresses: Vec<IpAddr> = Vec::new();
        for text in self.private_ip_address.iter().chain(secondary).chain(v6) {
            let address = text.parse().with_context(|| format!("'{text}' is not an address"))?;
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    pub(super) fn primary_ipv4(&self) -> Result<Option<Ipv4Addr>> {
        Ok(self.addresses()?.into_iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }))
    }

    pub(super) fn instance(&self) -> Result<Option<InstanceId>> {
        Ok(self.attachment.instance_id.as_deref().map(str::parse).transpose()?)
    }
}
