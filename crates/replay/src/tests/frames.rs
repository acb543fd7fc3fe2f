//! The decoder, as far as the differential test with the eBPF program does not
//! reach: link layers and packets that the capture has cut.

use super::made::{any, ethernet, pcap, replay, replay_with, udp};
use crate::Counts;

const LINE: &str = "0: abc 0-0 10.0.0.1 7 10.0.0.2 53 17 1 30 0 ingress ACCEPT OK";

fn v6() -> Vec<u8> {
    let mut ip = vec![0x60, 0, 0, 0, 0, 8, 17, 64];
    ip.extend([0xfd; 16]);
    ip.extend([0xfe; 16]);
    ip.extend([0, 7, 0, 53, 0, 8, 0, 0]);
    ip
}

#[test]
fn every_link_layer() {
    let ip = udp(7, 2);
    let v6 = v6();
    let with = |head: &[u8], ip: &[u8]| [head, ip].concat();
    let sll =
        |kind: u8, ether: [u8; 2]| [&[0, kind, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &ether[..]].concat();
    let sll2 = |kind: u8, ether: [u8; 2]| {
        [&ether[..], &[0, 0, 0, 0, 0, 3, 0, 1, kind, 6, 2, 0, 0, 0, 0, 1, 0, 0]].concat()
    };
    let egress = LINE.replace("ingress", "egress");
    let macs = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for (link, frame, expected) in [
        (1, ethernet(&ip), LINE),
        (1, with(&[&macs[..], &[0x81, 0, 0, 5, 8, 0]].concat(), &ip), LINE),
        (1, with(&[&macs[..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]].concat(), &ip), LINE),
        (101, ip.clone(), LINE),
        (12, ip.clone(), LINE),
        (228, ip.clone(), LINE),
        (0, with(&[2, 0, 0, 0], &ip), LINE),
        (0, with(&[0, 0, 0, 2], &ip), LINE),
        (108, with(&[0, 0, 0, 2], &ip), LINE),
        (113, with(&sll(0, [8, 0]), &ip), LINE),
        (113, with(&sll(4, [8, 0]), &ip), &egress),
        (276, with(&sll2(0, [8, 0]), &ip), LINE),
        (276, with(&sll2(4, [8, 0]), &ip), &egress),
    ] {
        let (lines, replay) = replay(pcap(0xa1b2_c3d4, false, link, &[(0, 0, &frame)]));
        assert_eq!(lines, [expected], "link {link}, {frame:x?}");
        assert_eq!(replay.counts(), Counts { packets: 1, counted: 1, ..Counts::default() });
    }
    for (link, frame) in [
        (1, ethernet(&v6)),
        (101, v6.clone()),
        (229, v6.clone()),
        (0, with(&[30, 0, 0, 0], &v6)),
        (0, with(&[0, 0, 0, 10], &v6)),
        (113, with(&sll(0, [0x86, 0xdd]), &v6)),
    ] {
        let (lines, _) = replay(pcap(0xa1b2_c3d4, false, link, &[(0, 0, &frame)]));
        assert!(lines[0].contains(" 7 fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe 53 17 1 48 "), "{lines:?}");
    }
}

#[test]
fn what_is_not_ip_or_malformed_is_counted_apart() {
    let arp = [&[0xff; 12][..], &[8, 6], &[0; 46]].concat();
    let mut wrong = ethernet(&udp(7, 2));
    wrong[14] = 0x44;
    let packets = [(0, 0, &arp[..]), (0, 0, &wrong), (0, 0, &[1, 2, 3]), (0, 0, &[])];
    let (lines, replay) = replay(pcap(0xa1b2_c3d4, false, 1, &packets));
    assert!(lines.is_empty());
    assert_eq!(replay.counts(), Counts { packets: 4, ignored: 3, malformed: 1, ..Counts::default() });
}

/// The same packet at every length that a capture may cut it to.
#[test]
fn cut_packets_are_right_or_not_counted() {
    let mut tcp = udp(7, 32);
    tcp[9] = 6;
    (tcp[32], tcp[33]) = (0x50, 2);
    for (ip, needed, expected) in [
        (udp(7, 2), 24, LINE.to_owned()),
        (tcp, 34, LINE.replace("17 1 30 0", "6 1 60 2")),
        (v6(), 44, String::new()),
    ] {
        let whole = ethernet(&ip);
        for len in 0..=whole.len() {
            let mut file = pcap(0xa1b2_c3d4, false, 1, &[(0, 0, &whole[..len])]);
            file[24 + 12..24 + 16].copy_from_slice(&(whole.len() as u32).to_le_bytes());
            let (lines, replay) = replay(file);
            let counts = replay.counts();
            if len >= 14 + needed {
                assert_eq!(counts.counted, 1, "{len}");
                assert!(expected.is_empty() || lines == [expected.clone()], "{len}: {lines:?}");
            } else {
                assert_eq!((counts.cut, lines.len()), (1, 0), "{len}");
            }
        }
    }
}

#[test]
fn fragments_have_the_ports_of_the_first() {
    let part = |id: u8, offset: u8, more: bool, len: usize| {
        let mut ip = udp(7, len - 8);
        ip[5] = id;
        (ip[6], ip[7]) = (if more { 0x20 } else { 0 }, offset);
        if offset > 0 {
            ip[20..24].copy_from_slice(&[0xaa; 4]);
        }
        ip
    };
    let frames = [part(1, 0, true, 16), part(1, 2, true, 16), part(1, 4, false, 8), part(2, 2, false, 8)];
    let frames: Vec<Vec<u8>> = frames.iter().map(|ip| ethernet(ip)).collect();
    let packets: Vec<_> = frames.iter().map(|frame| (0, 0, frame.as_slice())).collect();
    let (lines, _) = replay_with(10, any(), &[pcap(0xa1b2_c3d4, false, 1, &packets)]);
    assert_eq!(
        lines,
        [
            "0: abc 0-0 10.0.0.1 0 10.0.0.2 0 17 1 28 0 ingress ACCEPT OK",
            "0: abc 0-0 10.0.0.1 7 10.0.0.2 53 17 3 100 0 ingress ACCEPT OK",
        ]
    );
}
