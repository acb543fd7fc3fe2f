//! The canonical request: one text for all spellings of the same request.
//!
//! The path of most services is normalised (dot segments, double slashes) and
//! encoded once more than it was sent; S3's is encoded once, as it stands.
//! Query names and values are decoded (`+` is a space) and encoded anew, so that
//! it does not matter which characters a client chose to encode.

use super::parse::SignatureForm;
use super::{ALGORITHM, RequestParts, SignedRequest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

/// All but `A-Z a-z 0-9 - . _ ~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, and `/` stays.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The canonical request, of which every line ends in a newline but the last.
/// `payload_hash` is hexadecimal, or one of S3's words such as `UNSIGNED-PAYLOAD`.
pub fn canonical_request(parts: &RequestParts<'_>, signed: &SignedRequest, payload_hash: &str) -> String {
    let path = if signed.scope.service == "s3" { s3_path(parts.path) } else { path(parts.path) };
    let is_presigned = matches!(signed.form, SignatureForm::Presigned { .. });
    let mut names: Vec<&str> = signed.signed_headers.iter().map(String::as_str).collect();
    names.sort_unstable();
    let mut text = format!("{}\n{path}\n{}\n", parts.method, query(parts.query, is_presigned));
    for name in &names {
        text.push_str(name);
        text.push(':');
        text.push_str(&header(parts, name));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&names.join(";"));
    text.push('\n');
    text.push_str(payload_hash);
    text
}

/// What the signing key signs.
pub fn string_to_sign(signed: &SignedRequest, canonical_request: &str) -> String {
    let hash = hex::encode(Sha256::digest(canonical_request.as_bytes()));
    format!("{ALGORITHM}\n{}\n{}\n{hash}", signed.amz_date, signed.scope)
}

/// The path of every service but S3, encoded a second time.
fn path(raw: &str) -> String {
    percent_encode(normalized(raw).as_bytes(), ENCODED_IN_PATH).to_string()
}

/// S3's path: object keys may well hold `//` and `..`, so nothing is removed. A
/// slash that was sent encoded stays so, since clients sign what they send.
fn s3_path(raw: &str) -> String {
    let segments: Vec<String> = raw
        .split('/')
        .map(|segment| percent_encode(&percent_decode_str(segment).collect::<Vec<u8>>(), ENCODED).to_string())
        .collect();
    if raw.is_empty() { "/".to_owned() } else { segments.join("/") }
}

/// RFC 3986 section 5.2.4, with empty segments removed as well.
fn normalized(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let is_folder = matches!(raw.rsplit('/').next(), Some("" | "." | ".."));
    let closing = if is_folder && !segments.is_empty() { "/" } else { "" };
    format!("/{}{closing}", segments.join("/"))
}

/// Pairs sorted by their encoded name, then value. A presigned request leaves
/// out its own signature.
fn query(raw: &str, is_presigned: bool) -> String {
    let mut pairs: Vec<(String, String)> = decoded_pairs(raw)
        .filter(|(name, _)| !(is_presigned && name == b"X-Amz-Signature"))
        .map(|(name, value)| {
            (percent_encode(&name, ENCODED).to_string(), percent_encode(&value, ENCODED).to_string())
        })
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The decoded pairs of a query, in order; a name without `=` has an empty value.
pub(super) fn decoded_pairs(raw: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}

/// The values of a header, trimmed, runs of spaces collapsed, joined by commas.
/// Bytes outside UTF-8 cannot be signed by any client and never match.
fn header(parts: &RequestParts<'_>, name: &str) -> String {
    let values: Vec<String> = parts
        .header_values(name)
        .map(|value| {
            let value = String::from_utf8_lossy(value);
            let words = value.trim_matches([' ', '\t']).split(' ').filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    values.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (raw, others, s3) in [
            ("", "/", "/"),
            ("/", "/", "/"),
            ("/a/b", "/a/b", "/a/b"),
            ("/a//b/", "/a/b/", "/a//b/"),
            ("/a/./b/../c", "/a/c", "/a/./b/../c"),
            ("/a/..", "/", "/a/.."),
            ("/../../x", "/x", "/../../x"),
            ("/a/b/..", "/a/", "/a/b/.."),
            ("/a%20b", "/a%2520b", "/a%20b"),
            ("/a b", "/a%20b", "/a%20b"),
            ("/%E1%88%B4", "/%25E1%2588%25B4", "/%E1%88%B4"),
            ("/a+b=c:d", "/a%2Bb%3Dc%3Ad", "/a%2Bb%3Dc%3Ad"),
            ("/%7Efoo%2fbar", "/%257Efoo%252fbar", "/~foo%2Fbar"),
        ] {
            assert_eq!(path(raw), others, "{raw}");
            assert_eq!(s3_path(raw), s3, "{raw} of s3");
        }
    }

    #[test]
    fn queries() {
        for (raw, expected) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("a-b=1&a=1", "a=1&a-b=1"),
            ("acl", "acl="),
            ("a=x+y&b=x%20y&c=x%2By", "a=x%20y&b=x%20y&c=x%2By"),
            ("a=/b:c", "a=%2Fb%3Ac"),
            ("a=b=c", "a=b%3Dc"),
            ("%61=%7e", "a=~"),
            ("a=%zz", "a=%25zz"),
            ("a=%ff", "a=%FF"),
            ("&&a=1&", "a=1"),
            ("=1", "=1"),
            ("X-Amz-Signature=s&a=1", "X-Amz-Signature=s&a=1"),
        ] {
            assert_eq!(query(raw, false), expected, "{raw}");
        }
        assert_eq!(query("X-Amz-Signature=s&a=1", true), "a=1");
    }
}
