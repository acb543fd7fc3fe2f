//! Is it an address? Without making one of it: columns have addresses as text.

use fearless_simd::{Simd, SimdBase, SimdMask, u8x16};
use std::net::IpAddr;

/// Whether `text[start..end]` is an IPv4 or IPv6 address: what
/// `IpAddr::from_str` accepts.
#[inline(always)]
pub(super) fn is_address<S: Simd>(simd: S, text: &[u8], start: usize, end: usize) -> bool {
    match text.get(start..).and_then(|rest| rest.first_chunk::<16>()) {
        Some(bytes) if is_ipv4(simd, bytes, end.wrapping_sub(start)) => true,
        _ => is_any(text.get(start..end).unwrap_or_default()),
    }
}

#[inline(never)]
fn is_any(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

/// Whether the first `len` bytes are an IPv4 address: four numbers up to 255
/// without leading zeros. All four are looked at together, as bits at the
/// places where they begin.
#[inline(always)]
fn is_ipv4<S: Simd>(simd: S, bytes: &[u8; 16], len: usize) -> bool {
    if len > 15 {
        return false;
    }
    let bytes = u8x16::from_slice(simd, bytes);
    let splat = |byte| u8x16::splat(simd, byte);
    let digits = bytes ^ splat(b'0');
    let bits = |mask: fearless_simd::mask8x16<S>| mask.to_bitmask() as u32;

    let end = 1u32 << len;
    let is_digit = bits(digits.simd_le(splat(9))) & (end - 1);
    let dots = bits(bytes.simd_eq(splat(b'.'))) & (end - 1);
    let stops = dots | end;
    let starts = dots << 1 | 1;
    let one = starts & stops >> 1;
    let two = starts & !one & stops >> 2;
    let three = starts & !(one | two) & stops >> 3;

    let above_0 = bits(digits.simd_gt(splat(0)));
    let above_1 = bits(digits.simd_gt(splat(1)));
    let above_2 = bits(digits.simd_gt(splat(2)));
    let above_4 = bits(digits.simd_gt(splat(4)));
    let above_5 = bits(digits.simd_gt(splat(5)));
    let above_255 = three & above_1 & (above_2 | above_5 >> 1 | (above_4 >> 1 & above_5 >> 2));

    is_digit | dots == end - 1
        && dots.count_ones() == 3
        && (one | two | three) & !stops == starts
        && (two | three) & !above_0 == 0
        && above_255 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::{Level, dispatch};
    use proptest::prelude::*;

    fn check(text: &str) {
        let expected = text.parse::<IpAddr>().is_ok();
        for after in
            ["", " 10.0.0.1 20641 22 6 20 4249", "..............................", "00000000000000000000"]
        {
            let all = format!("{text}{after}");
            let level = Level::new();
            let found = dispatch!(level, simd => is_address(simd, all.as_bytes(), 0, text.len()));
            assert_eq!(found, expected, "{text:?} before {after:?}");
        }
    }

    #[test]
    fn every_octet_in_every_place() {
        for octet in 0..1100 {
            for text in [format!("{octet}.2.33.255"), format!("9.{octet}.10.0"), format!("0.25.{octet}.1")] {
                check(&text);
            }
            check(&format!("192.168.254.{octet}"));
            check(&format!("1.1.1.{octet:03}"));
            check(&format!("1.{octet:02}.1.1"));
        }
        for text in [
            "",
            ".",
            "...",
            "1...",
            "1.2.3",
            "1.2.3.",
            ".1.2.3",
            "1.2.3.4.",
            "1..2.3",
            "1.2.3.4.5",
            "1.2.3.4 ",
            "-",
            "1.2.3.-4",
            "1.2.3.a",
            "255.255.255.255",
            "2550.1.1.1",
            "1.2.3.4/5",
            "::",
            "::1",
            "2001:db8::1",
            "2001:DB8::1",
            "::ffff:1.2.3.4",
            "::ffff:1.2.3.400",
            "2600:1f18:4000:100:8d6e:3477:df66:f105",
            "2600:1f18:4000:100:8d6e:3477:df66:f105:1",
            "fe80::1%eth0",
            "1.2.3.\u{663}",
        ] {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn the_same_as_the_standard_library(text in "[0-9.]{0,17}|([0-9]{1,4}\\.){3}[0-9]{1,4}|[0-9a-f:.]{0,40}|\\PC{0,8}") {
            check(&text);
        }
    }
}
