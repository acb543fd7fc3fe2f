//! S3 on the same endpoint: which requests are its, and who may do what.
//!
//! S3's clients sign in their own way and send bodies of any size, so their
//! requests do not go the way of the other services: `weir-objects` reads them
//! and asks here for secrets and permissions.

use crate::call::{Call, Services};
use crate::service::Service;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Request, Uri, header};
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use weir_control::Scope;
use weir_control::principal::{self, Credential, Session};
use weir_iam::secret::SessionToken;
use weir_iam::{DocumentKind, NamedPolicy, PolicyDocument, Principal};
use weir_objects::{Ask, Denied, Endpoint, Gate, Peer, Store};

/// Begins to answer S3's requests with what is in `store`. A second call has no
/// effect.
pub fn serve(services: &Arc<Services>, store: Arc<Store>) {
    let settings = &services.settings;
    let gate: Option<Arc<dyn Gate>> = if settings.emulator {
        None
    } else {
        Some(Arc::new(Permissions { services: Arc::downgrade(services) }))
    };
    let endpoint = Endpoint::new(store, gate, &settings.account, &settings.region);
    drop(services.objects.set(endpoint));
}

/// Whether a request is S3's: by the service of its signature, and unsigned by
/// a path, which no other service has.
pub fn are_asked_for(parts: &Parts) -> bool {
    if parts.headers.contains_key("x-amz-target") {
        return false;
    }
    let signed = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match signed {
        Some(signed) => signed.contains("/s3/aws4_request") || signed.starts_with("AWS "),
        None if is_presigned(&parts.uri, "x-amz-credential=") => {
            is_presigned(&parts.uri, "s3%2faws4_request") || is_presigned(&parts.uri, "s3/aws4_request")
        }
        None => parts.uri.path().len() > 1 || names_bucket(parts),
    }
}

/// A bucket is named by the host: no other service's requests are unsigned so.
fn names_bucket(parts: &Parts) -> bool {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_form = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    weir_objects::bucket_of(host).is_some() && !is_form
}

fn is_presigned(uri: &Uri, mark: &str) -> bool {
    uri.query().is_some_and(|query| query.to_ascii_lowercase().contains(mark))
}

/// Answers a request of S3's.
pub async fn answer(endpoint: &Endpoint, parts: Parts, body: Body, peer: SocketAddr) -> Response {
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(Peer(peer.ip()));
    endpoint.handle(request).await.map(Body::new)
}

/// Keys and policies of the account.
struct Permissions {
    /// The services own the endpoint, which owns this.
    services: Weak<Services>,
}

fn denied(code: &'static str, message: impl Into<String>) -> Denied {
    Denied { code, message: message.into() }
}

fn internal(error: impl std::fmt::Display) -> Denied {
    tracing::error!(%error, "S3");
    denied("InternalError", "We encountered an internal error. Please try again.")
}

impl Permissions {
    fn credential(&self, access_key_id: &str) -> Result<Option<Credential>, Denied> {
        let services = self.services.upgrade().ok_or_else(|| internal("the server stops"))?;
        services.state.transact(|tx| principal::credential(tx, access_key_id)).map_err(internal)
    }

    /// Who signed a request. s3s has checked the signature, but does not know of tokens.
    fn caller(&self, services: &Services, ask: &Ask<'_>) -> Result<(Principal, Option<Session>), Denied> {
        let Some(id) = ask.access_key_id else { return Ok((Principal::Anonymous, None)) };
        let unknown = || {
            denied("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        };
        let credential = self.credential(id)?.ok_or_else(unknown)?;
        let token = ask.session_token.map(SessionToken::new);
        let is_right = match (&credential.session, &token) {
            (Some(session), Some(token)) => session.token.matches(token),
            (None, None) => true,
            _ => false,
        };
        if !is_right {
            return Err(denied("InvalidToken", "The provided token is malformed or otherwise invalid."));
        }
        if credential.session.as_ref().is_some_and(|session| session.expires <= (services.clock)()) {
            return Err(denied("ExpiredToken", "The provided token has expired."));
        }
        Ok((credential.principal, credential.session))
    }
}

impl Gate for Permissions {
    fn secret(&self, access_key_id: &str) -> Option<String> {
        let credential = self.credential(access_key_id).ok()??;
        Some(credential.secret.expose().to_owned())
    }

    fn check(&self, ask: &Ask<'_>) -> Result<String, Denied> {
        let services = self.services.upgrade().ok_or_else(|| internal("the server stops"))?;
        let (principal, session) = self.caller(&services, ask)?;
        // Only services say on whose behalf they call.
        let is_service = matches!(principal, Principal::Service { .. });
        let context: Vec<(&str, &str)> =
            ask.context.iter().filter(|(key, _)| is_service || !key.starts_with("aws:")).copied().collect();
        let account = principal.account().or(ask.owner).unwrap_or(&services.settings.account).to_owned();
        let call = Call {
            services: &services,
            service: Service::Sts,
            principal,
            session,
            scope: Scope::new(account.clone(), services.settings.region.clone()),
            now: (services.clock)(),
            request_id: String::new(),
            source: Vec::new(),
            source_ip: ask.source_ip,
            user_agent: None,
        };
        // It was checked when it was put.
        let policy =
            ask.bucket_policy.and_then(|text| PolicyDocument::parse(text, DocumentKind::Resource).ok());
        let policies = policy.iter().map(|document| NamedPolicy::new(ask.resource, document)).collect();
        let decision = call.decide_on(ask.action, ask.resource, ask.owner, policies, &context);
        match decision {
            Ok(None) => Ok(account),
            Ok(Some(message)) => Err(denied("AccessDenied", message)),
            Err(error) => Err(internal(error.message)),
        }
    }

    fn check_policy(&self, policy: &str) -> Result<(), String> {
        PolicyDocument::parse(policy, DocumentKind::Resource).map(drop).map_err(|error| error.to_string())
    }
}
