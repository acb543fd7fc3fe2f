//! Frames and files with the fields that matter.

use crate::{Captured, Reader, Replay, Sink, Us, View};
use std::convert::Infallible;
use weir_flow::format::LogFormat;
use weir_flow::record::InterfaceFacts;
use weir_flow::sample::InterfaceSamples;
use weir_flow::text::write_record;
use weir_flow::window::{Window, records};

pub const START: i64 = 1_700_000_040;

/// A UDP datagram from 10.0.0.1:`port` to 10.0.0.2:53 of `payload` bytes.
pub fn udp(port: u16, payload: usize) -> Vec<u8> {
    let total = 28 + payload as u16;
    let mut ip = vec![0x45, 0];
    ip.extend(total.to_be_bytes());
    ip.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    ip.extend(port.to_be_bytes());
    ip.extend([0, 53]);
    ip.extend((8 + payload as u16).to_be_bytes());
    ip.extend([0, 0]);
    ip.resize(total.into(), 0);
    ip
}

pub fn ethernet(ip: &[u8]) -> Vec<u8> {
    let kind: [u8; 2] = if ip[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &kind[..], ip].concat()
}

/// A pcap file: the magic number in a byte order, a link type, and packets with
/// their seconds after [`START`] and fractions.
pub fn pcap(magic: u32, is_big: bool, link: u32, packets: &[(i64, u32, &[u8])]) -> Vec<u8> {
    let bytes = |word: u32| if is_big { word.to_be_bytes() } else { word.to_le_bytes() };
    let mut file: Vec<u8> = [magic, 0x0004_0002, 0, 0, 65_535, link].into_iter().flat_map(bytes).collect();
    for (second, fraction, data) in packets {
        let head = [(START + second) as u32, *fraction, data.len() as u32, data.len() as u32];
        file.extend(head.into_iter().flat_map(bytes));
        file.extend(vec![0; if magic == 0xa1b2_cd34 { 8 } else { 0 }]);
        file.extend(*data);
    }
    file
}

/// Ethernet frames of IP packets, one file.
pub fn capture(packets: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let frames: Vec<(i64, Vec<u8>)> = packets.iter().map(|(at, ip)| (*at, ethernet(ip))).collect();
    let packets: Vec<(i64, u32, &[u8])> =
        frames.iter().map(|(at, frame)| (*at, 0, frame.as_slice())).collect();
    pcap(0xa1b2_c3d4, false, 1, &packets)
}

/// Every packet and the error at the end, one a line.
pub fn list(file: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(file);
    let mut lines = Vec::new();
    loop {
        match reader.next_packet() {
            Ok(Some(Captured { time_ns, interface, on, data, wire_len, direction })) => lines.push(format!(
                "{} {interface} {} {} of {wire_len}{}",
                time_ns - START * 1_000_000_000,
                on.name.as_deref().unwrap_or("-"),
                data.len(),
                direction.map_or("", |direction| direction.as_str()),
            )),
            Ok(None) => return lines,
            Err(error) => {
                lines.push(error.to_string());
                assert!(matches!(reader.next_packet(), Ok(None)), "nothing comes after an error");
                return lines;
            }
        }
    }
}

/// Records as lines: window, interface and the rest.
pub struct Lines(pub Vec<String>);

impl Sink for Lines {
    type Error = Infallible;

    fn samples(
        &mut self,
        window: Window,
        facts: &InterfaceFacts,
        samples: &InterfaceSamples,
    ) -> Result<(), Infallible> {
        let format = "${srcaddr} ${srcport} ${dstaddr} ${dstport} ${protocol} ${packets} ${bytes} ${tcp-flags} ${flow-direction} ${action} ${log-status}";
        let format = LogFormat::parse(format).unwrap();
        for record in records(window, facts, samples) {
            let interface = facts.interface.as_str();
            let (at, from, to) = (window.start_s - START, record.start_s - START, record.end_s - START);
            let mut line = format!("{at}: {} {from}-{to} ", &interface[interface.len() - 3..]);
            write_record(&format, &record, &mut line);
            self.0.push(line);
        }
        Ok(())
    }
}

/// All files through one replay.
pub fn replay_with(max_flows: usize, view: View, files: &[Vec<u8>]) -> (Vec<String>, Replay) {
    let mut replay = Replay::new(60.try_into().unwrap(), max_flows, view);
    let mut lines = Lines(Vec::new());
    for file in files {
        replay.begin_file();
        let mut reader = Reader::new(file.as_slice());
        while let Some(captured) = reader.next_packet().unwrap() {
            replay.push(captured, &mut lines).unwrap();
        }
    }
    replay.finish(&mut lines).unwrap();
    (lines.0, replay)
}

pub fn any() -> View {
    let only = "eni-00000000000000abc".parse().unwrap();
    View::of_capture("123456789012", "us-east-1", Some(only), Us::default())
}

pub fn replay(file: Vec<u8>) -> (Vec<String>, Replay) {
    replay_with(1000, any(), &[file])
}
