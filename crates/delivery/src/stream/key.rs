//! Keys of objects: a prefix with its expressions, the stream, its version, the
//! time, and a UUID.
//!
//! Source: Firehose developer guide, "Understand custom prefixes for Amazon S3
//! objects", "Configure Amazon S3 object name format".

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// What a key is made of. The same always gives the same key, so that a repeat
/// overwrites itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyParts<'a> {
    pub prefix: &'a str,
    /// `!{firehose:error-output-type}`
    pub error_type: &'a str,
    pub stream: &'a str,
    pub version: u64,
    /// When the first record of the object arrived.
    pub at_ms: i64,
    /// Tells objects of one second apart: the stream's own key and the segment.
    pub seed: &'a str,
    pub ending: &'a str,
}

impl KeyParts<'_> {
    pub fn key(&self) -> String {
        let at = OffsetDateTime::from_unix_timestamp(self.at_ms.div_euclid(1000));
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let hash: [u8; 32] = Sha256::digest(self.seed).into();
        let mut prefix = self.evaluate(at, &hash);
        if !self.prefix.contains("!{timestamp:") {
            prefix += &formatted("yyyy/MM/dd/HH/", at);
        }
        let time = formatted("yyyy-MM-dd-HH-mm-ss", at);
        let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let uuid = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        format!("{prefix}{}-{}-{time}-{uuid}{}", self.stream, self.version, self.ending)
    }

    fn evaluate(&self, at: OffsetDateTime, hash: &[u8; 32]) -> String {
        let mut out = String::new();
        let mut rest = self.prefix;
        while let Some((before, expression)) = rest.split_once("!{") {
            out.push_str(before);
            let Some((inside, after)) = expression.split_once('}') else {
                out.push_str("!{");
                rest = expression;
                continue;
            };
            match inside.split_once(':') {
                Some(("timestamp", pattern)) => out.push_str(&formatted(pattern, at)),
                Some(("firehose", "error-output-type")) => out.push_str(self.error_type),
                Some(("firehose", "random-string")) => out.push_str(&random(hash)),
                // Refused when the stream was made.
                _ => {}
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// Eleven letters and digits.
fn random(hash: &[u8; 32]) -> String {
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let letter = |byte: &u8| char::from(*LETTERS.get(usize::from(byte % 62)).unwrap_or(&b'a'));
    hash.iter().rev().take(11).map(letter).collect()
}

/// A Java `DateTimeFormatter` pattern, in UTC: `y M d H m s S D`, quoted text,
/// and everything that is no letter.
fn formatted(pattern: &str, at: OffsetDateTime) -> String {
    let mut out = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            if letters.next_if_eq(&'\'').is_some() {
                out.push('\'');
                continue;
            }
            out.extend(letters.by_ref().take_while(|letter| *letter != '\''));
            continue;
        }
        let mut width = 1;
        while letter.is_ascii_alphabetic() && letters.next_if_eq(&letter).is_some() {
            width += 1;
        }
        let number = match letter {
            'y' | 'u' if width == 2 => i64::from(at.year() % 100),
            'y' | 'u' | 'Y' => i64::from(at.year()),
            'M' | 'L' => i64::from(u8::from(at.month())),
            'd' => i64::from(at.day()),
            'D' => i64::from(at.ordinal()),
            'H' => i64::from(at.hour()),
            'm' => i64::from(at.minute()),
            's' => i64::from(at.second()),
            'S' => 0,
            other => {
                out.extend(std::iter::repeat_n(other, width));
                continue;
            }
        };
        out.push_str(&format!("{number:0width$}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        // 2026-11-01T12:34:56Z
        let at_ms = 1_793_536_496_789;
        let key = |prefix, error_type, ending| {
            let parts = KeyParts { prefix, error_type, stream: "s", version: 3, at_ms, seed: "seed", ending };
            parts.key()
        };
        let name = "s-3-2026-11-01-12-34-56-";
        for (prefix, expected) in [
            ("", "2026/11/01/12/"),
            ("logs/", "logs/2026/11/01/12/"),
            ("y=!{timestamp:yyyy}/m=!{timestamp:MM}/!{timestamp:d-H'h'}/", "y=2026/m=11/1-12h/"),
            ("!{timestamp:yy/DDD/'o''clock'}/", "26/305/oclock/"),
            ("e/!{firehose:error-output-type}/", "e/http-endpoint-failed/2026/11/01/12/"),
            ("open!{", "open!{2026/11/01/12/"),
        ] {
            let found = key(prefix, "http-endpoint-failed", ".gz");
            assert!(found.starts_with(&format!("{expected}{name}")), "{prefix}: {found}");
            assert!(found.ends_with(".gz"));
        }
        let found = key("", "", "");
        let uuid = found.rsplit_once("12-34-56-").unwrap().1;
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(found, key("", "", ""), "a repeat has the same key");
        let random = key("!{firehose:random-string}/!{timestamp:yyyy}/", "", "");
        assert_eq!(random.split('/').next().unwrap().len(), 11);
    }
}
