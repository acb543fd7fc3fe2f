//! What is needed of TCP (RFC 9293), UDP, SCTP, ICMP and ICMPv6 headers.

use super::{Frame, Headers, Part, Unread};
use weir_types::net::Protocol;

impl Headers {
    /// Reads the transport header. A quoted one may end after eight bytes (RFC 792).
    #[inline]
    pub(super) fn read_transport(&mut self, frame: Frame<'_>, is_quoted: bool) -> Result<(), Unread> {
        let at = self.transport;
        self.payload = at;
        if self.part == Part::LaterFragment {
            self.is_absent = true;
            return Ok(());
        }
        match self.protocol {
            Protocol::TCP if is_quoted => {
                let header: &[u8; 4] = frame.load(at, 8)?;
                self.ports(*header);
            }
            Protocol::TCP => {
                // The window, the checksum and the urgent pointer say nothing here.
                let header: &[u8; 14] = frame.load(at, 20)?;
                let length = usize::from(header[12] >> 4);
                if length < 5 {
                    return Err(Unread::Malformed);
                }
                self.ports([header[0], header[1], header[2], header[3]]);
                self.seq = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
                self.ack = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
                self.tcp_flags = header[13];
                self.payload = at + length * 4;
            }
            Protocol::UDP | Protocol::SCTP => {
                let header: &[u8; 4] = frame.load(at, 8)?;
                self.ports(*header);
                self.payload = at + if self.protocol == Protocol::UDP { 8 } else { 12 };
            }
            Protocol::ICMP | Protocol::ICMPV6 => {
                let header: &[u8; 6] = frame.load(at, 8)?;
                (self.icmp_type, self.icmp_code) = (header[0], header[1]);
                self.payload = at + 8;
                let is_v4 = self.protocol == Protocol::ICMP;
                if matches!((is_v4, self.icmp_type), (true, 0 | 8) | (false, 128 | 129)) {
                    self.echo_id = u16::from_be_bytes([header[4], header[5]]);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn ports(&mut self, [a, b, c, d]: [u8; 4]) {
        (self.src_port, self.dst_port) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    }
}
