//! Digits to numbers, eight at a time.

/// The number in `text[start..end]`, or [`NONE`] if it is none: anything but
/// digits, a leading zero, or more than 2^64 - 2.
///
/// Same rule as `text::parse_line`, which also refuses what is larger than the field's
/// maximum; no field's maximum reaches [`NONE`].
#[inline(always)]
pub(super) fn number(text: &[u8], start: usize, end: usize) -> u64 {
    let window = text.get(end.wrapping_sub(16)..end).and_then(|window| window.first_chunk::<16>());
    let Some((high, low)) = window.map(halves) else { return one_by_one(text, start, end) };
    let len = end.wrapping_sub(start);
    // The first digit is the one above whatever stands before the number.
    let (first, number) = match len {
        1..=8 => {
            let digits = last(low, len);
            (digits >> (64 - 8 * len) & 0xff, eight(digits))
        }
        9..=16 => {
            let digits = last(high, len - 8);
            let (above, below) = (eight(digits), eight(low ^ ZEROS));
            let number = if above == NONE || below == NONE { NONE } else { above * 100_000_000 + below };
            (digits >> (128 - 8 * len) & 0xff, number)
        }
        _ => return one_by_one(text, start, end),
    };
    if first == 0 && len > 1 { NONE } else { number }
}

#[inline(always)]
fn halves(bytes: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*bytes);
    (both as u64, (both >> 64) as u64)
}

/// What [`number`] gives for anything else.
pub(super) const NONE: u64 = u64::MAX;

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The last `len` letters of eight as digits, with zeros before them. `len` is 1 to 8.
#[inline(always)]
fn last(word: u64, len: usize) -> u64 {
    (word ^ ZEROS) & (u64::MAX << (64 - 8 * len))
}

/// The number of eight digits, the most significant in the lowest byte.
#[inline(always)]
fn eight(digits: u64) -> u64 {
    // A byte above 9 gets its high bit by the sum or has it already; a carry
    // into the next byte only comes from one that has it already.
    let outside = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let pairs = digits.wrapping_mul(1 + (10 << 8)) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(1 + (100 << 16)) >> 16;
    let number = (fours & 0x0000_ffff_0000_ffff).wrapping_mul(1 + (10_000 << 32)) >> 32;
    if outside == 0 { number } else { NONE }
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
    use proptest::prelude::*;

    fn check(before: &str, text: &str) {
        let all = format!("{before}{text}");
        let bytes = all.as_bytes();
        let is_number =
            text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
        let expected = text.parse().ok().filter(|_| is_number).unwrap_or(NONE);
        assert_eq!(number(bytes, before.len(), bytes.len()), expected, "{text:?} after {before:?}");
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
