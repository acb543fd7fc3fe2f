//! A whole endpoint in memory, for tests of actions.
//!
//! [`World::new`] is an account with a root user and a clock that stands still;
//! [`World::emulator`] is the same in emulator mode. A [`Client`] signs as the
//! AWS SDKs do (with their own signer) and sends through the router, so that a
//! test sees what a client sees: sign-in, permissions, dispatch, XML or JSON.
//! `world.root()` is the root user's client; [`World::role`] makes a role and
//! [`Client::assume`] a client of a session of it, to test what a policy denies.
//! An answer is asserted with [`Reply::ok`] or [`Reply::code`]:
//!
//! ```ignore
//! let world = World::new();
//! let vpc = world.root().query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok();
//! assert_eq!(vpc.text("cidrBlock"), "10.0.0.0/16");
//! world.role("reader", &allow("logs:Get*"));
//! let reader = world.root().assume("reader");
//! let denied = reader.json("logs", "CreateLogGroup", json!({"logGroupName": "g"}));
//! assert_eq!(denied.code(), "AccessDeniedException");
//! ```
//!
//! There is no host: attaching fails, and changes do not wait for an agent.

use crate::call::{Call, Outside, Services, Settings};
use crate::host::NoHost;
use crate::insights::{Insights, NoInsights, Queries};
use crate::service::Service;
use crate::{athena, cloudwatch, ec2, glue, iam, logs, sts, weir};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};
use tower::ServiceExt;
use weir_control::Scope;
use weir_control::principal::{self, AccessKey};
use weir_types::time::UnixMillis;

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "us-east-1";
/// 2026-11-01T12:00:00Z, when every world begins.
pub const START: UnixMillis = UnixMillis(1_793_534_400_000);

const HOST: &str = "localhost:4599";

/// An account and its endpoint.
pub struct World {
    pub services: Arc<Services>,
    clock_ms: Arc<AtomicI64>,
    root: AccessKey,
}

impl World {
    pub fn new() -> Self {
        Self::with(false, Arc::new(NoInsights))
    }

    pub fn emulator() -> Self {
        Self::with(true, Arc::new(NoInsights))
    }

    /// With an engine for queries.
    pub fn querying(engine: Arc<dyn Insights>) -> Self {
        Self::with(false, engine)
    }

    fn with(emulator: bool, engine: Arc<dyn Insights>) -> Self {
        let clock_ms = Arc::new(AtomicI64::new(START.0));
        let hand = clock_ms.clone();
        let state = Arc::new(weir_control::State::in_memory().unwrap());
        let root = state.transact(|tx| principal::root_access_key(tx, ACCOUNT, None)).unwrap().0;
        let services = Services {
            state,
            logs: Arc::new(weir_logs::Store::in_memory()),
            metrics: Arc::new(weir_metrics::Metrics::in_memory()),
            destinations: Arc::new(crate::logs::destination::NoDestinations),
            live_tail: Arc::default(),
            insights: Arc::new(Queries::new(engine)),
            host: Arc::new(NoHost { reason: "this is a test".into() }),
            clock: Arc::new(move || UnixMillis(hand.load(Ordering::Relaxed))),
            settings: Settings {
                account: ACCOUNT.into(),
                region: REGION.into(),
                emulator,
                delivery_context: Vec::new(),
                open_metrics: true,
                body_grace: Duration::from_secs(30),
                outside: Outside::default(),
            },
            objects: std::sync::OnceLock::new(),
            intake: Default::default(),
            queries: std::sync::OnceLock::new(),
        };
        Self { services: Arc::new(services), clock_ms, root }
    }

    pub fn now(&self) -> UnixMillis {
        UnixMillis(self.clock_ms.load(Ordering::Relaxed))
    }

    /// Moves the clock of the server and of its clients.
    pub fn advance(&self, seconds: i64) {
        self.clock_ms.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// A client of the root user.
    pub fn root(&self) -> Client<'_> {
        self.client(&self.root.id, self.root.secret.expose(), None)
    }

    /// A client of a service principal that calls on behalf of `source_arn`.
    pub fn service(&self, name: &str, source_arn: &str) -> Client<'_> {
        let key = self.services.state.transact(|tx| principal::service_access_key(tx, name)).unwrap();
        let mut client = self.client(&key.id, key.secret.expose(), None);
        client.headers =
            vec![("x-amz-source-account", ACCOUNT.to_owned()), ("x-amz-source-arn", source_arn.to_owned())];
        client
    }

    /// A client with these credentials.
    pub fn client(&self, access_key_id: &str, secret: &str, token: Option<&str>) -> Client<'_> {
        Client {
            world: self,
            credentials: Credentials::new(access_key_id, secret, token.map(str::to_owned), None, "test"),
            region: REGION.to_owned(),
            skew_s: 0,
            headers: Vec::new(),
            presigned: false,
        }
    }

    /// Makes a role that everybody in the account may assume, with one inline policy.
    pub fn role(&self, name: &str, policy: &str) {
        let trust = trust(r#"{"AWS":"*"}"#);
        let root = self.root();
        root.query("iam", "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)]).ok();
        let put = [("RoleName", name), ("PolicyName", "inline"), ("PolicyDocument", policy)];
        root.query("iam", "PutRolePolicy", &put).ok();
    }

    /// Sends a request as it is.
    pub fn send(&self, request: Request<Body>) -> Reply {
        let router = crate::router(self.services.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut request = request;
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        runtime.block_on(async {
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            Reply { status: parts.status, headers: parts.headers, body }
        })
    }

    /// Sends a form without credentials.
    pub fn unsigned(&self, form: &str) -> Reply {
        self.send(Request::post("/").header("host", HOST).body(Body::from(form.to_owned())).unwrap())
    }
}

/// Somebody with credentials.
pub struct Client<'a> {
    world: &'a World,
    credentials: Credentials,
    /// The region that requests are signed for.
    pub region: String,
    /// How far the client's clock is ahead of the server's.
    pub skew_s: i64,
    /// Further headers, signed.
    pub headers: Vec<(&'static str, String)>,
    /// Sign in the query string instead of the header.
    pub presigned: bool,
}

impl<'a> Client<'a> {
    pub fn world(&self) -> &'a World {
        self.world
    }

    pub fn access_key_id(&self) -> &str {
        self.credentials.access_key_id()
    }

    pub fn token(&self) -> Option<&str> {
        self.credentials.session_token()
    }

    /// An action of EC2, IAM or STS.
    pub fn query(&self, service: &str, action: &str, params: &[(&str, &str)]) -> Reply {
        self.world.send(self.query_request(service, action, params))
    }

    /// The signed request of such an action, to be tampered with.
    pub fn query_request(&self, service: &str, action: &str, params: &[(&str, &str)]) -> Request<Body> {
        self.form(service, service, action, params)
    }

    /// An action of `service` in a request that is signed for `signed_for`.
    pub fn query_as(&self, signed_for: &str, service: &str, action: &str) -> Reply {
        self.world.send(self.form(signed_for, service, action, &[]))
    }

    fn form(&self, signed_for: &str, service: &str, action: &str, params: &[(&str, &str)]) -> Request<Body> {
        let version = match service {
            "ec2" => ec2::VERSION,
            "iam" => iam::VERSION,
            "monitoring" => cloudwatch::VERSION,
            _ => sts::VERSION,
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version).extend_pairs(params);
        let kind = ("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned());
        self.sign(signed_for, vec![kind], form.finish())
    }

    /// An action of a JSON service.
    pub fn json(&self, service: &str, action: &str, members: Value) -> Reply {
        let target = match service {
            "weir" => weir::TARGET,
            "athena" => athena::TARGET,
            "glue" => glue::TARGET,
            "monitoring" => cloudwatch::TARGET,
            "firehose" => crate::firehose::TARGET,
            _ => logs::TARGET,
        };
        let headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("{target}.{action}")),
        ];
        self.world.send(self.sign(service, headers, members.to_string()))
    }

    /// The call of an action of `service`, to test what actions share.
    pub fn call(&self, service: Service) -> Call<'a> {
        let services = &self.world.services;
        let key = self.credentials.access_key_id();
        let found = services.state.transact(|tx| principal::credential(tx, key)).unwrap().unwrap();
        Call {
            services,
            service,
            principal: found.principal,
            session: found.session,
            scope: Scope::new(ACCOUNT, &self.region),
            now: self.world.now(),
            request_id: "test".to_owned(),
            source: Vec::new(),
            source_ip: None,
            user_agent: None,
        }
    }

    /// A client of a new session of a role of the account.
    pub fn assume(&self, role: &str) -> Client<'a> {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        self.assume_with(&[("RoleArn", &arn), ("RoleSessionName", "test")])
    }

    /// [`Client::assume`] with the parameters of AssumeRole.
    pub fn assume_with(&self, params: &[(&str, &str)]) -> Client<'a> {
        let answer = self.query("sts", "AssumeRole", params).ok();
        let [id, secret, token] =
            ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|name| answer.text(name));
        self.world.client(&id, &secret, Some(&token))
    }

    /// The same key with another session token, or none.
    pub fn with_token(&self, token: Option<&str>) -> Client<'a> {
        let key = self.credentials.clone();
        self.world.client(key.access_key_id(), key.secret_access_key(), token)
    }

    fn sign(&self, service: &str, mut headers: Vec<(&'static str, String)>, body: String) -> Request<Body> {
        headers.push(("host", HOST.to_owned()));
        headers.extend(self.headers.iter().cloned());
        // The query protocols take the form from the query string as well.
        let (method, uri, body) = if self.presigned {
            ("GET", format!("http://{HOST}/?{body}"), String::new())
        } else {
            ("POST", format!("http://{HOST}/"), body)
        };
        let mut settings = SigningSettings::default();
        if self.presigned {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(60));
        }
        let identity = self.credentials.clone().into();
        let at = self.world.now().seconds() + self.skew_s;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(at.unsigned_abs()))
            .settings(settings)
            .build()
            .unwrap();
        let lent = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let signable =
            SignableRequest::new(method, &uri, lent, SignableBody::Bytes(body.as_bytes())).unwrap();
        let (instructions, _) = sign(signable, &params.into()).unwrap().into_parts();
        let mut request = Request::builder().method(method).uri(&uri);
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        request
    }
}

/// An answer of the endpoint.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// Asserts success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self
    }

    /// The error code of an XML or JSON answer; `ok` for a success.
    #[track_caller]
    pub fn code(&self) -> String {
        match self.status {
            StatusCode::OK => "ok".to_owned(),
            _ if self.body.starts_with('{') => {
                let code = self.json()["__type"].as_str().unwrap().to_owned();
                assert_eq!(self.headers["x-amzn-errortype"], code, "SDKs read the header first");
                code
            }
            _ => self.text("Code"),
        }
    }

    /// Code and HTTP status: `NoSuchEntity 404`.
    #[track_caller]
    pub fn fault(&self) -> String {
        format!("{} {}", self.code(), self.status.as_u16())
    }

    /// The message of an error.
    #[track_caller]
    pub fn message(&self) -> String {
        match self.body.starts_with('{') {
            true => {
                let body = self.json();
                body["message"].as_str().or(body["Message"].as_str()).unwrap().to_owned()
            }
            false => self.text("Message"),
        }
    }

    /// The text of the first XML element of this name.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        match self.texts(name).into_iter().next() {
            Some(text) => text,
            None => panic!("no <{name}> in {}", self.body),
        }
    }

    /// The texts of all XML elements of this name.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let rest = self.body.split(start.as_str()).skip(1);
        let text = |rest: &str| rest.split(end.as_str()).next().unwrap_or_default().to_owned();
        rest.map(|rest| quick_xml::escape::unescape(&text(rest)).unwrap().into_owned()).collect()
    }

    /// The JSON body; `null` for an empty one.
    #[track_caller]
    pub fn json(&self) -> Value {
        match self.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_str(&self.body).unwrap(),
        }
    }
}

/// A policy that allows an action on everything.
pub fn allow(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
    )
}

/// A trust policy for `principal`, such as `{"Service":"…"}`.
pub fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Principal":{principal}}}}}"#
    )
}
