//! Is the signature the one that the owner of the secret would have made, now,
//! for this service, over this very request?

use super::canonical::{canonical_request, string_to_sign};
use super::errors::{SigError, SignatureMismatch};
use super::parse::SignatureForm;
use super::{MAX_SKEW_SECONDS, Payload, RequestParts, SignedRequest, TERMINATOR};
use crate::names::is_temporary_access_key;
use crate::secret::{SecretAccessKey, SessionToken};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use weir_types::time::UnixMillis;
use zeroize::Zeroizing;

/// What a signature must be good for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub now: UnixMillis,
    /// The signing name of the service that will answer.
    pub service: &'a str,
    /// The regions whose scope is accepted; any when empty. IAM and STS take
    /// `us-east-1` besides the local one.
    pub regions: &'a [&'a str],
}

/// Headers that clients send unsigned though their names begin with `x-amz-`;
/// nothing is decided by them.
const UNSIGNED_ALLOWED: [&str; 2] = ["x-amz-user-agent", "x-amz-checksum-mode"];

/// Checks scope, clock, header rules, signature and body, in this order, with
/// the secret of `signed.access_key_id`. The session token is not looked at:
/// [`check_session_token`].
pub fn verify(
    parts: &RequestParts<'_>,
    signed: &SignedRequest,
    secret: &SecretAccessKey,
    expected: &Expected<'_>,
) -> Result<(), SigError> {
    check_scope(signed, expected)?;
    check_clock(signed, expected.now)?;
    check_signed_headers(parts, signed)?;
    let is_s3 = signed.scope.service == "s3";
    let body_hash = body_hash(parts);
    let payload_hash = if is_s3 { s3_payload_hash(parts, signed)? } else { body_hash.clone() };
    let canonical_request = canonical_request(parts, signed, &payload_hash);
    let string_to_sign = string_to_sign(signed, &canonical_request);
    let signature = signature(secret, signed, &string_to_sign);
    // The hexadecimal digits are compared, so that only lower case is accepted.
    let is_equal =
        signature.is_some_and(|signature| signature.as_bytes().ct_eq(signed.signature.as_bytes()).into());
    if !is_equal {
        let provided = signed.signature.clone();
        let mismatch = SignatureMismatch { canonical_request, string_to_sign, provided };
        return Err(SigError::SignatureDoesNotMatch(Box::new(mismatch)));
    }
    if is_s3 && is_hash(&payload_hash) && payload_hash != body_hash {
        return Err(SigError::ContentSha256Mismatch { client: payload_hash, server: body_hash });
    }
    Ok(())
}

/// Temporary credentials (`ASIA…`) need the very token they came with, and
/// long-term ones have none. `stored` is the token that belongs to the key.
pub fn check_session_token(signed: &SignedRequest, stored: Option<&SessionToken>) -> Result<(), SigError> {
    let is_temporary = is_temporary_access_key(&signed.access_key_id);
    match (&signed.session_token, stored) {
        (None, None) if !is_temporary => Ok(()),
        (Some(given), Some(stored)) if given.matches(stored) => Ok(()),
        _ => Err(SigError::InvalidSessionToken),
    }
}

fn check_scope(signed: &SignedRequest, expected: &Expected<'_>) -> Result<(), SigError> {
    let scope = &signed.scope;
    if scope.terminator != TERMINATOR {
        return Err(SigError::WrongTerminator(scope.terminator.clone()));
    }
    if !expected.regions.is_empty() && !expected.regions.contains(&scope.region.as_str()) {
        return Err(SigError::WrongRegion {
            given: scope.region.clone(),
            expected: expected.regions.join(", "),
        });
    }
    if scope.service != expected.service {
        return Err(SigError::WrongService {
            given: scope.service.clone(),
            expected: expected.service.to_owned(),
        });
    }
    if !signed.amz_date.starts_with(&scope.date) || scope.date.len() != 8 {
        return Err(SigError::WrongScopeDate {
            given: scope.date.clone(),
            signed_at: signed.amz_date.clone(),
        });
    }
    Ok(())
}

fn check_clock(signed: &SignedRequest, now: UnixMillis) -> Result<(), SigError> {
    let signed_at = signed.signed_at;
    if signed_at > now.plus_seconds(MAX_SKEW_SECONDS) {
        return Err(SigError::NotYetCurrent { signed_at, now });
    }
    match signed.form {
        SignatureForm::Header if signed_at < now.plus_seconds(-MAX_SKEW_SECONDS) => {
            Err(SigError::Expired { signed_at, now })
        }
        SignatureForm::Presigned { expires_seconds }
            if signed_at.plus_seconds(i64::from(expires_seconds)) < now =>
        {
            Err(SigError::PresignedExpired { signed_at, expires_seconds, now })
        }
        _ => Ok(()),
    }
}

/// `host` must be signed, and so must every `x-amz-…` header, since the service
/// would otherwise obey what anybody on the way could have written.
fn check_signed_headers(parts: &RequestParts<'_>, signed: &SignedRequest) -> Result<(), SigError> {
    let is_signed = |name: &str| signed.signed_headers.iter().any(|signed| signed == name);
    if !is_signed("host") {
        return Err(SigError::HostNotSigned);
    }
    let mut unsigned: Vec<String> = parts
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| name.starts_with("x-amz-"))
        .filter(|name| !is_signed(name) && !UNSIGNED_ALLOWED.contains(&name.as_str()))
        .collect();
    unsigned.sort_unstable();
    unsigned.dedup();
    if unsigned.is_empty() { Ok(()) } else { Err(SigError::HeadersNotSigned(unsigned)) }
}

fn body_hash(parts: &RequestParts<'_>) -> String {
    match parts.payload {
        Payload::Body(body) => hex::encode(Sha256::digest(body)),
        Payload::Sha256(hash) => hex::encode(hash),
    }
}

/// S3 signs what `x-amz-content-sha256` says, and its presigned URLs nothing.
fn s3_payload_hash(parts: &RequestParts<'_>, signed: &SignedRequest) -> Result<String, SigError> {
    let Some(value) = parts.header("x-amz-content-sha256") else {
        return match signed.form {
            SignatureForm::Presigned { .. } => Ok("UNSIGNED-PAYLOAD".to_owned()),
            SignatureForm::Header => Err(SigError::MissingContentSha256),
        };
    };
    const WORDS: [&str; 4] = [
        "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    ];
    if WORDS.contains(&value) || is_hash(value) {
        Ok(value.to_owned())
    } else {
        Err(SigError::InvalidContentSha256)
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// None if the key schedule fails, which it does not: HMAC takes keys of any length.
fn signature(secret: &SecretAccessKey, signed: &SignedRequest, string_to_sign: &str) -> Option<String> {
    let scope = &signed.scope;
    let first = Zeroizing::new(format!("AWS4{}", secret.expose()));
    let mut key = hmac(first.as_bytes(), scope.date.as_bytes())?;
    for part in [&scope.region, &scope.service, &scope.terminator] {
        key = hmac(&*key, part.as_bytes())?;
    }
    Some(hex::encode(*hmac(&*key, string_to_sign.as_bytes())?))
}

fn hmac(key: &[u8], message: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(message);
    Some(Zeroizing::new(mac.finalize().into_bytes().into()))
}
