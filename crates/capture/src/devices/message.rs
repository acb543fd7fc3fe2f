//! Messages of rtnetlink: the request for all devices or addresses of a
//! namespace, and what answers it. Nothing here trusts a length.
//!
//! Source: netlink(7), rtnetlink(7), linux/rtnetlink.h, linux/if_link.h.

use super::Device;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const RTM_GETLINK: u16 = 18;
pub(super) const RTM_GETADDR: u16 = 22;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
const DUMP: u16 = 0x301;
/// NLM_F_DUMP_INTR: something changed in the middle of the answer.
const INTERRUPTED: u16 = 0x10;
const HEADER: usize = 16;

const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_INFO_KIND: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// RTEXT_FILTER_SKIP_STATS: devices without their counters are a third as long.
const SKIP_STATS: u32 = 8;
const IFF_UP: u32 = 1;

/// The bits of an attribute's type that are no flags.
const TYPE: u16 = 0x3fff;

/// The request for everything of a kind.
pub(super) fn dump(kind: u16, sequence: u32) -> Vec<u8> {
    let mut body = match kind {
        // struct ifinfomsg, and one attribute.
        RTM_GETLINK => vec![0u8; 16],
        // struct ifaddrmsg
        _ => vec![0u8; 8],
    };
    if kind == RTM_GETLINK {
        body.extend(8u16.to_ne_bytes());
        body.extend(IFLA_EXT_MASK.to_ne_bytes());
        body.extend(SKIP_STATS.to_ne_bytes());
    }
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(DUMP.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend(0u32.to_ne_bytes());
    message.extend(body);
    message
}

/// How reading an answer goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    More,
    Done,
    /// It is over, but things may be missing: they changed meanwhile.
    Interrupted,
    /// The number of an error.
    Failed(i32),
}

/// What the answers so far say.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub devices: BTreeMap<u32, Device>,
    is_interrupted: bool,
}

/// Takes the devices and addresses out of a datagram.
pub(super) fn read(datagram: &[u8], sequence: u32, found: &mut Found) -> Answer {
    let mut rest = datagram;
    while let Some(length) = u32_at(rest, 0) {
        let Some(message) = rest.get(..length as usize).filter(|message| message.len() >= HEADER) else {
            break;
        };
        let (kind, of) = (u16_at(message, 4).unwrap_or(0), u32_at(message, 8));
        let body = message.get(HEADER..).unwrap_or_default();
        let is_answer = of == Some(sequence);
        found.is_interrupted |= is_answer && u16_at(message, 6).unwrap_or(0) & INTERRUPTED != 0;
        match kind {
            _ if !is_answer => {}
            NLMSG_DONE if found.is_interrupted => return Answer::Interrupted,
            NLMSG_DONE => return Answer::Done,
            NLMSG_ERROR => return Answer::Failed(u32_at(body, 0).unwrap_or(0).cast_signed().wrapping_neg()),
            RTM_NEWLINK => link(body, &mut found.devices),
            RTM_NEWADDR => address(body, &mut found.devices),
            _ => {}
        }
        rest = rest.get(aligned(length as usize)..).unwrap_or_default();
    }
    Answer::More
}

fn link(body: &[u8], devices: &mut BTreeMap<u32, Device>) {
    let (Some(link_type), Some(index), Some(flags)) = (u16_at(body, 2), u32_at(body, 4), u32_at(body, 8))
    else {
        return;
    };
    let mut device = Device { index, link_type, up: flags & IFF_UP != 0, ..Device::default() };
    for (kind, value) in attributes(body.get(16..).unwrap_or_default()) {
        match kind {
            IFLA_IFNAME => device.name = text(value),
            IFLA_MASTER => device.master = u32_at(value, 0),
            IFLA_LINKINFO => {
                let info = attributes(value).find(|(kind, _)| *kind == IFLA_INFO_KIND);
                device.kind = info.map(|(_, value)| text(value)).unwrap_or_default();
            }
            _ => {}
        }
    }
    if !device.name.is_empty() {
        devices.insert(index, device);
    }
}

fn address(body: &[u8], devices: &mut BTreeMap<u32, Device>) {
    let (Some(&prefix), Some(index)) = (body.get(1), u32_at(body, 4)) else { return };
    let find = |wanted| attributes(body.get(8..).unwrap_or_default()).find(|(kind, _)| *kind == wanted);
    // On a point-to-point device IFA_ADDRESS is the other end's.
    let Some((_, value)) = find(IFA_LOCAL).or_else(|| find(IFA_ADDRESS)) else { return };
    let address: IpAddr = match (<[u8; 4]>::try_from(value), <[u8; 16]>::try_from(value)) {
        (Ok(v4), _) => Ipv4Addr::from(v4).into(),
        (_, Ok(v6)) => Ipv6Addr::from(v6).into(),
        _ => return,
    };
    if let Some(device) = devices.get_mut(&index) {
        device.addresses.push((address, prefix));
    }
}

/// The attributes in a message's tail, as far as they are whole.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (length, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
        let value = rest.get(4..length)?;
        rest = rest.get(aligned(length)..).unwrap_or_default();
        Some((kind & TYPE, value))
    })
}

fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn text(value: &[u8]) -> String {
    let end = value.iter().position(|&byte| byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(value.get(..end).unwrap_or_default()).into_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(aligned(bytes.len()), 0);
        bytes
    }

    fn message(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        flagged(kind, 2, sequence, body)
    }

    fn flagged(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        bytes
    }

    fn veth() -> Vec<u8> {
        let mut body = vec![0, 0];
        body.extend(1u16.to_ne_bytes());
        body.extend(7u32.to_ne_bytes());
        body.extend(IFF_UP.to_ne_bytes());
        body.extend([0; 4]);
        body.extend(attribute(IFLA_IFNAME, b"veth7\0"));
        body.extend(attribute(IFLA_MASTER, &3u32.to_ne_bytes()));
        body.extend(attribute(0x8000 | IFLA_LINKINFO, &attribute(IFLA_INFO_KIND, b"veth\0")));
        body
    }

    fn with_address() -> Vec<u8> {
        let mut body = vec![2, 24, 0, 0];
        body.extend(7u32.to_ne_bytes());
        body.extend(attribute(IFA_ADDRESS, &[10, 0, 0, 9]));
        body.extend(attribute(IFA_LOCAL, &[10, 0, 0, 1]));
        body
    }

    #[test]
    fn devices_and_their_addresses() {
        let mut datagram = message(RTM_NEWLINK, 5, &veth());
        datagram.extend(message(RTM_NEWADDR, 5, &with_address()));
        // Of somebody else's question.
        datagram.extend(message(NLMSG_DONE, 4, &[0; 4]));
        let mut found = Found::default();
        assert_eq!(read(&datagram, 5, &mut found), Answer::More);
        let expected = Device {
            index: 7,
            name: "veth7".to_owned(),
            kind: "veth".to_owned(),
            link_type: 1,
            up: true,
            master: Some(3),
            addresses: vec![([10, 0, 0, 1].into(), 24)],
        };
        assert_eq!(found.devices.into_values().collect::<Vec<_>>(), [expected]);
        let end = |kind, body: &[u8]| read(&message(kind, 5, body), 5, &mut Found::default());
        assert_eq!(end(NLMSG_DONE, &[0; 4]), Answer::Done);
        assert_eq!(end(NLMSG_ERROR, &(-1i32).to_ne_bytes()), Answer::Failed(1));
    }

    #[test]
    fn an_answer_in_which_something_changed_is_known_at_its_end() {
        let (plain, torn) = (2, 2 | INTERRUPTED);
        for (flags_of_link, sequence, flags_of_end, expected) in [
            (plain, 5, plain, Answer::Done),
            (torn, 5, plain, Answer::Interrupted),
            (plain, 5, torn, Answer::Interrupted),
            // Of somebody else's question.
            (torn, 4, plain, Answer::Done),
        ] {
            let mut found = Found::default();
            let datagram = flagged(RTM_NEWLINK, flags_of_link, sequence, &veth());
            assert_eq!(read(&datagram, 5, &mut found), Answer::More);
            assert_eq!(read(&flagged(NLMSG_DONE, flags_of_end, 5, &[0; 4]), 5, &mut found), expected);
        }
    }

    #[test]
    fn damage_anywhere_is_survived() {
        let mut whole = message(RTM_NEWLINK, 5, &veth());
        whole.extend(message(RTM_NEWADDR, 5, &with_address()));
        for at in 0..whole.len() {
            read(&whole[..at], 5, &mut Found::default());
            for value in [0, 1, 3, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                read(&damaged, 5, &mut Found::default());
            }
        }
    }
}
