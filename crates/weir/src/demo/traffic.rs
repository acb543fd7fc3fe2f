//! The demo's traffic: real sockets in the demo's namespaces. Every function
//! blocks, and says what it put on the wire.

use super::lab::{CLIENT, Names, WEB};
use anyhow::{Context, Result, anyhow, bail};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Nobody waits longer than this for a packet that should come.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a packet that is dropped is waited for. Shorter than a second, so
/// that TCP does not repeat its SYN.
const DROPPED: Duration = Duration::from_millis(400);

/// Payload bytes that the client sends and gets over SSH's port.
pub const UP: usize = 1_000;
pub const DOWN: usize = 2_000;

/// The payload of an NTP packet.
pub const NTP_BYTES: usize = 48;

fn within<T: Send>(netns: &str, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    weir_capture::netns::enter(netns, work).map_err(|error| anyhow!("{error}"))?
}

/// A TCP connection from the client to port 22: handshake, bytes both ways,
/// close from both sides.
pub fn ssh(lab: &Names) -> Result<()> {
    let listener = within(&lab.web, || Ok(TcpListener::bind((WEB, 22))?))?;
    let server = std::thread::spawn(move || -> Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.read_exact(&mut [0; UP])?;
        stream.write_all(&[0; DOWN])?;
        let rest = stream.read(&mut [0; 1])?;
        if rest != 0 {
            bail!("the client sent more than {UP} bytes");
        }
        Ok(())
    });
    within(&lab.client, || {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((WEB, 22)), PATIENCE)
            .context("TCP 22 should be allowed")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&[0; UP])?;
        stream.read_exact(&mut [0; DOWN])?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let end = stream.read(&mut [0; 1])?;
        if end != 0 {
            bail!("the server sent more than {DOWN} bytes");
        }
        Ok(())
    })?;
    server.join().map_err(|_| anyhow!("the server on port 22 panicked"))?
}

/// One SYN from the client to a port that nothing allows.
pub fn knock(lab: &Names, port: u16) -> Result<()> {
    within(&lab.client, || match TcpStream::connect_timeout(&SocketAddr::from((WEB, port)), DROPPED) {
        Err(error) if error.kind() == ErrorKind::TimedOut => Ok(()),
        Err(error) => Err(error).with_context(|| format!("TCP {port} was not silent")),
        Ok(_) => bail!("TCP {port} was let in"),
    })
}

/// One datagram from the instance to the client's port 123, and its answer.
pub fn ntp(lab: &Names) -> Result<()> {
    let clock = within(&lab.client, || Ok(UdpSocket::bind((CLIENT, 123))?))?;
    clock.set_read_timeout(Some(PATIENCE))?;
    let server = std::thread::spawn(move || -> Result<()> {
        let mut question = [0; NTP_BYTES];
        let (_, from) = clock.recv_from(&mut question)?;
        clock.send_to(&question, from)?;
        Ok(())
    });
    within(&lab.web, || {
        let socket = UdpSocket::bind((WEB, 0))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.send_to(&[0; NTP_BYTES], (CLIENT, 123))?;
        socket.recv_from(&mut [0; NTP_BYTES]).context("the answer to UDP 123 should come in")?;
        Ok(())
    })?;
    server.join().map_err(|_| anyhow!("the server on port 123 panicked"))?
}

/// Echo requests, one after the other, with 56 bytes of data as `ping` has.
pub struct Pinger {
    socket: Socket,
    sequence: u16,
}

impl Pinger {
    pub fn new(lab: &Names) -> Result<Self> {
        let socket =
            within(&lab.client, || Ok(Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Sends one echo request; whether its reply came.
    pub fn ping(&mut self) -> Result<bool> {
        self.sequence += 1;
        let identifier = (std::process::id() & 0xffff) as u16;
        let request = echo_request(identifier, self.sequence);
        self.socket.send_to(&request, &SocketAddr::from((IpAddr::from(WEB), 0)).into())?;
        let end = Instant::now() + DROPPED;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.socket.set_read_timeout(Some(left))?;
            let mut packet = [0; 256];
            match (&self.socket).read(&mut packet) {
                Ok(length) if is_reply(&packet[..length], identifier, self.sequence) => return Ok(true),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether an IPv4 packet is the echo reply to this request.
fn is_reply(packet: &[u8], identifier: u16, sequence: u16) -> bool {
    let header = packet.first().map_or(0, |byte| usize::from(byte & 0x0f) * 4);
    let Some(icmp) = packet.get(header..header + 8) else { return false };
    icmp[0] == 0 && icmp[4..6] == identifier.to_be_bytes() && icmp[6..8] == sequence.to_be_bytes()
}

/// RFC 792, "Echo or Echo Reply Message".
fn echo_request(identifier: u16, sequence: u16) -> Vec<u8> {
    let mut packet = vec![8, 0, 0, 0];
    packet.extend(identifier.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend((0..56).map(|n: u8| n));
    let checksum = checksum(&packet);
    packet[2..4].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_request_is_84_bytes_with_its_ip_header_and_sums_to_zero() {
        let packet = echo_request(7, 1);
        assert_eq!(packet.len() + 20, 84);
        assert_eq!(checksum(&packet), 0);
    }
}
