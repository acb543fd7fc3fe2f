//! HTTP: from a request to the action that answers it.
//!
//! ```text
//! POST / ─▶ body (intake.rs) ─▶ authenticate ─▶ service, action ─▶ run ─▶ answer
//! ```
//!
//! Actions block (they use the disk), so each runs on the blocking pool. A
//! change of the network's state is answered only when the host's agent
//! enforces it, or after [`PATIENCE`].

use crate::authenticate::{self, Caller};
use crate::call::{Call, Services};
use crate::cloudwatch::{prometheus, wire::Wire};
use crate::error::ApiError;
use crate::intake::Intake;
use crate::objects;
use crate::protocol::query::Params;
use crate::service::{Answer, Service};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use http_body_util::channel::Channel;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument, error, info, info_span};
use weir_control::Scope;

/// How long a change waits for the agent before it is answered anyway.
const PATIENCE: Duration = Duration::from_secs(5);

/// The endpoint. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`.
pub fn router(services: Arc<Services>) -> Router {
    let intake = Intake::new(services.settings.body_grace);
    Router::new().fallback(handle).with_state(Arc::new(Endpoint { services, intake }))
}

struct Endpoint {
    services: Arc<Services>,
    intake: Intake,
}

/// A request that has been read.
pub struct Received {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

async fn handle(
    State(endpoint): State<Arc<Endpoint>>,
    peer: ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let request_id = request_id();
    let span = info_span!("request", id = %request_id);
    let (parts, body) = request.into_parts();
    let services = endpoint.services.clone();
    if let Some(response) = outside_aws(&services, &parts) {
        return response;
    }
    if let Some(endpoint) = services.objects.get().filter(|_| objects::are_asked_for(&parts)) {
        return objects::answer(endpoint, parts, body, peer.0).instrument(span).await;
    }
    let likely = Service::of_headers(&parts.headers);
    let taken = match endpoint.intake.read(&parts.headers, body).await {
        Ok(taken) => taken,
        Err(error) => {
            info!(parent: &span, code = %error.code, "refused");
            // What is left of the body is not waited for.
            let mut response = respond(likely.failure(&parts.headers, &error, &request_id), &request_id);
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
    };
    let body = taken.body.clone();
    let headers = parts.headers.clone();
    let received = Received { method: parts.method, uri: parts.uri, headers: parts.headers, body };
    // Its turn and the body's room are given back with the answer.
    let _turn = endpoint.intake.turn().await;
    let (id, ip) = (request_id.clone(), peer.0.ip());
    let work = tokio::task::spawn_blocking(move || span.in_scope(|| answer(&services, &received, id, ip)));
    match work.instrument(info_span!("wait")).await {
        Ok(answer) => respond(answer, &request_id),
        Err(panic) => {
            error!(%panic, "an action panicked");
            respond(likely.failure(&headers, &ApiError::internal(panic), &request_id), &request_id)
        }
    }
}

/// Paths that no AWS service has.
fn outside_aws(services: &Services, parts: &Parts) -> Option<Response> {
    // S3's clients may have a bucket of this name.
    let scraped = !parts.headers.contains_key(header::AUTHORIZATION) && parts.uri.query().is_none();
    match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/_weir/health") => Some(plain(StatusCode::OK, "{\"status\":\"running\"}\n")),
        (&Method::GET, "/metrics") if scraped && services.settings.open_metrics => {
            let mut response = plain(StatusCode::OK, &prometheus::render(&services.metrics));
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            Some(response)
        }
        (&Method::GET, "/metrics") if scraped => {
            let text = "{\"message\":\"metrics are served without credentials, so only by a server that listens on loopback\"}\n";
            Some(plain(StatusCode::FORBIDDEN, text))
        }
        (&Method::POST, "/moto-api/reset") if services.settings.emulator => {
            let done = services.state.reset().map_err(|e| e.to_string());
            let done = done.and_then(|()| services.logs.clear().map_err(|e| e.to_string()));
            let clear = |endpoint: &weir_objects::Endpoint| endpoint.clear().map_err(|e| e.to_string());
            let done = done.and_then(|()| services.objects.get().map_or(Ok(()), clear));
            services.metrics.clear();
            services.insights.clear();
            Some(match done {
                Ok(()) => plain(StatusCode::OK, "{\"status\":\"ok\"}"),
                Err(message) => plain(StatusCode::INTERNAL_SERVER_ERROR, &message),
            })
        }
        _ => None,
    }
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn answer(services: &Services, received: &Received, request_id: String, ip: std::net::IpAddr) -> Answer {
    let target = received.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let is_form = target.is_none() && Wire::of(&received.headers) != Wire::Cbor;
    let params = match query_params(received, !is_form) {
        Ok(params) => params,
        Err(error) => {
            let headers = &received.headers;
            return Service::of_headers(headers).failure(headers, &error, &request_id);
        }
    };
    let guess = Service::guess(target, params.get("Version"));
    let now = (services.clock)();
    let caller = match authenticate::caller(services, received, guess, now) {
        Ok(caller) => caller,
        Err((service, error)) => {
            info!(code = %error.code, message = %error.message, "refused");
            return service.failure(&received.headers, &error, &request_id);
        }
    };
    if let Err(error) = caller.service.check_content_type(&received.headers, &received.body) {
        return caller.service.failure(&received.headers, &error, &request_id);
    }
    let by_path = Some(received.uri.path()).filter(|_| caller.service == Service::CloudWatch);
    let action = match (target, by_path.and_then(Wire::action)) {
        (_, Some(action)) => action,
        (Some(target), None) => caller.service.target_action(target),
        (None, None) => params.get("Action").unwrap_or_default(),
    };
    let account = caller.account().unwrap_or(&services.settings.account).to_owned();
    let Caller { principal, service, region, source, session } = caller;
    let user_agent = received.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let call = Call {
        services,
        service,
        principal,
        session,
        scope: Scope::new(account, region),
        now,
        request_id,
        source,
        source_ip: Some(ip),
        user_agent: user_agent.map(str::to_owned),
    };
    match service.run(&call, action, &params, (&received.headers, &received.body)) {
        Ok(answer) => {
            info!(?service, action, "done");
            wait_until_enforced(&call, service, action);
            answer
        }
        Err(error) => {
            match &error.cause {
                Some(cause) => error!(?service, action, cause, "failed"),
                None => info!(?service, action, code = %error.code, message = %error.message, "refused"),
            }
            service.failure(&received.headers, &error, &call.request_id)
        }
    }
}

/// The query string and, if it is a form, the body.
fn query_params(received: &Received, is_no_form: bool) -> Result<Params, ApiError> {
    let query = received.uri.query().unwrap_or_default().as_bytes();
    if is_no_form || received.body.is_empty() {
        return Params::parse(query);
    }
    let mut form = query.to_vec();
    form.push(b'&');
    form.extend_from_slice(&received.body);
    Params::parse(&form)
}

fn wait_until_enforced(call: &Call<'_>, service: Service, action: &str) {
    let reads = ["Describe", "Get", "List"].iter().any(|verb| action.starts_with(verb));
    if reads || !matches!(service, Service::Ec2 | Service::Weir) {
        return;
    }
    if let Ok(generation) = call.services.state.generation()
        && !call.services.host.wait_applied(generation, PATIENCE)
    {
        tracing::warn!(action, generation, "the agent has not applied the change yet");
    }
}

fn respond(answer: Answer, request_id: &str) -> Response {
    let body = match answer.stream {
        Some(mut frames) => {
            let (mut sender, body) = Channel::<Bytes>::new(1);
            tokio::spawn(async move {
                while let Some(frame) = frames.recv().await {
                    if sender.send_data(frame).await.is_err() {
                        return;
                    }
                }
            });
            Body::new(body)
        }
        None => Body::from(answer.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    if let Some(kind) = answer.error_type.and_then(|kind| HeaderValue::from_str(&kind).ok()) {
        headers.insert("x-amzn-errortype", kind);
    }
    response
}

/// A random UUID (RFC 9562, version 4).
fn request_id() -> String {
    let mut bytes = [0u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        tracing::warn!("the operating system gave no random numbers for a request id");
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
