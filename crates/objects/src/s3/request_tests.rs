//! Requests over HTTP, answered from a folder of the test's own: by an emulator,
//! and, unsigned, by an endpoint whose gate keeps what it is asked.

use super::Endpoint;
use super::gate::{Ask, Denied, Gate};
use crate::store::{Bucket, Store};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use std::sync::{Arc, Mutex};

const ACCOUNT: &str = "111111111111";

/// Lets all in but what it is told to deny.
#[derive(Default)]
struct Keeper {
    asked: Mutex<Vec<String>>,
    denied: &'static str,
}

impl Gate for Keeper {
    fn secret(&self, _: &str) -> Option<String> {
        None
    }

    fn check(&self, ask: &Ask<'_>) -> Result<String, Denied> {
        let context = ask.context.iter().map(|(key, value)| format!(" {key}={value}"));
        let asked = format!("{} {}{}", ask.action, ask.resource, context.collect::<String>());
        self.asked.lock().unwrap().push(asked);
        if ask.action == self.denied {
            return Err(Denied { code: "AccessDenied", message: "no".into() });
        }
        Ok(ACCOUNT.into())
    }

    fn check_policy(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

fn endpoint(gate: Option<Arc<Keeper>>) -> (tempfile::TempDir, Endpoint) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let bucket = Bucket {
        name: "bkt".into(),
        account: ACCOUNT.into(),
        region: "us-east-1".into(),
        created_ms: 0,
        policy: None,
        tags: None,
    };
    store.create_bucket(&bucket).unwrap();
    let gate = gate.map(|gate| gate as Arc<dyn Gate>);
    (folder, Endpoint::new(Arc::new(store), gate, ACCOUNT, "us-east-1"))
}

/// A request such as `PUT /bkt/k`; each header is a line.
async fn ask(endpoint: &Endpoint, line: &str, headers: &str, body: &str) -> (u16, http::HeaderMap, String) {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut request = http::Request::builder().method(method).uri(uri).header("host", "localhost");
    request = request.header("content-length", body.len());
    for (name, value) in headers.lines().filter_map(|line| line.trim().split_once(": ")) {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
    let (parts, body) = endpoint.handle(request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

/// The MD5 of `x`.
const OF_X: &str = "9dd4e461268c8034f5c8564e155c67a6";

#[tokio::test]
async fn what_protects_objects_is_heeded() {
    let (_folder, endpoint) = endpoint(None);
    let right = format!("if-match: \"{OF_X}\"");
    let copy = "x-amz-copy-source: /bkt/k\n";
    let long = "GET /bkt/k?versionId=0123456789abcdef0123456789abcdef";
    for (line, headers, expected) in [
        ("PUT /bkt/k", "", "200"),
        ("DELETE /bkt/k", "if-match: \"other\"", "412 PreconditionFailed"),
        ("DELETE /bkt/none", "if-match: *", "404 NoSuchKey"),
        ("DELETE /bkt/none", "if-match: \"other\"", "404 NoSuchKey"),
        ("DELETE /bkt/none", "", "204"),
        ("DELETE /bkt/k", "x-amz-if-match-size: 7", "501 NotImplemented"),
        ("DELETE /bkt/k?versionId=abcdef", "", "400 InvalidArgument"),
        ("DELETE /bkt/k?versionId=", "", "400 InvalidArgument"),
        ("HEAD /bkt/k?versionId=abcdef", "", "400 InvalidArgument"),
        ("GET /bkt/k?%76ersionId=abcdef", "", "400 InvalidArgument"),
        (long, "", "404 NoSuchVersion"),
        ("GET /bkt/k?versionId=null", "", "200"),
        ("PUT /bkt/k", "if-none-match: \"other\"", "501 NotImplemented"),
        ("PUT /bkt/new", "if-match: *", "501 NotImplemented"),
        ("PUT /bkt/k", "if-none-match: *", "412 PreconditionFailed"),
        ("PUT /bkt/k", "if-match: \"other\"", "412 PreconditionFailed"),
        ("PUT /bkt/k", "x-amz-object-lock-mode: GOVERNANCE", "501 NotImplemented"),
        ("PUT /bkt/k", "x-amz-server-side-encryption-customer-algorithm: AES256", "501 NotImplemented"),
        ("PUT /bkt/k", "x-amz-expected-bucket-owner: 999999999999", "403 AccessDenied"),
        ("PUT /bkt/k", "x-amz-expected-bucket-owner: 111111111111", "200"),
        (
            "PUT /bkt/c",
            &format!("{copy}x-amz-source-expected-bucket-owner: 999999999999"),
            "403 AccessDenied",
        ),
        ("PUT /bkt/c", "x-amz-copy-source: /bkt/k?versionId=abcdef", "400 InvalidArgument"),
        ("PUT /bkt/c", &format!("{copy}if-match: \"other\""), "404 NoSuchKey"),
        ("PUT /bkt/c", &format!("{copy}if-none-match: *"), "200"),
        ("PUT /bkt/c", &format!("{copy}if-none-match: *"), "412 PreconditionFailed"),
        ("PUT /bkt/c", &format!("{copy}if-match: \"other\""), "412 PreconditionFailed"),
        ("PUT /bkt/c", &format!("{copy}{right}"), "200"),
        ("GET /bkt/k", "", "200"),
        ("DELETE /bkt/k", &right, "204"),
        ("DELETE /bkt/c", "if-match: *", "204"),
        ("GET /bkt/c", "", "404 NoSuchKey"),
    ] {
        let (status, _, body) =
            ask(&endpoint, line, headers, if line.starts_with("PUT") { "x" } else { "" }).await;
        let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let found = format!("{status} {}", code.map_or("", |(code, _)| code));
        assert_eq!(found.trim_end(), expected, "{line} {headers}: {body}");
    }
}

#[tokio::test]
async fn each_of_many_deletions_has_its_condition() {
    let (_folder, endpoint) = endpoint(None);
    for key in ["a", "b", "c", "d"] {
        ask(&endpoint, &format!("PUT /bkt/{key}"), "", "x").await;
    }
    let object = |key: &str, more: &str| format!("<Object><Key>{key}</Key>{more}</Object>");
    let body = format!(
        "<Delete>{}{}{}{}{}{}</Delete>",
        object("a", &format!("<ETag>\"{OF_X}\"</ETag>")),
        object("b", "<ETag>other</ETag>"),
        object("c", "<VersionId>abcdef</VersionId>"),
        object("d", "<ETag>*</ETag>"),
        object("none", ""),
        object("gone", "<ETag>*</ETag>"),
    );
    let (status, _, text) = ask(&endpoint, "POST /bkt?delete", "", &body).await;
    assert_eq!(status, 200, "{text}");
    let keys = |element: &str| -> Vec<String> {
        let start = format!("<{element}>");
        let parts = text.split(&start).skip(1);
        let key = |part: &str| part.split_once("<Key>").unwrap().1.split_once('<').unwrap().0.to_owned();
        parts.map(key).collect()
    };
    assert_eq!(keys("Deleted"), ["a", "d", "none"], "{text}");
    assert_eq!(keys("Error"), ["c", "b", "gone"], "{text}");
    for (key, expected) in [("a", 404), ("b", 200), ("c", 200), ("d", 404)] {
        assert_eq!(ask(&endpoint, &format!("GET /bkt/{key}"), "", "").await.0, expected, "{key}");
    }
}

#[tokio::test]
async fn a_copy_has_the_encryption_that_it_asks_for() {
    let (_folder, endpoint) = endpoint(None);
    let sse = "x-amz-server-side-encryption";
    ask(&endpoint, "PUT /bkt/k", &format!("{sse}: AES256\ncontent-type: a/b"), "x").await;
    let to = |key: &str, headers: &str| {
        (format!("PUT /bkt/{key}"), format!("x-amz-copy-source: /bkt/k\n{headers}"))
    };
    let kms = format!("{sse}: aws:kms\n{sse}-aws-kms-key-id: key");
    for (key, headers, expected, shown) in [
        ("k", "", 400, None),
        ("c", "", 200, None),
        ("c", kms.as_str(), 200, Some("aws:kms")),
        ("k", kms.as_str(), 200, Some("aws:kms")),
    ] {
        let (line, headers) = to(key, headers);
        let (status, answered, body) = ask(&endpoint, &line, &headers, "").await;
        assert_eq!(status, expected, "{key} {body}");
        let of = |headers: &http::HeaderMap| headers.get(sse).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(of(&answered).as_deref(), shown, "{key}");
        if status == 200 {
            let (_, head, _) = ask(&endpoint, &format!("HEAD /bkt/{key}"), "", "").await;
            assert_eq!(of(&head).as_deref(), shown, "{key}");
            assert_eq!(head["content-type"], "a/b");
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_is_what_is_answered() {
    for (line, headers, expected) in [
        (
            "GET /bkt?PREFIX=pub%2F&list-type=2&prefix=secret%2F&Delimiter=x",
            "",
            &["s3:ListBucket arn:aws:s3:::bkt s3:prefix=secret/"][..],
        ),
        ("GET /bkt?list-type=2&%70refix=a+b", "", &["s3:ListBucket arn:aws:s3:::bkt s3:prefix=a b"]),
        (
            "PUT /bkt/k",
            "x-amz-tagging: a=b",
            &["s3:PutObject arn:aws:s3:::bkt/k", "s3:PutObjectTagging arn:aws:s3:::bkt/k"],
        ),
        (
            "POST /bkt/k?uploads",
            "x-amz-tagging: a=b",
            &["s3:PutObject arn:aws:s3:::bkt/k", "s3:PutObjectTagging arn:aws:s3:::bkt/k"],
        ),
        (
            "DELETE /bkt/k",
            "if-match: \"e\"",
            &[
                "s3:DeleteObject arn:aws:s3:::bkt/k s3:if-match=\"e\"",
                "s3:GetObject arn:aws:s3:::bkt/k s3:if-match=\"e\"",
            ],
        ),
        ("GET /bkt/k", "if-match: \"e\"", &["s3:GetObject arn:aws:s3:::bkt/k s3:if-match=\"e\""]),
    ] {
        let keeper = Arc::new(Keeper::default());
        let (_folder, endpoint) = endpoint(Some(keeper.clone()));
        ask(&endpoint, line, headers, "").await;
        assert_eq!(*keeper.asked.lock().unwrap(), expected, "{line}");
    }
    let keeper = Arc::new(Keeper { denied: "s3:PutObjectTagging", ..Keeper::default() });
    let (_folder, endpoint) = endpoint(Some(keeper));
    assert_eq!(ask(&endpoint, "PUT /bkt/k", "x-amz-tagging: a=b", "x").await.0, 403);
    assert_eq!(ask(&endpoint, "PUT /bkt/k", "", "x").await.0, 200);
    for header in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        for (owner, expected) in [("999999999999", 403), (ACCOUNT, 200)] {
            let headers = format!("x-amz-copy-source: /bkt/k\n{header}: {owner}");
            assert_eq!(ask(&endpoint, "PUT /bkt/c", &headers, "").await.0, expected, "{header} {owner}");
        }
    }
    let presigned = ask(&endpoint, "GET /bkt/k?X-Amz-Expires=604801", "", "").await;
    assert!(presigned.2.contains("AuthorizationQueryParametersError"), "{}", presigned.2);
    let policy = |resource: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"{resource}"}}}}"#
        )
    };
    for (policy, expected) in [
        (policy("arn:aws:s3:::bkt/*"), 204),
        (policy("arn:aws:s3:::other/*"), 400),
        (policy(&format!("arn:aws:s3:::bkt/{}", "x".repeat(20 << 10))), 400),
    ] {
        let (status, _, body) = ask(&endpoint, "PUT /bkt?policy", "", &policy).await;
        assert_eq!((status, body.contains("MalformedPolicy")), (expected, expected == 400), "{body}");
    }
    let versioned = ask(&endpoint, "DELETE /bkt/k?versionId=abcdef", "", "").await;
    assert_eq!(versioned.0, 400, "{}", versioned.2);
}
