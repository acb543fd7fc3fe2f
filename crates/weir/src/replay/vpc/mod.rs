//! Interfaces and their rules from files in the shapes that `aws ec2
//! describe-*` prints, from AWS or from Weir: whoever has a VPC has them
//! already, and a VPC on paper is written in a few lines of the same.
//!
//! ```text
//! describe-network-interfaces  NetworkInterfaces   the interfaces: needed
//! describe-security-groups     SecurityGroups      their groups' rules
//! describe-network-acls        NetworkAcls         their subnets' ACLs; none: everything passes
//! describe-subnets             Subnets             blocks inside which the ACL does not apply
//! describe-vpcs                Vpcs                blocks, for the field traffic-path
//! describe-prefix-lists        PrefixLists         blocks that rules name
//! ```
//!
//! Any number of files, each with any of these keys. Keys that are not needed
//! may be left out.

mod rules;
mod shapes;

use anyhow::{Context, Result, anyhow, bail};
use rules::Resolver;
use shapes::{Document, Interface};
use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use weir_flow::decision::RuleNames;
use weir_flow::record::InterfaceFacts;
use weir_policy::CompiledRules;
use weir_replay::Ruled;
use weir_types::id::EniId;

/// Reads the files as one document and resolves it.
///
/// # Errors
/// A file that cannot be read or is of another shape, a reference to what no
/// file has, an address that two interfaces have.
pub fn read(paths: &[impl AsRef<Path>], account: &str, region: &str) -> Result<Vec<Ruled>> {
    let mut document = Document::default();
    for path in paths {
        let path = path.as_ref();
        let named = || path.display().to_string();
        let text = std::fs::read_to_string(path).context("cannot be read").with_context(named)?;
        document.add(
            serde_json::from_str(&text)
                .context("is not what 'aws ec2 describe-…' prints")
                .with_context(named)?,
        );
    }
    resolve(&document, account, region)
}

fn resolve(document: &Document, account: &str, region: &str) -> Result<Vec<Ruled>> {
    if document.network_interfaces.is_empty() {
        bail!("there is no network interface: give the output of 'aws ec2 describe-network-interfaces' too");
    }
    let resolver = Resolver::new(document);
    let mut taken: HashSet<IpAddr> = HashSet::new();
    let mut all = Vec::new();
    for interface in &document.network_interfaces {
        let id = &interface.network_interface_id;
        let ruled = ruled(interface, &resolver, account, region).with_context(|| id.clone())?;
        if let Some(twice) = ruled.addresses.iter().find(|address| !taken.insert(**address)) {
            bail!("{id} and another interface both have the address {twice}");
        }
        all.push(ruled);
    }
    Ok(all)
}

fn ruled(interface: &Interface, resolver: &Resolver<'_>, account: &str, region: &str) -> Result<Ruled> {
    let id: EniId = interface.network_interface_id.parse()?;
    let addresses = interface.addresses()?;
    if addresses.is_empty() {
        return Err(anyhow!("it has no address (PrivateIpAddress)"));
    }
    let owner = interface.owner_id.as_deref().unwrap_or(account);
    let mut facts = InterfaceFacts::new(owner, region, id);
    facts.vpc = interface.vpc_id.as_deref().map(str::parse).transpose()?;
    facts.subnet = interface.subnet_id.as_deref().map(str::parse).transpose()?;
    facts.instance = interface.instance()?;
    facts.az_id = interface.availability_zone_id.clone();
    facts.primary_ipv4 = interface.primary_ipv4()?;
    facts.vpc_cidrs = resolver.vpc_cidrs(interface)?;
    let rules = resolver.rules(interface)?;
    facts.rules = RuleNames::of(&rules);
    let rules = CompiledRules::compile(&rules)?;
    Ok(Ruled { facts, addresses, rules })
}

#[cfg(test)]
mod tests;
