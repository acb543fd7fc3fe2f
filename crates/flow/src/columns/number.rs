//! Digits to numbers, all of a number at once.

use fearless_simd::{i16x8, prelude::*, u8x16, u16x8, u64x2};

/// The number in `text[start..end]`, or [`NONE`] if it is none: anything but
/// digits, a leading zero, or more than 2^64 - 2.
///
/// Same rule as `text::parse_line`, which also refuses what is larger than the field's
/// maximum; no field's maximum reaches [`NONE`].
#[inline(always)]
pub(super) fn number<S: Simd>(simd: S, text: &[u8], start: usize, end: usize) -> u64 {
    let window = text.get(end.wrapping_sub(16)..end).and_then(|window| window.first_chunk::<16>());
    let marks = MARKS.get(end.wrapping_sub(start));
    let (Some(window), Some(marks)) = (window, marks) else { return one_by_one(text, start, end) };
    let digits = (u8x16::from_slice(simd, window) ^ b'0') & u8x16::from_slice(simd, &marks.digits);
    // A leading zero turns into 255.
    let odd = digits.max(digits - u8x16::from_slice(simd, &marks.first));
    let number = sixteen(simd, digits);
    if odd.simd_gt(9).any_true() { NONE } else { number }
}

/// What [`number`] gives for anything else.
pub(super) const NONE: u64 = u64::MAX;

/// For a number of some length, which of the 16 bytes up to its end are its
/// digits, and which one is the first, unless it may be zero.
#[repr(C, align(32))]
struct Marks {
    digits: [u8; 16],
    first: [u8; 16],
}

static MARKS: [Marks; 17] = marks();

const fn marks() -> [Marks; 17] {
    let mut all = [const { Marks { digits: [0; 16], first: [0; 16] } }; 17];
    // A number without digits is none: its zeros are wrong.
    all[0].first = [1; 16];
    let mut len = 1;
    while len <= 16 {
        let mut place = 16 - len;
        if len > 1 {
            all[len].first[place] = 1;
        }
        while place < 16 {
            all[len].digits[place] = 0xff;
            place += 1;
        }
        len += 1;
    }
    all
}

/// The number of sixteen digits: neighbours are put together to numbers of two
/// digits, these to numbers of four, these to numbers of eight.
#[inline(always)]
fn sixteen<S: Simd>(simd: S, digits: u8x16<S>) -> u64 {
    // The first digit is in the lower byte; ten times it is added to the upper one.
    let twos: i16x8<S> = ((digits.bitcast::<u16x8<S>>() * (10 << 8 | 1)) >> 8).bitcast();
    let fours = twos.pairwise_dot_product(i16x8::from_slice(simd, &[100, 1, 100, 1, 100, 1, 100, 1]));
    let fours = fours.saturating_narrow(fours);
    let eights =
        fours.pairwise_dot_product(i16x8::from_slice(simd, &[10_000, 1, 10_000, 1, 10_000, 1, 10_000, 1]));
    let [both, _] = *eights.bitcast::<u64x2<S>>().as_array();
    (both & 0xffff_ffff) * 100_000_000 + (both >> 32)
}

/// Long numbers, and those within the first 16 bytes of the text.
#[cold]
#[inline(never)]
fn one_by_one(text: &[u8], start: usize, end: usize) -> u64 {
    let digits = text.get(start..end).unwrap_or_default();
    if digits.is_empty() || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return NONE;
    }
    let number = digits.iter().try_fold(0u64, |number, &digit| {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 { None } else { number.checked_mul(10)?.checked_add(digit.into()) }
    });
    number.unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::{Level, dispatch};
    use proptest::prelude::*;

    fn check(before: &str, text: &str) {
        let all = format!("{before}{text}");
        let bytes = all.as_bytes();
        let is_number =
            text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
        let expected = text.parse().ok().filter(|_| is_number).unwrap_or(NONE);
        let level = Level::new();
        let found = dispatch!(level, simd => number(simd, bytes, before.len(), bytes.len()));
        assert_eq!(found, expected, "{text:?} after {before:?}");
    }

    #[test]
    fn numbers_at_the_edges() {
        let before = "2 4294967295 172.31.16.139 ";
        for text in [
            "",
            "-",
            "0",
            "00",
            "01",
            "9",
            "+1",
            "-1",
            "12345678",
            "123456789",
            "9999999999999999",
            "12345678901234567",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551614",
            "18446744073709551616",
            "99999999999999999999",
            "1234567:",
            "1234567/",
            "/2345678",
            "1:345678",
            "123 5678",
            "1\u{e9}34567",
            "123456789012345a",
            "a234567890123456",
        ] {
            check(before, text);
            check("", text);
        }
    }

    proptest! {
        #[test]
        fn the_same_as_parse(before in "[0-9 ]{0,20}", text in "[0-9]{1,20}|[0-9a]{1,20}|\\PC{1,8}") {
            check(&before, &text);
        }
    }
}
