mod errors;
mod signer;
mod suite;
mod tampering;

use super::*;
use crate::secret::SecretAccessKey;
use weir_types::time::UnixMillis;

/// A request that owns its parts, to change them at will.
#[derive(Debug, Clone)]
struct OwnedRequest {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl OwnedRequest {
    fn with<T>(&self, use_parts: impl FnOnce(&RequestParts<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        use_parts(&RequestParts {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            payload: Payload::Body(&self.body),
        })
    }

    fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    }

    fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        String::from_utf8(found.unwrap().1.clone()).unwrap()
    }

    /// Reads the claims and verifies them, for whatever service they name.
    fn check(&self, secret: &str, now: UnixMillis) -> Result<SignedRequest, SigError> {
        self.with(|parts| {
            let signed = parse(parts)?;
            let service = signed.scope.service.clone();
            let expected = Expected { now, service: &service, regions: &[] };
            verify(parts, &signed, &SecretAccessKey::new(secret), &expected)?;
            Ok(signed)
        })
    }
}
