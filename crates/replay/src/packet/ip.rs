//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers.

use super::{Family, Frame, Headers, Part, Unread};
use weir_types::net::Protocol;

const MAX_EXTENSIONS: usize = 8;

const HOP_BY_HOP: u8 = 0;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;

/// IPv4 addresses as `::ffff:a.b.c.d` (RFC 4291, section 2.5.5.2).
const MAPPED: u128 = 0xffff << 32;

/// Hop-by-hop, routing, fragment, authentication, destination, mobility, HIP, Shim6.
fn is_extension(next: u8) -> bool {
    matches!(next, HOP_BY_HOP | 43 | FRAGMENT | AUTHENTICATION | 60 | 135 | 139 | 140)
}

impl Headers {
    /// Reads the packet at `at`; `is_quoted`: one in an ICMP error, of which
    /// little need be there.
    #[inline]
    pub(super) fn read(frame: Frame<'_>, at: usize, family: Family, is_quoted: bool) -> Result<Self, Unread> {
        let mut headers = match family {
            Family::V4 => Self::read_v4(frame, at)?,
            Family::V6 => Self::read_v6(frame, at)?,
        };
        // Options or extensions that the frame does not hold.
        if !is_quoted && headers.transport > frame.wire_len {
            return Err(Unread::Malformed);
        }
        headers.read_transport(frame, is_quoted)?;
        Ok(headers)
    }

    fn new(family: Family, src: u128, dst: u128) -> Self {
        Self {
            src,
            dst,
            family,
            protocol: Protocol(0),
            src_port: 0,
            dst_port: 0,
            echo_id: 0,
            icmp_type: 0,
            icmp_code: 0,
            tcp_flags: 0,
            seq: 0,
            ack: 0,
            part: Part::Whole,
            fragment_id: 0,
            fragment_protocol: 0,
            is_absent: false,
            transport: 0,
            payload: 0,
            total_len: 0,
        }
    }

    #[inline]
    fn read_v4(frame: Frame<'_>, at: usize) -> Result<Self, Unread> {
        let header: &[u8; 20] = frame.load(at, 20)?;
        let header_len = usize::from(header[0] & 15) * 4;
        if header[0] >> 4 != 4 || header_len < 20 {
            return Err(Unread::Malformed);
        }
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let address = |at: usize| {
            let octets = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            MAPPED | u128::from(u32::from_be_bytes(octets))
        };
        let mut headers = Self::new(Family::V4, address(12), address(16));
        headers.total_len = word(2).into();
        if headers.total_len != 0 && headers.total_len < header_len {
            return Err(Unread::Malformed);
        }
        let fragment = word(6);
        if fragment & 0x1fff != 0 {
            headers.part = Part::LaterFragment;
        } else if fragment & 0x2000 != 0 {
            headers.part = Part::FirstFragment;
        }
        headers.fragment_id = word(4).into();
        headers.fragment_protocol = header[9];
        headers.protocol = Protocol(header[9]);
        headers.transport = at + header_len;
        Ok(headers)
    }

    fn read_v6(frame: Frame<'_>, at: usize) -> Result<Self, Unread> {
        let header: &[u8; 40] = frame.load(at, 40)?;
        if header[0] >> 4 != 6 {
            return Err(Unread::Malformed);
        }
        let address = |at: usize| {
            let octets = header[at..].first_chunk().copied().unwrap_or_default();
            u128::from_be_bytes(octets)
        };
        let mut headers = Self::new(Family::V6, address(8), address(24));
        let payload_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let mut next = header[6];
        // RFC 2675: a jumbo payload states zero here and its length in an option.
        if payload_len != 0 || next != HOP_BY_HOP {
            headers.total_len = 40 + payload_len;
        }
        let mut off = at + 40;
        for _ in 0..MAX_EXTENSIONS {
            if !is_extension(next) {
                break;
            }
            let header: &[u8; 8] = frame.load(off, 8)?;
            if next == FRAGMENT {
                let field = u16::from_be_bytes([header[2], header[3]]);
                headers.fragment_id = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
                headers.fragment_protocol = header[0];
                off += 8;
                next = header[0];
                if field & 0xfff8 != 0 {
                    headers.part = Part::LaterFragment;
                    break;
                }
                if field & 1 != 0 {
                    headers.part = Part::FirstFragment;
                }
                continue;
            }
            // RFC 4302 counts an authentication header in 4 bytes, less 2.
            let length = usize::from(header[1]);
            off += if next == AUTHENTICATION { (length + 2) * 4 } else { (length + 1) * 8 };
            next = header[0];
        }
        if headers.part != Part::LaterFragment && is_extension(next) {
            return Err(Unread::Malformed);
        }
        headers.protocol = Protocol(next);
        headers.transport = off;
        Ok(headers)
    }
}
