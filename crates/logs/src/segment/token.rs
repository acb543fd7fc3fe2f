//! Tokens of a message: which messages are tokens one blank apart, and what a
//! token is. A number and an IPv4 address are what is written back as it was
//! read: no sign, no zero in front.

use memchr::memchr_iter;

/// Most tokens of a message that are kept apart.
pub(super) const MAX_TOKENS: usize = 64;

/// What stands for `-`, where there are numbers otherwise.
pub(super) const DASH: i64 = -1;

/// The number of tokens of a message that is its tokens with one blank between
/// them, and whose tokens are also those of a filter pattern: none is empty,
/// quoted or in brackets, and there are no tabs and line ends.
pub(super) fn count(message: &str) -> Option<usize> {
    let bytes = message.as_bytes();
    let (mut tokens, mut start) = (0, 0);
    for end in memchr_iter(b' ', bytes).chain([bytes.len()]) {
        if end == start || matches!(bytes[start], b'[' | b'"') || tokens == MAX_TOKENS {
            return None;
        }
        tokens += 1;
        start = end + 1;
    }
    (tokens > 1 && memchr::memchr3(b'\t', b'\n', b'\r', bytes).is_none()).then_some(tokens)
}

/// At most 18 digits, so that every one fits.
pub(super) fn number(token: &[u8]) -> Option<i64> {
    if token.is_empty() || token.len() > 18 || (token[0] == b'0' && token.len() > 1) {
        return None;
    }
    let mut value = 0;
    for byte in token {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

pub(super) fn ipv4(token: &[u8]) -> Option<i64> {
    if token.len() < 7 || token.len() > 15 {
        return None;
    }
    let (mut address, mut parts) = (0, 0);
    for part in token.split(|&byte| byte == b'.') {
        let value = number(part).filter(|&value| value < 256)?;
        address = address << 8 | value;
        parts += 1;
    }
    (parts == 4).then_some(address)
}

/// A number in decimal, or `-`.
pub(super) fn write_number(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
        return;
    }
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// An IPv4 address, or `-`.
pub(super) fn write_ipv4(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
        return;
    }
    for (i, part) in (value as u32).to_be_bytes().into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        if part >= 100 {
            out.push(b'0' + part / 100);
        }
        if part >= 10 {
            out.push(b'0' + part / 10 % 10);
        }
        out.push(b'0' + part % 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_messages_are_tokens() {
        for (message, expected) in [
            ("2 1 eni-1 - -", Some(5)),
            ("a b", Some(2)),
            ("one", None),
            ("", None),
            (" a b", None),
            ("a  b", None),
            ("a b ", None),
            ("a b\n", None),
            ("a\tb c", None),
            ("a [b c]", None),
            ("a \"b\"", None),
            ("ä ö", Some(2)),
        ] {
            assert_eq!(count(message), expected, "{message:?}");
        }
        assert_eq!(count("x ".repeat(64).trim_end()), Some(64));
        assert_eq!(count("x ".repeat(65).trim_end()), None);
    }

    #[test]
    fn numbers_and_addresses_are_written_as_they_were_read() {
        for (text, is_number, is_address) in [
            ("0", true, false),
            ("00", false, false),
            ("7", true, false),
            ("999999999999999999", true, false),
            ("1000000000000000000", false, false),
            ("+1", false, false),
            ("-1", false, false),
            ("", false, false),
            ("1.2", false, false),
            ("0.0.0.0", false, true),
            ("255.255.255.255", false, true),
            ("10.0.10.100", false, true),
            ("256.1.1.1", false, false),
            ("01.1.1.1", false, false),
            ("1.1.1", false, false),
            ("1.1.1.1.1", false, false),
            ("1..1.1.1", false, false),
        ] {
            assert_eq!(number(text.as_bytes()).is_some(), is_number, "{text}");
            assert_eq!(ipv4(text.as_bytes()).is_some(), is_address, "{text}");
            let mut out = Vec::new();
            if let Some(value) = number(text.as_bytes()) {
                write_number(value, &mut out);
                assert_eq!(out, text.as_bytes());
            }
            if let Some(value) = ipv4(text.as_bytes()) {
                write_ipv4(value, &mut out);
                assert_eq!(out, text.as_bytes());
            }
        }
    }
}
