//! A capture of any size, the same in every run: `pcapgen [PACKETS] [FLOWS] > FILE`.
//!
//! Ethernet and IPv4, TCP and UDP half and half, payloads of 0 to 120 bytes cut
//! off at 96 bytes of a packet, a microsecond apart. Flows are drawn evenly, so
//! that nothing stays in a cache: the worst case for whoever counts them.

use std::io::{self, BufWriter, Write};

const SNAP: usize = 96;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn main() -> io::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut number = |default| numbers.next().transpose().map(|number| number.unwrap_or(default));
    let wrong = |_| io::Error::other("pcapgen [PACKETS] [FLOWS]");
    let packets = number(20_000_000).map_err(wrong)?;
    let flows = number(1_000_000).map_err(wrong)?.max(1);

    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, SNAP as u32, 1] {
        out.write_all(&u32::to_le_bytes(word))?;
    }
    let mut chance = Chance(1);
    // A multiple of 60: the first window is whole.
    let begin_us = 1_700_000_040_000_000;
    for index in 0..packets {
        let draw = chance.next();
        // Every flow once, then at random.
        let flow = if index < flows { index } else { draw % flows };
        let ends = Chance(flow).next();
        let is_tcp = flow & 1 == 0;
        let payload = (draw >> 40) as usize % 121;
        let header = if is_tcp { 20 } else { 8 };
        let total = 20 + header + payload;

        let mut frame = [0; 14 + 20 + 20];
        frame[..12].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        frame[12] = 8;
        frame[14] = 0x45;
        frame[16..18].copy_from_slice(&(total as u16).to_be_bytes());
        frame[22] = 64;
        frame[23] = if is_tcp { 6 } else { 17 };
        frame[26..30].copy_from_slice(&(0x0a00_0000 | ends as u32 >> 8).to_be_bytes());
        frame[30..34].copy_from_slice(&(0xc000_0000 | flow as u32).to_be_bytes());
        frame[34..36].copy_from_slice(&(((ends >> 40) as u16) | 1024).to_be_bytes());
        // Not 53: some programs make a flow of every packet to it.
        frame[36..38].copy_from_slice(&443u16.to_be_bytes());
        if is_tcp {
            (frame[46], frame[47]) = (0x50, 0x10);
        } else {
            frame[38..40].copy_from_slice(&((8 + payload) as u16).to_be_bytes());
        }
        let wire = 14 + total;
        let captured = wire.min(SNAP);
        let time_us: u64 = begin_us + index;
        for word in [time_us / 1_000_000, time_us % 1_000_000, captured as u64, wire as u64] {
            out.write_all(&(word as u32).to_le_bytes())?;
        }
        let head = frame.len().min(captured);
        out.write_all(&frame[..head])?;
        out.write_all(&[0; SNAP][..captured - head])?;
    }
    out.flush()
}
