//! The way to CloudWatch Logs through the AWS SDK, as a server sees it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use std::collections::BTreeSet;
use std::sync::Mutex;
use support::{Answer, Request, Server};
use weir_delivery::destination::{Destination, Receipt};
use weir_delivery::logs::{CloudWatchLogs, PublisherConfig, Timeouts};
use weir_delivery::spool::{Header, SpoolFile};
use weir_types::flow_log::DeliveryError;
use weir_types::orders;
use weir_types::time::UnixMillis;

const ROLE: &str = "arn:aws:iam::123456789012:role/flow/delivery";

fn file() -> SpoolFile {
    SpoolFile::new(Header {
        flow_log: "fl-0123456789abcdef0".parse().unwrap(),
        account: "123456789012".to_owned(),
        region: "eu-central-1".to_owned(),
        destination: orders::Destination::CloudWatchLogs {
            log_group: "/flow/logs".to_owned(),
            role: ROLE.parse().unwrap(),
        },
        window_start_s: 1_418_530_020,
        window_end_s: 1_418_530_080,
        part: 0xc0ffee,
        created: UnixMillis(0),
        log_format: None,
        skipped: None,
    })
}

fn file_with(records: &[(&str, i64, &str)]) -> SpoolFile {
    let mut file = file();
    for &(stream, timestamp, message) in records {
        file.push(stream, UnixMillis(timestamp), message);
    }
    file
}

fn client(server: &Server) -> CloudWatchLogs {
    CloudWatchLogs::new(PublisherConfig {
        endpoint_url: Some(server.url.clone()),
        credentials: SharedCredentialsProvider::new(Credentials::from_keys("AKIASERVICE", "secret", None)),
        is_service: true,
        timeouts: Timeouts::default(),
    })
}

fn assumed(expiration: &str) -> Answer {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>ASIASESSION</AccessKeyId><SecretAccessKey>key</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    );
    (200, body)
}

fn sts_error(code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    (403, body)
}

fn logs_error(code: &str) -> Answer {
    (400, format!("{{\"__type\":\"{code}\",\"message\":\"no\"}}"))
}

fn ok() -> Answer {
    (200, "{}".to_owned())
}

fn actions(requests: &[Request]) -> Vec<String> {
    requests.iter().map(Request::action).collect()
}

/// Group and streams as CloudWatch Logs keeps them.
#[derive(Default)]
struct Store {
    groups: BTreeSet<String>,
    streams: BTreeSet<(String, String)>,
}

impl Store {
    fn answer(&mut self, request: &Request) -> Answer {
        let json = request.json();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let (group, stream) = (text("logGroupName"), text("logStreamName"));
        match request.action().as_str() {
            "CreateLogGroup" if self.groups.insert(group.clone()) => ok(),
            "CreateLogStream" if !self.groups.contains(&group) => logs_error("ResourceNotFoundException"),
            "CreateLogStream" if self.streams.insert((group.clone(), stream.clone())) => ok(),
            "PutLogEvents" if self.streams.contains(&(group, stream)) => ok(),
            "PutLogEvents" => logs_error("ResourceNotFoundException"),
            _ => logs_error("ResourceAlreadyExistsException"),
        }
    }
}

#[tokio::test]
async fn the_role_is_assumed_for_the_flow_log_and_group_and_stream_are_made_when_missing() {
    let store = Mutex::new(Store::default());
    let server = Server::start(move |request| match request.action().as_str() {
        "AssumeRole" => assumed("2999-01-01T00:00:00Z"),
        _ => store.lock().unwrap().answer(request),
    })
    .await;
    let logs = client(&server);
    let file =
        file_with(&[("eni-0-all", 1_418_530_021_000, "second"), ("eni-0-all", 1_418_530_020_000, "first")]);
    assert_eq!(logs.send(&file).await.unwrap(), Receipt { delivered: 2, rejected: 0 });

    let requests = server.take_requests();
    assert_eq!(
        actions(&requests),
        [
            "AssumeRole",
            "PutLogEvents",
            "CreateLogStream",
            "CreateLogGroup",
            "CreateLogStream",
            "PutLogEvents"
        ]
    );
    let assume = &requests[0];
    assert_eq!(assume.form("RoleArn"), ROLE);
    assert_eq!(assume.form("RoleSessionName"), "vpc-flow-logs-fl-0123456789abcdef0");
    assert_eq!(assume.header("x-amz-source-account"), "123456789012");
    assert_eq!(
        assume.header("x-amz-source-arn"),
        "arn:aws:ec2:eu-central-1:123456789012:vpc-flow-log/fl-0123456789abcdef0"
    );
    let signed: Vec<&str> = assume.authorization("SignedHeaders").split(';').collect();
    assert!(signed.contains(&"x-amz-source-account") && signed.contains(&"x-amz-source-arn"), "{signed:?}");
    assert!(assume.authorization("Credential").starts_with("AKIASERVICE/"));
    assert!(assume.authorization("Credential").ends_with("/eu-central-1/sts/aws4_request"));

    let put = &requests[5];
    assert_eq!(put.header("x-amz-target"), "Logs_20140328.PutLogEvents");
    assert_eq!(put.header("x-amz-security-token"), "token");
    assert!(put.authorization("Credential").starts_with("ASIASESSION/"));
    assert!(put.authorization("Credential").ends_with("/eu-central-1/logs/aws4_request"));
    assert_eq!(
        put.json(),
        serde_json::json!({
            "logGroupName": "/flow/logs",
            "logStreamName": "eni-0-all",
            "logEvents": [
                {"timestamp": 1_418_530_020_000_i64, "message": "first"},
                {"timestamp": 1_418_530_021_000_i64, "message": "second"},
            ],
            "sequenceToken": "weir:fl-0123456789abcdef0:1418530080:0000000000c0ffee:0",
        })
    );
    assert_eq!(put.body, requests[1].body);

    // The session is kept, and nothing is made twice.
    logs.send(&file).await.unwrap();
    assert_eq!(actions(&server.take_requests()), ["PutLogEvents"]);
}

#[tokio::test]
async fn a_session_is_renewed_before_it_ends_and_after_a_denial() {
    let denied = Mutex::new(true);
    let server = Server::start(move |request| match request.action().as_str() {
        "AssumeRole" if request.form("RoleArn").ends_with("short") => assumed("2001-01-01T00:00:00Z"),
        "AssumeRole" => assumed("2999-01-01T00:00:00Z"),
        _ if std::mem::take(&mut *denied.lock().unwrap()) => logs_error("AccessDeniedException"),
        _ => ok(),
    })
    .await;
    let logs = client(&server);
    let mut file = file_with(&[("eni-0-all", 0, "a")]);
    let error = logs.send(&file).await.unwrap_err();
    assert_eq!(error.kind, DeliveryError::AccessError);
    assert_eq!(
        error.to_string(),
        "failed to logs:PutLogEvents on /flow/logs:eni-0-all: AccessDeniedException"
    );
    logs.send(&file).await.unwrap();
    assert_eq!(
        actions(&server.take_requests()),
        ["AssumeRole", "PutLogEvents", "AssumeRole", "PutLogEvents"]
    );

    let orders::Destination::CloudWatchLogs { role, .. } = &mut file.header.destination else { panic!() };
    role.resource = "role/short".to_owned();
    for _ in 0..2 {
        // A session that has ended is not even tried twice; the SDK refuses to sign with it.
        drop(logs.send(&file).await);
    }
    let assumed = server.take_requests().iter().filter(|request| request.action() == "AssumeRole").count();
    assert_eq!(assumed, 2);
}

#[tokio::test]
async fn failures_have_their_kinds() {
    for (sts, logs_answer, kind) in [
        (Some("AccessDenied"), None, DeliveryError::AccessError),
        (Some("ValidationError"), None, DeliveryError::AccessError),
        (Some("InvalidClientTokenId"), None, DeliveryError::AccessError),
        (Some("Throttling"), None, DeliveryError::RateLimited),
        (Some("InternalFailure"), None, DeliveryError::UnknownError),
        (None, Some("AccessDeniedException"), DeliveryError::AccessError),
        (None, Some("ExpiredTokenException"), DeliveryError::AccessError),
        (None, Some("ThrottlingException"), DeliveryError::RateLimited),
        (None, Some("ServiceUnavailableException"), DeliveryError::UnknownError),
        (None, Some("ResourceNotFoundException"), DeliveryError::UnknownError),
    ] {
        let server = Server::start(move |request| match request.action().as_str() {
            "AssumeRole" => sts.map_or_else(|| assumed("2999-01-01T00:00:00Z"), sts_error),
            _ => logs_answer.map_or_else(ok, logs_error),
        })
        .await;
        let error = client(&server).send(&file_with(&[("eni-0-all", 0, "a")])).await.unwrap_err();
        assert_eq!(error.kind, kind, "{sts:?} {logs_answer:?}");
        assert_eq!(error.code.as_deref(), sts.or(logs_answer));
    }
    // Nobody answers there.
    let mut nobody = Server::start(|_| ok()).await;
    nobody.url = "http://127.0.0.1:1".to_owned();
    let error = client(&nobody).send(&file_with(&[("eni-0-all", 0, "a")])).await.unwrap_err();
    assert_eq!((error.kind, error.code), (DeliveryError::UnknownError, None));
}

#[tokio::test]
async fn batches_that_were_acknowledged_are_not_sent_again() {
    let failing = Mutex::new(true);
    let server = Server::start(move |request| match request.action().as_str() {
        "AssumeRole" => assumed("2999-01-01T00:00:00Z"),
        _ if request.json()["logStreamName"] == "eni-1-all"
            && std::mem::take(&mut *failing.lock().unwrap()) =>
        {
            logs_error("ThrottlingException")
        }
        _ => ok(),
    })
    .await;
    let logs = client(&server);
    let mut file = file();
    for i in 0..10_001 {
        file.push("eni-0-all", UnixMillis(i), "record");
    }
    file.push("eni-1-all", UnixMillis(0), "record");
    assert_eq!(logs.send(&file).await.unwrap_err().kind, DeliveryError::RateLimited);
    let token = |request: &Request| request.json()["sequenceToken"].as_str().unwrap_or_default().to_owned();
    let first: Vec<Request> =
        server.take_requests().into_iter().filter(|r| r.action() == "PutLogEvents").collect();
    assert_eq!(logs.send(&file).await.unwrap(), Receipt { delivered: 10_002, rejected: 0 });
    let second = server.take_requests();
    let prefix = "weir:fl-0123456789abcdef0:1418530080:0000000000c0ffee:";
    assert_eq!(second.iter().map(token).collect::<Vec<_>>(), [format!("{prefix}2")]);
    let mut all: Vec<(String, usize)> = first
        .iter()
        .map(|request| (token(request), request.json()["logEvents"].as_array().unwrap().len()))
        .collect();
    all.sort_unstable();
    assert_eq!(all, [(format!("{prefix}0"), 10_000), (format!("{prefix}1"), 1), (format!("{prefix}2"), 1)]);
}

#[tokio::test]
async fn records_that_are_rejected_are_counted_and_not_sent_again() {
    let server = Server::start(|request| match request.action().as_str() {
        "AssumeRole" => assumed("2999-01-01T00:00:00Z"),
        _ => (200, "{\"rejectedLogEventsInfo\":{\"tooOldLogEventEndIndex\":2}}".to_owned()),
    })
    .await;
    let file = file_with(&[("eni-0-all", 0, "a"), ("eni-0-all", 1, "b"), ("eni-0-all", 2, "c")]);
    assert_eq!(client(&server).send(&file).await.unwrap(), Receipt { delivered: 1, rejected: 2 });
}
