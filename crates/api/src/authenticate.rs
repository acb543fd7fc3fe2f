//! Who signed a request.
//!
//! The credential scope of the signature names service and region; the access
//! key names the principal. Nothing a request claims is believed before its
//! signature is found good:
//!
//! ```text
//! claims ─▶ service, region ─▶ access key ─▶ signature, clock ─▶ session token ─▶ expiry ─▶ Caller
//! ```
//!
//! In emulator mode any credentials are accepted and the caller is the account's
//! root, unless the key is one that was made here; then it is who the key stands
//! for, and tests of permissions work without signatures.
//!
//! IAM and STS are global services: clients sign for `us-east-1`, `aws-global`
//! or their own region, and all of them are accepted.

use crate::call::Services;
use crate::dispatch::Received;
use crate::error::{ApiError, chain};
use crate::service::Service;
use weir_control::principal::{self, Credential, Session, user_key};
use weir_control::region::is_region;
use weir_control::{Cx, Scope, Tx};
use weir_iam::Principal;
use weir_iam::sigv4::errors::{self, SigError};
use weir_iam::sigv4::{self, Expected, Payload, RequestParts, SignedRequest};
use weir_types::time::UnixMillis;

/// Who calls, and what for.
#[derive(Debug)]
pub struct Caller {
    pub principal: Principal,
    pub service: Service,
    /// The region of the credential scope.
    pub region: String,
    /// On whose behalf a service calls: `aws:SourceAccount` and `aws:SourceArn`.
    /// Empty for everybody else.
    pub source: Vec<(&'static str, String)>,
    /// The session of temporary credentials.
    pub session: Option<Session>,
}

/// The headers in which a service says on whose behalf it calls. They are
/// believed of service principals only, whose keys never leave the server.
const SOURCE_HEADERS: [(&str, &str); 2] =
    [("x-amz-source-account", "aws:SourceAccount"), ("x-amz-source-arn", "aws:SourceArn")];

impl Caller {
    /// The account that the call is about: the caller's own, or the one on whose
    /// behalf a service calls.
    pub fn account(&self) -> Option<&str> {
        let is_account = |text: &&str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        let source = self.source.iter().find(|(key, _)| *key == "aws:SourceAccount");
        self.principal.account().or(source.map(|(_, account)| account.as_str()).filter(is_account))
    }
}

/// The caller of a request. `guess` is the service by the protocol's own marks:
/// what unsigned requests are answered as. The error is to be rendered by the
/// service beside it.
pub fn caller(
    services: &Services,
    received: &Received,
    guess: Option<Service>,
    now: UnixMillis,
) -> Result<Caller, (Service, ApiError)> {
    let headers: Vec<(&str, &[u8])> =
        received.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let parts = RequestParts {
        method: received.method.as_str(),
        path: received.uri.path(),
        query: received.uri.query().unwrap_or_default(),
        headers: &headers,
        payload: Payload::Body(&received.body),
    };
    let signed = match sigv4::parse(&parts) {
        Ok(signed) => signed,
        Err(_) if services.settings.emulator => return unsigned(services, guess),
        Err(error) => return Err(refused(guess.unwrap_or(Service::Logs), &error)),
    };
    let service = named_service(&signed, received)?;
    let region = region(services, service, &signed).map_err(|error| refused(service, &error))?;
    let credential = services
        .state
        .transact(|tx| principal::credential(tx, &signed.access_key_id))
        .map_err(|error| (service, ApiError::from(error)))?;
    let credential = if services.settings.emulator {
        credential
    } else {
        Some(verified(credential, &parts, &signed, now).map_err(|error| refused(service, &error))?)
    };
    let (principal, session) = match credential {
        Some(credential) => (credential.principal, credential.session),
        None => (root(services), None),
    };
    if service == Service::Iam && session.as_ref().is_some_and(|session| !session.is_role()) {
        // Sessions of users, the root user and federated users are not for IAM.
        return Err(refused(service, &SigError::InvalidSessionToken));
    }
    note_use(services, &principal, &signed, &region, now).map_err(|error| (service, error))?;
    let source = source(&principal, received, &signed);
    Ok(Caller { principal, service, region, source, session })
}

/// Keeps when the key of a user, or a role, was last used.
fn note_use(
    services: &Services,
    principal: &Principal,
    signed: &SignedRequest,
    region: &str,
    now: UnixMillis,
) -> Result<(), ApiError> {
    if !matches!(principal, Principal::User { .. } | Principal::AssumedRole { .. }) {
        return Ok(());
    }
    let scope = Scope::new(principal.account().unwrap_or_default(), region);
    let note = |tx: &Tx<'_>| {
        user_key::note_use(Cx { tx, scope: &scope, now }, &signed.access_key_id, &signed.scope.service)
    };
    services.state.transact(note).map_err(ApiError::from)
}

/// The credential, if the request was signed with it and it is still good.
fn verified(
    credential: Option<Credential>,
    parts: &RequestParts<'_>,
    signed: &SignedRequest,
    now: UnixMillis,
) -> Result<Credential, SigError> {
    let credential = credential.ok_or(SigError::UnknownAccessKey)?;
    let expected = Expected { now, service: &signed.scope.service, regions: &[] };
    sigv4::verify(parts, signed, &credential.secret, &expected)?;
    sigv4::check_session_token(signed, credential.session.as_ref().map(|session| &session.token))?;
    if credential.session.as_ref().is_some_and(|session| session.expires <= now) {
        return Err(SigError::CredentialsExpired);
    }
    Ok(credential)
}

/// The service of the credential scope. It counts even if the protocol's marks
/// say another one. A client of a service that is not here is told so in a form
/// that it can read: JSON if it speaks JSON, else XML (S3, SQS, ...).
fn named_service(signed: &SignedRequest, received: &Received) -> Result<Service, (Service, ApiError)> {
    let name = &signed.scope.service;
    Service::from_scope(name).ok_or_else(|| {
        let known = Service::NAMES.map(|(name, _)| name).join(", ");
        let message = format!("This endpoint has no service '{name}'. It has: {known}.");
        let is_json = received.headers.contains_key("x-amz-target");
        let style = if is_json { Service::Logs } else { Service::Sts };
        (style, ApiError::new("UnknownServiceException", message))
    })
}

fn region(services: &Services, service: Service, signed: &SignedRequest) -> Result<String, SigError> {
    let given = signed.scope.region.as_str();
    let local = services.settings.region.as_str();
    if service.is_global() && given == weir_control::Scope::GLOBAL {
        return Ok(local.to_owned());
    }
    if given == local || is_region(given) {
        return Ok(given.to_owned());
    }
    Err(SigError::WrongRegion { given: given.to_owned(), expected: local.to_owned() })
}

/// Emulator mode: a request without a readable signature.
fn unsigned(services: &Services, guess: Option<Service>) -> Result<Caller, (Service, ApiError)> {
    let service = guess.ok_or_else(|| {
        let message = "The request is not signed, and neither its X-Amz-Target nor its Version says which service it is for";
        (Service::Logs, ApiError::new("UnknownServiceException", message))
    })?;
    Ok(Caller {
        principal: root(services),
        service,
        region: services.settings.region.clone(),
        source: Vec::new(),
        session: None,
    })
}

fn root(services: &Services) -> Principal {
    Principal::Root { account: services.settings.account.clone() }
}

/// On whose behalf a service calls, as far as its signature covers it.
fn source(principal: &Principal, received: &Received, signed: &SignedRequest) -> Vec<(&'static str, String)> {
    if !matches!(principal, Principal::Service { .. }) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (header, key) in SOURCE_HEADERS {
        let mut values = received.headers.get_all(header).iter();
        let is_signed = signed.signed_headers.iter().any(|name| name == header);
        if let (Some(value), None, true) = (values.next(), values.next(), is_signed)
            && let Ok(text) = value.to_str()
        {
            found.push((key, text.to_owned()));
        }
    }
    found
}

fn refused(service: Service, error: &SigError) -> (Service, ApiError) {
    let told = ApiError::from(errors::wire(error, service.error_protocol()));
    tracing::debug!(reason = %chain(error), "not signed in");
    (service, told)
}

#[cfg(test)]
mod tests;
