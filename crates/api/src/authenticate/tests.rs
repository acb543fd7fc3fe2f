use crate::testing::{ACCOUNT, Client, Reply, World, allow, trust};
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use serde_json::json;

fn identity(client: &Client<'_>) -> Reply {
    client.query("sts", "GetCallerIdentity", &[])
}

fn list(client: &Client<'_>) -> Reply {
    client.json("weir", "ListInterfaces", json!({}))
}

#[test]
fn the_root_user_signs_in_by_header_and_by_query() {
    let world = World::new();
    let mut root = world.root();
    assert_eq!(identity(&root).ok().text("Arn"), "arn:aws:iam::123456789012:root");
    list(&root).ok();
    root.presigned = true;
    assert_eq!(identity(&root).ok().text("Account"), ACCOUNT);
    world.advance(59);
    let request = root.query_request("sts", "GetCallerIdentity", &[]);
    world.advance(61);
    assert_eq!(world.send(request).fault(), "SignatureDoesNotMatch 403", "a presigned URL after its end");
}

/// How a request goes wrong, and the answers of STS, EC2 and the JSON services.
#[test]
fn each_service_refuses_in_its_own_words() {
    type Spoil = fn(&mut Client<'_>);
    let cases: [(&str, Spoil, [&str; 3]); 4] = [
        (
            "another secret",
            |client| *client = client.world().client(client.access_key_id(), "not-the-secret", None),
            ["SignatureDoesNotMatch 403", "AuthFailure 401", "InvalidSignatureException 400"],
        ),
        (
            "unknown key",
            |client| *client = client.world().client("AKIAUNKNOWNUNKNOWN12", "a-secret-of-mine", None),
            ["InvalidClientTokenId 403", "AuthFailure 401", "UnrecognizedClientException 400"],
        ),
        (
            "slow clock",
            |client| client.skew_s = -901,
            ["SignatureDoesNotMatch 403", "RequestExpired 400", "InvalidSignatureException 400"],
        ),
        (
            "fast clock",
            |client| client.skew_s = 901,
            ["SignatureDoesNotMatch 403", "RequestExpired 400", "InvalidSignatureException 400"],
        ),
    ];
    let world = World::new();
    for (name, spoil, expected) in cases {
        let mut client = world.root();
        spoil(&mut client);
        let answers = [identity(&client), client.query("ec2", "DescribeVpcs", &[]), list(&client)];
        assert_eq!(answers.map(|answer| answer.fault()), expected, "{name}");
    }
    for skew_s in [-899, 899] {
        let mut client = world.root();
        client.skew_s = skew_s;
        identity(&client).ok();
    }
}

#[test]
fn a_skewed_clock_is_told_both_times() {
    let world = World::new();
    let mut client = world.root();
    client.skew_s = -3600;
    assert_eq!(
        identity(&client).message(),
        "Signature expired: 20261101T110000Z is now earlier than 20261101T114500Z (20261101T120000Z - 15 min.)"
    );
}

#[test]
fn what_was_changed_on_the_way_is_refused() {
    let world = World::new();
    let root = world.root();
    let request = || root.query_request("sts", "GetCallerIdentity", &[]);
    type Change = fn(&mut Request<Body>);
    let cases: [(&str, Change, &str); 7] = [
        (
            "the asymmetric signature of version 4",
            |r| {
                let sigv4a = "AWS4-ECDSA-P256-SHA256 Credential=AKIAEXAMPLEEXAMPLE12/20261101/sts/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=00";
                drop(r.headers_mut().insert("authorization", HeaderValue::from_static(sigv4a)))
            },
            "IncompleteSignature",
        ),
        ("nothing", |_| (), "ok"),
        (
            "body",
            |r| *r.body_mut() = Body::from("Action=GetCallerIdentity&Version=2011-06-15&x=1"),
            "SignatureDoesNotMatch",
        ),
        ("query", |r| *r.uri_mut() = "http://localhost:4599/?x=1".parse().unwrap(), "SignatureDoesNotMatch"),
        (
            "host",
            |r| drop(r.headers_mut().insert("host", HeaderValue::from_static("elsewhere"))),
            "SignatureDoesNotMatch",
        ),
        (
            "an x-amz header that is not signed",
            |r| {
                drop(r.headers_mut().insert("x-amz-source-account", HeaderValue::from_static("123456789012")))
            },
            "SignatureDoesNotMatch",
        ),
        (
            "a broken header",
            |r| drop(r.headers_mut().insert("authorization", HeaderValue::from_static("AWS4-HMAC-SHA256 x"))),
            "IncompleteSignature",
        ),
    ];
    for (name, change, expected) in cases {
        let mut request = request();
        change(&mut request);
        assert_eq!(world.send(request).code(), expected, "{name}");
    }
}

#[test]
fn requests_without_credentials_are_refused_in_the_style_of_their_marks() {
    let world = World::new();
    for (form, expected) in [
        ("Action=GetCallerIdentity&Version=2011-06-15", "MissingAuthenticationToken 403"),
        ("Action=ListRoles&Version=2010-05-08", "MissingAuthenticationToken 403"),
        ("Action=DescribeVpcs&Version=2016-11-15", "AuthFailure 401"),
        ("", "MissingAuthenticationTokenException 400"),
    ] {
        assert_eq!(world.unsigned(form).fault(), expected, "{form}");
    }
}

#[test]
fn a_session_needs_its_token_until_it_expires() {
    let world = World::new();
    world.role("reader", &allow("logs:Get*"));
    let session = world.root().assume("reader");
    let arn = "arn:aws:sts::123456789012:assumed-role/reader/test";
    assert_eq!(identity(&session).ok().text("Arn"), arn);
    let other = world.root().assume("reader");
    for client in
        [session.with_token(None), session.with_token(Some("wrong")), session.with_token(other.token())]
    {
        assert_eq!(identity(&client).fault(), "InvalidClientTokenId 403");
        assert_eq!(list(&client).fault(), "UnrecognizedClientException 400");
    }
    assert_eq!(identity(&world.root().with_token(Some("any"))).code(), "InvalidClientTokenId");
    world.advance(3_599);
    identity(&session).ok();
    world.advance(1);
    assert_eq!(identity(&session).fault(), "ExpiredToken 403");
    assert_eq!(session.query("ec2", "DescribeVpcs", &[]).fault(), "RequestExpired 400");
    assert_eq!(list(&session).fault(), "ExpiredTokenException 400");
    let thief = world.client(session.access_key_id(), "not-the-secret", session.token());
    assert_eq!(identity(&thief).code(), "SignatureDoesNotMatch", "who has not the secret learns no more");
}

#[test]
fn the_scope_names_region_and_service() {
    let world = World::new();
    let mut root = world.root();
    for (region, service, expected) in [
        ("eu-west-1", "sts", "ok"),
        ("aws-global", "sts", "ok"),
        ("aws-global", "weir", "InvalidSignatureException"),
        ("nowhere", "sts", "SignatureDoesNotMatch"),
        ("eu-west-1", "weir", "ok"),
        ("us-east-1", "s3", "UnknownServiceException"),
    ] {
        root.region = region.to_owned();
        let answer = match service {
            "weir" => list(&root),
            service => root.query(service, "GetCallerIdentity", &[]),
        };
        assert_eq!(answer.code(), expected, "{region} {service}");
    }
    root.region = "us-east-1".to_owned();
    let answer = root.query("s3", "ListBuckets", &[]);
    assert!(answer.body.starts_with("<?xml"), "S3's clients read XML: {}", answer.body);
    for answer in [answer, root.json("kinesis", "ListStreams", json!({}))] {
        assert!(
            answer
                .message()
                .ends_with("It has: ec2, iam, sts, logs, monitoring, athena, glue, firehose, weir."),
            "{}",
            answer.message()
        );
    }
    // The form says it is for STS, the signature that it is for IAM.
    assert_eq!(root.query_as("iam", "sts", "GetCallerIdentity").fault(), "InvalidAction 400");
}

#[test]
fn an_emulator_believes_everybody_and_knows_its_own_sessions() {
    let world = World::emulator();
    let stranger = world.client("test", "test", None);
    let root = "arn:aws:iam::123456789012:root";
    assert_eq!(identity(&stranger).ok().text("Arn"), root);
    assert_eq!(world.unsigned("Action=GetCallerIdentity&Version=2011-06-15").ok().text("Arn"), root);
    assert_eq!(world.unsigned("Action=GetCallerIdentity").code(), "UnknownServiceException");
    world.role("reader", &allow("logs:Get*"));
    let session = stranger.assume("reader");
    let forged = world.client(session.access_key_id(), "whatever", None);
    assert_eq!(identity(&forged).ok().text("Arn"), "arn:aws:sts::123456789012:assumed-role/reader/test");
    assert_eq!(list(&forged).code(), "AccessDeniedException", "permissions count in emulator mode too");
    let mut late = world.client("test", "test", Some("token"));
    late.skew_s = 100_000;
    identity(&late).ok();
}

#[test]
fn only_a_service_calls_on_somebodys_behalf() {
    let world = World::new();
    let role = [
        ("RoleName", "flow"),
        ("AssumeRolePolicyDocument", &guarded(&trust(r#"{"Service":"vpc-flow-logs.amazonaws.com"}"#))),
    ];
    world.root().query("iam", "CreateRole", &role).ok();
    let right = "arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/fl-1";
    let assume = |client: &Client<'_>| {
        let wish = [("RoleArn", "arn:aws:iam::123456789012:role/flow"), ("RoleSessionName", "s1")];
        client.query("sts", "AssumeRole", &wish).code()
    };
    let service = "vpc-flow-logs.amazonaws.com";
    assert_eq!(assume(&world.service(service, right)), "ok");
    assert_eq!(
        assume(&world.service(service, "arn:aws:ec2:eu-west-1:123456789012:vpc-flow-log/fl-1")),
        "AccessDenied"
    );
    assert_eq!(assume(&world.service("logs.amazonaws.com", right)), "AccessDenied");
    let mut pretender = world.root();
    pretender.headers = world.service(service, right).headers;
    assert_eq!(assume(&pretender), "AccessDenied");
    let mut doubled = world.service(service, right);
    doubled.headers.push(("x-amz-source-arn", right.to_owned()));
    assert_ne!(assume(&doubled), "ok", "which of them counts is not guessed");
    let identity = identity(&world.service(service, right)).ok();
    assert_eq!([identity.text("Arn"), identity.text("Account")], [service, ACCOUNT]);
}

/// The trust policy with the conditions that AWS recommends.
fn guarded(trust: &str) -> String {
    let condition = r#""Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"},
        "ArnLike":{"aws:SourceArn":"arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/*"}},"Effect""#;
    trust.replace(r#""Effect""#, condition)
}
