//! The signature of a request: read or refused; nobody without the secret passes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_iam::SecretAccessKey;
use weir_iam::sigv4::{Expected, Payload, RequestParts, parse, verify};
use weir_types::time::UnixMillis;

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (path, query, authorization, date) = input;
    let headers: [(&str, &[u8]); 3] = [
        ("host", b"localhost"),
        ("authorization", authorization.as_bytes()),
        ("x-amz-date", date.as_bytes()),
    ];
    let parts = RequestParts { method: "POST", path, query, headers: &headers, payload: Payload::Body(b"") };
    if let Ok(signed) = parse(&parts) {
        let secret = SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let service = signed.scope.service.clone();
        let expected = Expected { now: UnixMillis(1_440_938_160_000), service: &service, regions: &[] };
        assert!(verify(&parts, &signed, &secret, &expected).is_err());
    }
});
