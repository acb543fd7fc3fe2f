//! Page tokens, sequence tokens and event ids: opaque to clients, 56 digits
//! where AWS has 56 digits.
//!
//! ```text
//! f/ or b/  3 | timestamp, 19 digits | sequence, 20 digits | check, 16 digits
//! filter    the same without a prefix
//! event id  3 | timestamp, 19 digits | sequence, 20 digits | stream id, 16 digits
//! sequence  49 | sequence, 54 digits
//! describe  hexadecimal: check, 16 digits | position as text
//! ```
//!
//! The check binds a token to its stream or group and to its kind, so that a
//! mistyped or misplaced one is refused instead of giving the wrong page. It is
//! no secret: a token gives no access.
//!
//! Tokens do not expire: they are positions and hold nothing of the store.

use crate::error::LogsError;
use crate::index::Place;

/// What a 56-digit token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of GetLogEvents: the events after the place.
    Forward,
    /// Of GetLogEvents: the events before the place.
    Backward,
    /// Of FilterLogEvents: the events after the place.
    Filter,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Forward => "f/",
            Self::Backward => "b/",
            Self::Filter => "",
        }
    }
}

/// `owner` is the id of the stream or group.
pub(crate) fn page_token(kind: Kind, owner: u64, place: Place) -> String {
    let Place { timestamp, sequence } = place;
    let prefix = kind.prefix();
    let check = check(&format!("{kind:?} {owner} {timestamp} {sequence}")) % 10_u64.pow(16);
    format!("{prefix}3{timestamp:019}{sequence:020}{check:016}")
}

/// The kind and place of a token of one of `kinds`, for this owner.
pub(crate) fn read_page_token(token: &str, owner: u64, kinds: &[Kind]) -> Result<(Kind, Place), LogsError> {
    let read = || {
        let kind = *kinds
            .iter()
            .find(|kind| token.strip_prefix(kind.prefix()).is_some_and(|rest| rest.starts_with('3')))?;
        let digits = token.strip_prefix(kind.prefix())?;
        if digits.len() != 56 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let place = Place { timestamp: digits[1..20].parse().ok()?, sequence: digits[20..40].parse().ok()? };
        (page_token(kind, owner, place) == token).then_some((kind, place))
    };
    read().ok_or_else(LogsError::bad_token)
}

/// Unique in the store.
pub(crate) fn event_id(stream: u64, place: Place) -> String {
    String::from_utf8(event_digits(stream, place).to_vec()).unwrap_or_default()
}

/// [`event_id`] in ASCII: `format!("3{:019}{:020}{:016}")`, written out, because
/// there are 10,000 on a page.
pub(crate) fn event_digits(stream: u64, place: Place) -> [u8; 56] {
    let mut digits = [b'0'; 56];
    digits[0] = b'3';
    let mut buffer = itoa::Buffer::new();
    for (start, end, number) in
        [(1, 20, place.timestamp.unsigned_abs()), (20, 40, place.sequence), (40, 56, stream)]
    {
        let number = buffer.format(number).as_bytes();
        let number = &number[number.len().saturating_sub(end - start)..];
        digits[end - number.len()..end].copy_from_slice(number);
    }
    digits
}

/// `nextSequenceToken` and `uploadSequenceToken`.
pub(crate) fn sequence_token(sequence: u64) -> String {
    format!("49{sequence:054}")
}

/// The token of a Describe action. `owner` says which list.
pub(crate) fn list_token(owner: &str, position: &str) -> String {
    let check = check(&format!("{owner}\n{position}"));
    let hex: String = position.bytes().map(|b| format!("{b:02x}")).collect();
    format!("{check:016x}{hex}")
}

pub(crate) fn read_list_token(token: &str, owner: &str) -> Result<String, LogsError> {
    let read = || {
        let hex = token.get(16..)?;
        let bytes: Option<Vec<u8>> = (0..hex.len())
            .step_by(2)
            .map(|i| hex.get(i..i + 2).and_then(|two| u8::from_str_radix(two, 16).ok()))
            .collect();
        let position = String::from_utf8(bytes?).ok()?;
        (list_token(owner, &position) == token).then_some(position)
    };
    read().ok_or_else(LogsError::bad_token)
}

/// FNV-1a, 64 bits.
fn check(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_tokens_have_56_digits_and_round_trip() {
        for place in [
            Place { timestamp: 0, sequence: 0 },
            Place { timestamp: 1_700_000_000_000, sequence: 42 },
            Place { timestamp: i64::MAX, sequence: u64::MAX },
        ] {
            for kind in [Kind::Forward, Kind::Backward, Kind::Filter] {
                let token = page_token(kind, 7, place);
                assert_eq!(token.len(), 56 + kind.prefix().len());
                assert_eq!(read_page_token(&token, 7, &[kind]).unwrap(), (kind, place));
                assert!(read_page_token(&token, 8, &[kind]).is_err(), "another owner");
            }
        }
        assert_eq!(event_id(1, Place { timestamp: 5, sequence: 6 }).len(), 56);
        assert_eq!(sequence_token(u64::MAX).len(), 56);
    }

    #[test]
    fn event_ids_are_numbers_of_fixed_widths() {
        for (stream, timestamp, sequence) in [(0, 0, 0), (7, 1_700_000_000_000, 42), (9, i64::MAX, u64::MAX)]
        {
            let expected = format!("3{timestamp:019}{sequence:020}{stream:016}");
            assert_eq!(event_id(stream, Place { timestamp, sequence }), expected);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let good = page_token(Kind::Forward, 1, Place { timestamp: 9, sequence: 9 });
        let both = [Kind::Forward, Kind::Backward];
        for bad in [
            "",
            "f/",
            "x",
            "invalid",
            "f/é",
            &good[..57],
            &good.replace("f/", "b/"),
            &good.replace("f/", ""),
            &good.replace('9', "8"),
            &format!("{good}0"),
        ] {
            let error = read_page_token(bad, 1, &both).unwrap_err();
            assert_eq!(error.to_string(), "The specified nextToken is invalid.", "{bad}");
        }
    }

    #[test]
    fn list_tokens_round_trip() {
        for position in ["", "/vpc/flow", "12 eni-ä"] {
            let token = list_token("groups", position);
            assert_eq!(read_list_token(&token, "groups").unwrap(), position);
            assert!(read_list_token(&token, "streams").is_err());
        }
        for bad in ["", "zz", "0123456789abcdef", "é".repeat(9).as_str()] {
            assert!(read_list_token(bad, "groups").is_err(), "{bad}");
        }
    }
}
