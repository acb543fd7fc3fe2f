//! Forgetting connections: those that fell silent, to make room, and all of an
//! interface that is detached.
//!
//! A packet treats an entry that has expired as absent, so verdicts do not
//! depend on when this runs.

use crate::InterfaceNumber;
use crate::abi::{self, bytes_of, bytes_of_mut, flag};
use crate::error::CaptureError;
use crate::object::Maps;
use crate::sys::clock;
use crate::sys::map::{ANY, NOEXIST};
use std::collections::BTreeMap;
use std::io;
use weir_policy::tracking::{
    ICMP_TIMEOUT_NS, OTHER_TIMEOUT_NS, TCP_CLOSED_TIMEOUT_NS, TCP_CLOSING_TIMEOUT_NS,
    TCP_ESTABLISHED_TIMEOUT_NS, TCP_NEW_TIMEOUT_NS, UDP_STREAM_TIMEOUT_NS, UDP_TIMEOUT_NS,
};
use weir_types::net::Protocol;

/// What one [`crate::Capture::sweep`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Connections that stay.
    pub live: usize,
    /// Connections that were forgotten.
    pub removed: usize,
}

pub(crate) fn sweep(maps: &Maps) -> Result<Swept, CaptureError> {
    sweep_at(maps, clock::monotonic_coarse_ns())
}

pub(crate) fn sweep_at(maps: &Maps, now_ns: u64) -> Result<Swept, CaptureError> {
    let doing = || CaptureError::doing("sweep the connection table");
    let (mut expired, mut swept) = (Vec::new(), Swept::default());
    let mut of_each: BTreeMap<u32, u64> = BTreeMap::new();
    maps.connections
        .for_each(|key, value| {
            let (key, connection): (abi::ConnectionKey, _) = (abi::read(key), abi::read(value));
            let of_interface = of_each.entry(key.interface).or_default();
            if is_expired(&key, &connection, now_ns) {
                expired.push(key);
            } else {
                swept.live += 1;
                *of_interface += 1;
            }
        })
        .map_err(doing())?;
    for key in expired {
        if remove_expired(maps, &key, now_ns).map_err(doing())? {
            swept.removed += 1;
        } else {
            swept.live += 1;
        }
    }
    recount(maps, of_each).map_err(doing())?;
    Ok(swept)
}

/// Sets how many connections the interfaces have. What begins or ends meanwhile
/// is missed: the next sweep sets it right.
fn recount(maps: &Maps, mut of_each: BTreeMap<u32, u64>) -> io::Result<()> {
    // Programs remove connections, too: an interface may have none left.
    maps.tracked.for_each(|key, value| {
        if abi::read::<u64>(value) != 0 {
            of_each.entry(abi::read(key)).or_default();
        }
    })?;
    let mut control = abi::Control::default();
    maps.control.lookup(&0u32.to_ne_bytes(), bytes_of_mut(&mut control))?;
    let own = u64::from(control.own_connections);
    let mut common = 0;
    for (number, count) in of_each {
        maps.tracked.update(&number.to_ne_bytes(), bytes_of(&count), ANY)?;
        common += count.saturating_sub(own);
    }
    maps.pools.update(&abi::POOL_CONNECTIONS.to_ne_bytes(), bytes_of(&common), ANY)
}

/// Removes an entry unless a packet has revived it since it was seen: then what
/// was taken out is put back, unless yet another packet was faster.
fn remove_expired(maps: &Maps, key: &abi::ConnectionKey, now_ns: u64) -> io::Result<bool> {
    let mut connection = abi::Connection::default();
    let map = &maps.connections;
    if map.lookup(bytes_of(key), bytes_of_mut(&mut connection))? && !is_expired(key, &connection, now_ns) {
        return Ok(false);
    }
    if !map.take(bytes_of(key), bytes_of_mut(&mut connection))? || is_expired(key, &connection, now_ns) {
        return Ok(true);
    }
    match map.update(bytes_of(key), bytes_of(&connection), NOEXIST) {
        Err(error) if error.raw_os_error() != Some(libc::EEXIST) => Err(error),
        _ => Ok(false),
    }
}

/// Forgets every connection of an interface that has no programs any more.
pub(crate) fn forget_interface(maps: &Maps, number: InterfaceNumber) -> Result<(), CaptureError> {
    let doing = || CaptureError::doing(format!("forget the connections of interface {number}"));
    let mut own = Vec::new();
    maps.connections
        .for_each(|key, _| {
            let key: abi::ConnectionKey = abi::read(key);
            if key.interface == number.0 {
                own.push(key);
            }
        })
        .map_err(doing())?;
    for key in own {
        maps.connections.delete(bytes_of(&key)).map_err(doing())?;
    }
    maps.tracked.update(&number.0.to_ne_bytes(), bytes_of(&0u64), ANY).map_err(doing())
}

fn is_expired(key: &abi::ConnectionKey, connection: &abi::Connection, now_ns: u64) -> bool {
    now_ns.saturating_sub(connection.last_seen_ns) > timeout_ns(Protocol(key.protocol), connection.flags)
}

fn timeout_ns(protocol: Protocol, flags: u32) -> u64 {
    // A flag that exists per direction: for egress it is the next bit.
    let either = |bit: u32| flags & (bit | bit << 1) != 0;
    let both = |bit: u32| flags & (bit | bit << 1) == (bit | bit << 1);
    match protocol {
        Protocol::TCP if flags & flag::CLOSED != 0 => TCP_CLOSED_TIMEOUT_NS,
        Protocol::TCP if either(flag::FIN) => TCP_CLOSING_TIMEOUT_NS,
        Protocol::TCP if both(flag::SEEN) => TCP_ESTABLISHED_TIMEOUT_NS,
        Protocol::TCP => TCP_NEW_TIMEOUT_NS,
        Protocol::UDP if flags & flag::STREAM != 0 => UDP_STREAM_TIMEOUT_NS,
        Protocol::UDP => UDP_TIMEOUT_NS,
        protocol if protocol.is_icmp() => ICMP_TIMEOUT_NS,
        _ => OTHER_TIMEOUT_NS,
    }
}
