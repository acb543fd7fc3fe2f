//! Rules into the kernel: `weir_policy::CompiledRules` to one inner map.
//!
//! ```text
//! chunk 0   header: where each list begins, in chunks
//! chunk 1.. ACL ingress | ACL egress | groups ingress | groups egress,
//!           each with its index behind it if it is longer than a chunk
//! ```
//!
//! Each list begins in a chunk of its own; the slots behind its last rule are
//! zero and match nothing. A map is filled before it is put in place
//! and never changed afterwards, so that no packet sees half of a change.

use crate::abi::{self, CHUNK, CHUNK_BYTES, bytes_of};
use crate::error::CaptureError;
use crate::index;
use crate::object::rules_map;
use crate::sys::map::{ANY, Map};
use weir_policy::{CompiledRules, Effect, Origin, RuleEntry};

/// Fills a new map with rules. Memory grows with the rules that exist: a
/// kilobyte for every sixteen, and up to three times as much for indexes.
pub(crate) fn build(rules: &CompiledRules) -> Result<Map, CaptureError> {
    let chunks = chunks_of(rules);
    let map = rules_map(chunks.len() as u32)?;
    for (index, chunk) in chunks.iter().enumerate() {
        map.update(&(index as u32).to_ne_bytes(), chunk, ANY)
            .map_err(CaptureError::doing("write rules into their map"))?;
    }
    Ok(map)
}

fn chunks_of(rules: &CompiledRules) -> Vec<[u8; CHUNK_BYTES]> {
    let lists = [&rules.ingress.acl, &rules.egress.acl, &rules.ingress.groups, &rules.egress.groups];
    let mut header = abi::Header::default();
    let mut chunks = vec![[0; CHUNK_BYTES]];
    for (place, list) in header.lists.iter_mut().zip(lists) {
        *place = abi::List {
            first: chunks.len() as u32,
            chunks: list.len().div_ceil(CHUNK) as u32,
            // Untracked entries stand first in their list.
            untracked: list.first().is_some_and(|entry| entry.untracked).into(),
            ..abi::List::default()
        };
        for part in list.chunks(CHUNK) {
            let mut chunk = [0; CHUNK_BYTES];
            for (slot, entry) in chunk.chunks_exact_mut(size_of::<abi::Rule>()).zip(part) {
                slot.copy_from_slice(bytes_of(&rule_of(entry, rules)));
            }
            chunks.push(chunk);
        }
        if list.len() > CHUNK {
            index::add(list, place, &mut chunks);
        }
    }
    if let Some(first) = chunks.first_mut() {
        first[..size_of::<abi::Header>()].copy_from_slice(bytes_of(&header));
    }
    chunks
}

fn rule_of(entry: &RuleEntry, rules: &CompiledRules) -> abi::Rule {
    let mut icmp = (0, 0);
    // A negative number is a wildcard.
    if let Ok(icmp_type) = u8::try_from(entry.icmp_type) {
        icmp = (u32::from(icmp_type) << 8, abi::ICMP_TYPE_MASK);
    }
    if let Ok(icmp_code) = u8::try_from(entry.icmp_code) {
        icmp = (icmp.0 | u32::from(icmp_code), icmp.1 | abi::ICMP_CODE_MASK);
    }
    abi::Rule {
        addr: entry.addr,
        mask: entry.mask,
        ports: abi::ports(entry.port_first, entry.port_last),
        what: abi::what(entry.family, if entry.any_protocol { 0 } else { entry.protocol }, icmp.0),
        what_mask: abi::what(u8::MAX, if entry.any_protocol { 0 } else { u8::MAX }, icmp.1),
        zero: [0; 3],
        verdict: match entry.effect {
            Effect::Deny => abi::VERDICT_DENY,
            Effect::Allow if entry.untracked => abi::VERDICT_UNTRACKED,
            Effect::Allow | Effect::AclSkip => abi::VERDICT_ALLOW,
        },
        number: rules.origins.get(entry.origin as usize).map_or(0, Origin::name_number),
    }
}
