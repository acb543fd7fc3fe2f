//! What a request claims about its signature: the `Authorization` header, or the
//! `X-Amz-…` parameters of a presigned URL.
//!
//! ```text
//! Authorization: AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/ec2/aws4_request,
//!                SignedHeaders=host;x-amz-date, Signature=<64 hexadecimal digits>
//! ```

use super::canonical::decoded_pairs;
use super::clock;
use super::errors::SigError;
use super::{ALGORITHM, MAX_EXPIRES_SECONDS, RequestParts};
use crate::secret::SessionToken;
use std::fmt;
use weir_types::time::UnixMillis;

/// `date/region/service/terminator`: what a signing key is good for. As claimed,
/// not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialScope {
    /// `YYYYMMDD`
    pub date: String,
    pub region: String,
    /// The signing name of the service, such as `ec2`, `logs`, `s3`: what a
    /// server that has several services on one port routes by.
    pub service: String,
    /// `aws4_request`
    pub terminator: String,
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, region, service, terminator } = self;
        write!(f, "{date}/{region}/{service}/{terminator}")
    }
}

/// Where the signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureForm {
    /// In the `Authorization` header.
    Header,
    /// In the query.
    Presigned { expires_seconds: u32 },
}

/// A request's claims, well-formed but unverified.
#[derive(Debug, Clone)]
pub struct SignedRequest {
    pub form: SignatureForm,
    /// The key to look up: `AKIA…` or `ASIA…`.
    pub access_key_id: String,
    pub scope: CredentialScope,
    /// In lower case, at least one.
    pub signed_headers: Vec<String>,
    /// As sent.
    pub signature: String,
    /// When it was signed: `X-Amz-Date`, or the `Date` header.
    pub signed_at: UnixMillis,
    /// The same in basic format, which is part of what was signed.
    pub amz_date: String,
    /// `X-Amz-Security-Token`, from where the signature stands.
    pub session_token: Option<SessionToken>,
}

/// Reads the claims. [`SigError::MissingAuthentication`] when there are none.
pub fn parse(parts: &RequestParts<'_>) -> Result<SignedRequest, SigError> {
    let mut authorization = parts.header_values("authorization");
    let parameters = Parameters::read(parts.query)?;
    match (authorization.next(), authorization.next()) {
        (None, _) if parameters.is_signature() => presigned(parameters),
        (None, _) => Err(SigError::MissingAuthentication),
        (Some(_), Some(_)) => Err(SigError::MalformedAuthorization(
            "The Authorization header is given more than once.".to_owned(),
        )),
        (Some(_), None) if parameters.is_signature() => Err(SigError::MalformedAuthorization(
            "The request has an Authorization header and a signature in its query; only one is allowed."
                .to_owned(),
        )),
        (Some(value), None) => header(parts, &String::from_utf8_lossy(value)),
    }
}

fn header(parts: &RequestParts<'_>, value: &str) -> Result<SignedRequest, SigError> {
    let malformed = |what: String| Err(SigError::MalformedAuthorization(what));
    let (algorithm, rest) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    if algorithm != ALGORITHM {
        return Err(SigError::UnsupportedAlgorithm(algorithm.to_owned()));
    }
    let [mut credential, mut signature, mut signed_headers] = [None, None, None];
    for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let place = match name {
            "Credential" => &mut credential,
            "Signature" => &mut signature,
            "SignedHeaders" => &mut signed_headers,
            _ => return malformed(format!("'{part}' is no key=value pair of the Authorization header.")),
        };
        if place.replace(value.trim()).is_some() {
            return malformed(format!("Authorization header has '{name}' more than once."));
        }
    }
    let date = parts.header("x-amz-date").or_else(|| parts.header("date"));
    let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (credential, signature, signed_headers, date)
    else {
        let mut message = String::new();
        for (name, missing) in [
            ("Credential", credential.is_none()),
            ("Signature", signature.is_none()),
            ("SignedHeaders", signed_headers.is_none()),
        ] {
            if missing {
                message += &format!("Authorization header requires '{name}' parameter. ");
            }
        }
        if date.is_none() {
            message +=
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
        }
        return malformed(message + "Authorization=" + algorithm);
    };
    let (access_key_id, scope) = parse_credential(credential).map_err(SigError::MalformedAuthorization)?;
    let signed_at = match parts.header("x-amz-date") {
        Some(date) => clock::parse_basic(date),
        None => clock::parse_header(date),
    };
    let Some(signed_at) = signed_at else { return malformed(not_a_date(date)) };
    Ok(SignedRequest {
        form: SignatureForm::Header,
        access_key_id,
        scope,
        signed_headers: parse_signed_headers(signed_headers).map_err(SigError::MalformedAuthorization)?,
        signature: signature.to_owned(),
        signed_at,
        amz_date: clock::basic(signed_at),
        session_token: parts.header("x-amz-security-token").map(SessionToken::new),
    })
}

fn presigned(parameters: Parameters) -> Result<SignedRequest, SigError> {
    let malformed = |what: String| Err(SigError::MalformedQuery(what));
    if let Some(algorithm) = parameters.algorithm.filter(|algorithm| algorithm != ALGORITHM) {
        return Err(SigError::UnsupportedAlgorithm(algorithm));
    }
    let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (&parameters.credential, &parameters.signature, &parameters.signed_headers, &parameters.date)
    else {
        let mut message = String::new();
        for (name, missing) in [
            ("X-Amz-Credential", parameters.credential.is_none()),
            ("X-Amz-Signature", parameters.signature.is_none()),
            ("X-Amz-SignedHeaders", parameters.signed_headers.is_none()),
            ("X-Amz-Date", parameters.date.is_none()),
        ] {
            if missing {
                message += &format!("AWS query-string parameters must include '{name}'. ");
            }
        }
        return malformed(message + "Re-examine the query-string parameters.");
    };
    let (access_key_id, scope) = parse_credential(credential).map_err(SigError::MalformedQuery)?;
    let Some(signed_at) = clock::parse_basic(date) else { return malformed(not_a_date(date)) };
    // Only S3 insists on X-Amz-Expires; without one the usual 15 minutes count.
    let expires_seconds = match &parameters.expires {
        None if scope.service == "s3" => {
            return malformed("AWS query-string parameters must include 'X-Amz-Expires'.".to_owned());
        }
        None => 900,
        Some(text) => match text.parse() {
            Ok(seconds @ 1..=MAX_EXPIRES_SECONDS) => seconds,
            _ => {
                return malformed(format!(
                    "X-Amz-Expires must be a number of seconds from 1 to {MAX_EXPIRES_SECONDS}, not '{text}'."
                ));
            }
        },
    };
    Ok(SignedRequest {
        form: SignatureForm::Presigned { expires_seconds },
        access_key_id,
        scope,
        signed_headers: parse_signed_headers(signed_headers).map_err(SigError::MalformedQuery)?,
        signature: signature.clone(),
        signed_at,
        amz_date: clock::basic(signed_at),
        session_token: parameters.token.map(SessionToken::new),
    })
}

fn parse_credential(text: &str) -> Result<(String, CredentialScope), String> {
    let elements: Vec<&str> = text.split('/').collect();
    match elements.as_slice() {
        [key, date, region, service, terminator] if !key.is_empty() => Ok((
            (*key).to_owned(),
            CredentialScope {
                date: (*date).to_owned(),
                region: (*region).to_owned(),
                service: (*service).to_owned(),
                terminator: (*terminator).to_owned(),
            },
        )),
        _ => Err(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'"
        )),
    }
}

fn parse_signed_headers(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split(';').map(str::to_ascii_lowercase).collect();
    if names.iter().any(String::is_empty) {
        return Err(format!("SignedHeaders '{text}' holds an empty header name."));
    }
    Ok(names)
}

fn not_a_date(text: &str) -> String {
    format!(
        "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )
}

/// The parameters of a presigned URL.
#[derive(Default)]
struct Parameters {
    algorithm: Option<String>,
    credential: Option<String>,
    date: Option<String>,
    expires: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    token: Option<String>,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, SigError> {
        let mut found = Self::default();
        for (name, value) in decoded_pairs(query) {
            let place = match name.as_slice() {
                b"X-Amz-Algorithm" => &mut found.algorithm,
                b"X-Amz-Credential" => &mut found.credential,
                b"X-Amz-Date" => &mut found.date,
                b"X-Amz-Expires" => &mut found.expires,
                b"X-Amz-SignedHeaders" => &mut found.signed_headers,
                b"X-Amz-Signature" => &mut found.signature,
                b"X-Amz-Security-Token" => &mut found.token,
                _ => continue,
            };
            if place.replace(String::from_utf8_lossy(&value).into_owned()).is_some() {
                let name = String::from_utf8_lossy(&name).into_owned();
                return Err(SigError::MalformedQuery(format!(
                    "AWS query-string parameters have '{name}' more than once."
                )));
            }
        }
        Ok(found)
    }

    fn is_signature(&self) -> bool {
        self.algorithm.is_some() || self.signature.is_some()
    }
}
