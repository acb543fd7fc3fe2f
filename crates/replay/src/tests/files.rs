//! Reading files.

use super::made::{START, ethernet, list, pcap, udp};

#[test]
fn pcap_in_both_byte_orders_and_every_resolution() {
    let frame = ethernet(&udp(1, 0));
    for (magic, fraction_ns) in [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1), (0xa1b2_cd34, 1000)] {
        for is_big in [false, true] {
            let file = pcap(magic, is_big, 1, &[(0, 7, &frame), (1, 0, &[])]);
            let expected = [format!("{} 0 - 42 of 42", 7 * fraction_ns), "1000000000 0 - 0 of 0".to_owned()];
            assert_eq!(list(&file), expected, "{magic:x}");
        }
    }
}

#[test]
fn pcap_that_ends_early_or_is_damaged() {
    let frame = ethernet(&udp(1, 0));
    let file = pcap(0xa1b2_c3d4, false, 1, &[(0, 0, &frame), (0, 0, &frame)]);
    let first = "0 0 - 42 of 42".to_owned();
    let cut = "ends in the middle of a packet (byte 82): what comes before is read".to_owned();
    for end in [24 + 58 + 1, 24 + 58 + 16, file.len() - 1] {
        assert_eq!(list(&file[..end]), [first.clone(), cut.clone()], "{end}");
    }
    let mut damaged = file.clone();
    damaged[24 + 58 + 8..][..4].copy_from_slice(&[0xff; 4]);
    let problem = "is damaged at byte 82: a packet is longer than 4 MiB; what comes before is read";
    assert_eq!(list(&damaged), [first, problem.to_owned()]);

    let no_capture = "is not a packet capture: it begins neither like pcap nor like pcapng";
    for head in [&b""[..], b"2 123456789012 eni-1235b8ca123456789", &file[..23], &[0x0a, 0x0d, 0x0d, 0x0a]] {
        assert_eq!(list(head), [no_capture], "{head:?}");
    }
    let wifi = list(&pcap(0xa1b2_c3d4, false, 105, &[]));
    assert_eq!(wifi, ["its link type 105 cannot be read: Ethernet, raw IP, Linux cooked and loopback can"]);
}

/// Blocks of pcapng in a byte order.
struct Blocks {
    bytes: Vec<u8>,
    is_big: bool,
}

impl Blocks {
    fn u16(&self, number: u16) -> Vec<u8> {
        if self.is_big { number.to_be_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
    }

    fn u32(&self, number: u32) -> Vec<u8> {
        if self.is_big { number.to_be_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let length = self.u32(12 + body.len() as u32);
        let block = [&self.u32(kind)[..], &length, body, &length].concat();
        self.bytes.extend(block);
        self
    }

    fn section(&mut self) -> &mut Self {
        let body = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [&self.u16(code)[..], &self.u16(value.len() as u16), value].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    fn interface(&mut self, link: u16, snap: u32, options: &[u8]) -> &mut Self {
        let body = [&self.u16(link)[..], &[0, 0], &self.u32(snap), options].concat();
        self.block(1, &body)
    }

    fn packet(&mut self, interface: u32, ticks: u64, data: &[u8], wire: u32, options: &[u8]) -> &mut Self {
        let head = [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, wire];
        let mut body: Vec<u8> = head.iter().flat_map(|word| self.u32(*word)).collect();
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(options);
        self.block(6, &body)
    }
}

#[test]
fn pcapng_with_sections_interfaces_and_every_kind_of_packet() {
    for is_big in [false, true] {
        let mut file = Blocks { bytes: Vec::new(), is_big };
        let us = START as u64 * 1_000_000;
        let name = file.option(2, b"eth0");
        let nanoseconds = [file.option(9, &[9]), file.option(0, &[])].concat();
        // A 1,024th of a second, counted from 100 s before.
        let offset = if is_big { (-100i64).to_be_bytes() } else { (-100i64).to_le_bytes() };
        let binary = [file.option(9, &[0x8a]), file.option(14, &offset)].concat();
        let [inbound, outbound] = [1, 2].map(|flags| file.option(2, &file.u32(flags)));
        let comment = file.option(1, b"hello");
        file.section()
            .interface(1, 0, &name)
            .interface(101, 50, &nanoseconds)
            .interface(101, 0, &binary)
            .packet(0, us + 5, &[1; 41], 1500, &[])
            .packet(1, us * 1000 + 7, &[1; 20], 20, &inbound)
            .packet(2, (START as u64 + 101) * 1024 + 512, &[1; 4], 4, &[comment, outbound].concat())
            // Name resolution, and a block of nobody's.
            .block(4, &[0; 8])
            .block(0x8000_0001, &[0; 400]);
        let simple = [file.u32(1500), vec![9; 60]].concat();
        // Two bytes of the number are those of packets dropped.
        let mut obsolete = [file.u16(1), file.u16(3)].concat();
        for word in [((us * 1000) >> 32) as u32, (us * 1000) as u32, 3, 3] {
            obsolete.extend(file.u32(word));
        }
        obsolete.extend([1, 2, 3, 0]);
        file.block(3, &simple).block(2, &obsolete);
        // The next section numbers its interfaces anew, here with another byte order.
        let mut second = Blocks { bytes: Vec::new(), is_big: !is_big };
        second.section().interface(1, 20, &[]).packet(0, us, &[1; 4], 4, &[]);
        let simple = [second.u32(1500), vec![9; 20]].concat();
        second.block(3, &simple);
        file.bytes.extend(second.bytes);
        assert_eq!(
            list(&file.bytes),
            [
                "5000 0 eth0 41 of 1500",
                "7 1 - 20 of 20ingress",
                "1500000000 2 - 4 of 4egress",
                "1500000000 0 eth0 60 of 1500",
                "0 1 - 3 of 3",
                "0 3 - 4 of 4",
                "0 3 - 20 of 1500",
            ]
        );
    }
}

#[test]
fn pcapng_that_is_damaged() {
    let new = || Blocks { bytes: Vec::new(), is_big: false };
    let mut whole = new();
    whole.section().interface(1, 0, &[]).packet(0, START as u64 * 1_000_000, &[1; 4], 4, &[]);
    let change = |at: usize, to: u8| {
        let mut file = whole.bytes.clone();
        file[at] = to;
        list(&file)
    };
    let damaged = |byte: usize, problem: &str| {
        [format!("is damaged at byte {byte}: {problem}; what comes before is read")]
    };
    assert_eq!(list(&whole.bytes), ["0 0 - 4 of 4"]);
    assert_eq!(change(12, 2), damaged(0, "a section of an unknown version"));
    assert_eq!(change(28 + 4, 21), damaged(28, "a block of an impossible length"));
    assert_eq!(change(28 + 16, 24), damaged(28, "the two lengths of a block differ"));
    assert_eq!(change(48 + 8, 1), damaged(48, "a packet of an interface that is not described"));
    assert_eq!(change(48 + 20, 5), damaged(48, "a packet is longer than its block"));
    assert_eq!(change(48 + 7, 1), damaged(48, "a block is longer than 4 MiB"));
    let cut = list(&whole.bytes[..whole.bytes.len() - 1]);
    assert_eq!(cut, ["ends in the middle of a packet (byte 48): what comes before is read"]);
}
