//! AWS's published test suite (`tests/data`).

use super::*;
use crate::sigv4::canonical::{canonical_request, string_to_sign};
use sha2::{Digest, Sha256};

const SUITE: &str = include_str!("../../../tests/data/aws-signing-test-suite-v4.jsonl");
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// Reads the suite's HTTP: a request line whose target may hold blanks, headers
/// of which some go on in the next line, an empty line, a body.
fn request(text: &str) -> OwnedRequest {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let line = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for line in lines {
        if line.starts_with(' ') {
            headers.last_mut().unwrap().1.extend_from_slice(line.as_bytes());
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
    }
    let [method, path, query] = [method, path, query].map(str::to_owned);
    OwnedRequest { method, path, query, headers, body: body.as_bytes().to_vec() }
}

#[test]
fn aws_signing_test_suite() {
    let mut checked = 0;
    for line in SUITE.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| case[key].as_str().unwrap();
        let name = format!("{} ({})", text("name"), text("form"));
        let request = request(text("signed_request"));
        let result = request.check(SECRET, UnixMillis::from_seconds(1_440_938_160));
        if text("name") == "post-sts-header-after" {
            // The token was added after signing, which we refuse as unsigned.
            assert!(result.is_err(), "{name}");
            continue;
        }
        request.with(|parts| {
            let signed = parse(parts).unwrap();
            let payload_hash = hex::encode(Sha256::digest(&request.body));
            let canonical = canonical_request(parts, &signed, &payload_hash);
            assert_eq!(canonical, text("canonical_request"), "{name}");
            assert_eq!(string_to_sign(&signed, &canonical), text("string_to_sign"), "{name}");
        });
        assert!(result.is_ok(), "{name}: {result:?}");
        assert!(request.check("another secret", UnixMillis::from_seconds(1_440_938_160)).is_err());
        checked += 1;
    }
    assert_eq!(checked, SUITE.lines().count() - 2);
}
