//! A signed request of which one thing is changed must not verify.

use super::signer::{NOW, SECRET, SIGNED_AT, Signer};
use super::*;
use crate::secret::SessionToken;

fn plain() -> OwnedRequest {
    OwnedRequest {
        method: "POST".to_owned(),
        path: "/a/b".to_owned(),
        query: "x=1&y=2".to_owned(),
        headers: vec![
            ("Host".to_owned(), b"127.0.0.1:4566".to_vec()),
            ("Content-Type".to_owned(), b"application/x-www-form-urlencoded".to_vec()),
            ("X-Amz-Target".to_owned(), b"Logs_20140328.PutLogEvents".to_vec()),
        ],
        body: b"Action=DescribeVpcs".to_vec(),
    }
}

fn signer(service: &str, expires: Option<u64>) -> Signer {
    Signer { service: service.to_owned(), token: Some("the+token==".to_owned()), expires }
}

#[test]
fn every_part_is_covered() {
    type Tamper = fn(&mut OwnedRequest);
    let tampers: [(&str, Tamper); 9] = [
        ("method", |r| r.method = "PUT".to_owned()),
        ("path", |r| r.path = "/a/c".to_owned()),
        ("query value", |r| r.query = r.query.replace("y=2", "y=3")),
        ("query added", |r| r.query += "&z=1"),
        ("query removed", |r| r.query = r.query.replace("y=2", "")),
        ("host", |r| r.set_header("host", "elsewhere")),
        ("content type", |r| r.set_header("content-type", "text/plain")),
        ("target", |r| r.set_header("x-amz-target", "Logs_20140328.DeleteLogGroup")),
        ("target again", |r| r.headers.push(("X-AMZ-TARGET".to_owned(), b"x".to_vec()))),
    ];
    for service in ["ec2", "s3"] {
        for expires in [None, Some(60)] {
            let sent = signer(service, expires).sign(&plain());
            assert!(sent.check(SECRET, NOW).is_ok());
            for (what, tamper) in tampers {
                let mut changed = sent.clone();
                tamper(&mut changed);
                let result = changed.check(SECRET, NOW);
                assert!(
                    matches!(result, Err(SigError::SignatureDoesNotMatch(_))),
                    "{what} of {service} {expires:?}: {result:?}"
                );
            }
        }
    }
}

/// Every single character of the claims matters, or is no part of them.
#[test]
fn every_character_of_the_authorization_is_covered() {
    let sent = signer("logs", None).sign(&plain());
    for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
        let value = sent.header(name);
        for (at, old) in value.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()) {
            let mut changed = sent.clone();
            let new = if old == '1' { "2" } else { "1" };
            let mut text = value.clone();
            text.replace_range(at..=at, new);
            changed.set_header(name, &text);
            if let Ok(signed) = changed.check(SECRET, NOW) {
                // The key id is not signed: it is what the secret is found by.
                assert_ne!(signed.access_key_id, "AKIAIOSFODNN7EXAMPLE", "{name} at {at}");
            }
        }
    }
}

#[test]
fn bodies() {
    let mut sent = signer("ec2", None).sign(&plain());
    sent.body = b"Action=DeleteVpc".to_vec();
    assert!(matches!(sent.check(SECRET, NOW), Err(SigError::SignatureDoesNotMatch(_))));

    let mut sent = signer("s3", None).sign(&plain());
    sent.body = b"other".to_vec();
    assert!(matches!(sent.check(SECRET, NOW), Err(SigError::ContentSha256Mismatch { .. })));
    // S3's presigned URLs leave the body open.
    let mut sent = signer("s3", Some(60)).sign(&plain());
    sent.body = b"other".to_vec();
    assert!(sent.check(SECRET, NOW).is_ok());
    let mut sent = signer("ec2", Some(60)).sign(&plain());
    sent.body = b"other".to_vec();
    assert!(matches!(sent.check(SECRET, NOW), Err(SigError::SignatureDoesNotMatch(_))));
}

#[test]
fn a_hash_stands_for_a_body_that_was_read_before() {
    use sha2::{Digest, Sha256};
    let sent = signer("ec2", None).sign(&plain());
    sent.with(|parts| {
        let parts = RequestParts { payload: Payload::Sha256(Sha256::digest(&sent.body).into()), ..*parts };
        let signed = parse(&parts).unwrap();
        let expected = Expected { now: NOW, service: "ec2", regions: &["us-east-1"] };
        assert_eq!(verify(&parts, &signed, &SecretAccessKey::new(SECRET), &expected), Ok(()));
    });
}

#[test]
fn the_clock() {
    let at = |seconds: i64| UnixMillis::from_seconds(SIGNED_AT + seconds);
    for (expires, now, expected) in [
        (None, at(900), "ok"),
        (None, at(-900), "ok"),
        (None, at(901), "expired"),
        (None, at(-901), "ahead"),
        (Some(60), at(60), "ok"),
        (Some(60), at(61), "presigned expired"),
        (Some(604_800), at(604_800), "ok"),
        (Some(604_800), at(604_801), "presigned expired"),
        (Some(60), at(-900), "ok"),
        (Some(60), at(-901), "ahead"),
    ] {
        let outcome = match signer("sts", expires).sign(&plain()).check(SECRET, now) {
            Ok(_) => "ok",
            Err(SigError::Expired { .. }) => "expired",
            Err(SigError::NotYetCurrent { .. }) => "ahead",
            Err(SigError::PresignedExpired { .. }) => "presigned expired",
            Err(_) => "other",
        };
        assert_eq!(outcome, expected, "{expires:?} {now:?}");
    }
}

#[test]
fn the_scope() {
    let sent = signer("ec2", None).sign(&plain());
    let verify_scope = |from: &str, to: &str, expected: &Expected<'_>| {
        let mut changed = sent.clone();
        changed.set_header("authorization", &sent.header("authorization").replace(from, to));
        changed.with(|parts| verify(parts, &parse(parts).unwrap(), &SecretAccessKey::new(SECRET), expected))
    };
    let expected = Expected { now: NOW, service: "ec2", regions: &["eu-west-1", "us-east-1"] };
    assert_eq!(verify_scope("", "", &expected), Ok(()));
    assert_eq!(
        verify_scope("", "", &Expected { regions: &["eu-west-1"], ..expected }),
        Err(SigError::WrongRegion { given: "us-east-1".to_owned(), expected: "eu-west-1".to_owned() })
    );
    assert_eq!(
        verify_scope("", "", &Expected { service: "logs", ..expected }),
        Err(SigError::WrongService { given: "ec2".to_owned(), expected: "logs".to_owned() })
    );
    assert_eq!(
        verify_scope("aws4_request", "aws5_request", &expected),
        Err(SigError::WrongTerminator("aws5_request".to_owned()))
    );
    for date in ["20210503", "2021050", ""] {
        assert_eq!(
            verify_scope("/20210504/", &format!("/{date}/"), &expected),
            Err(SigError::WrongScopeDate {
                given: date.to_owned(),
                signed_at: "20210504T100000Z".to_owned()
            })
        );
    }
}

#[test]
fn headers_that_must_be_signed() {
    let sent = signer("ec2", None).sign(&plain());
    let mut changed = sent.clone();
    changed.headers.push(("X-Amz-Extra".to_owned(), b"1".to_vec()));
    changed.headers.push(("X-Amz-User-Agent".to_owned(), b"browser".to_vec()));
    assert_eq!(
        changed.check(SECRET, NOW).unwrap_err(),
        SigError::HeadersNotSigned(vec!["x-amz-extra".to_owned()])
    );
    let mut changed = sent.clone();
    changed.set_header("authorization", &sent.header("authorization").replace(";host", ""));
    assert_eq!(changed.check(SECRET, NOW).unwrap_err(), SigError::HostNotSigned);
    // A header that nobody signed and that means nothing to AWS may come and go.
    let mut changed = sent;
    changed.set_header("via", "a proxy");
    assert!(changed.check(SECRET, NOW).is_ok());
}

#[test]
fn the_date_header_stands_in_for_x_amz_date() {
    use crate::sigv4::canonical::{canonical_request, string_to_sign};
    let mut request = plain();
    request.set_header("date", "Tue, 04 May 2021 10:00:00 GMT");
    request.set_header(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIA/20210504/us-east-1/ec2/aws4_request,SignedHeaders=date;host;x-amz-target,Signature=0",
    );
    request.with(|parts| {
        let signed = parse(parts).unwrap();
        assert_eq!(signed.signed_at, NOW);
        let text = string_to_sign(&signed, &canonical_request(parts, &signed, "h"));
        assert!(
            text.starts_with("AWS4-HMAC-SHA256\n20210504T100000Z\n20210504/us-east-1/ec2/aws4_request\n")
        );
    });
}

#[test]
fn s3_wants_to_know_the_bodys_hash() {
    let sent = signer("s3", None).sign(&plain());
    let mut changed = sent.clone();
    changed.headers.retain(|(name, _)| name != "x-amz-content-sha256");
    assert_eq!(changed.check(SECRET, NOW).unwrap_err(), SigError::MissingContentSha256);
    let mut changed = sent.clone();
    changed.set_header("x-amz-content-sha256", "none");
    assert_eq!(changed.check(SECRET, NOW).unwrap_err(), SigError::InvalidContentSha256);
    let mut changed = sent;
    changed.set_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert!(matches!(changed.check(SECRET, NOW), Err(SigError::SignatureDoesNotMatch(_))));
}

#[test]
fn session_tokens_belong_to_their_key() {
    let token = |text: &str| Some(SessionToken::new(text));
    let sent = signer("sts", None).sign(&plain());
    let mut signed = sent.with(parse).unwrap();
    for (key, given, stored, ok) in [
        ("AKIAX", None, None, true),
        ("AKIAX", token("t"), None, false),
        ("ASIAX", token("t"), token("t"), true),
        ("ASIAX", token("t"), token("u"), false),
        ("ASIAX", token("t"), None, false),
        ("ASIAX", None, token("t"), false),
        ("ASIAX", None, None, false),
    ] {
        signed.access_key_id = key.to_owned();
        signed.session_token = given;
        assert_eq!(check_session_token(&signed, stored.as_ref()).is_ok(), ok, "{key}");
    }
}
