//! What is malformed, and how each protocol says what is wrong.

use super::*;
use crate::sigv4::errors::{access_denied, dry_run_operation, wire};

fn parse_with(
    authorization: Option<&str>,
    query: &str,
    date: Option<&str>,
) -> Result<SignedRequest, SigError> {
    let mut headers = vec![("host", b"h".as_slice())];
    headers.extend(authorization.map(|value| ("Authorization", value.as_bytes())));
    headers.extend(date.map(|value| ("X-Amz-Date", value.as_bytes())));
    parse(&RequestParts { method: "GET", path: "/", query, headers: &headers, payload: Payload::Body(b"") })
}

const CREDENTIAL: &str = "Credential=AKIA/20210504/us-east-1/ec2/aws4_request";

#[test]
fn authorization_headers() {
    let date = Some("20210504T100000Z");
    for separator in [", ", ",", " , "] {
        let text = format!(
            "AWS4-HMAC-SHA256 {CREDENTIAL}{separator}SignedHeaders=Host;x-amz-date{separator}Signature=ab"
        );
        let signed = parse_with(Some(&text), "", date).unwrap();
        assert_eq!(signed.signed_headers, ["host", "x-amz-date"]);
        assert_eq!((signed.signature.as_str(), signed.scope.service.as_str()), ("ab", "ec2"));
    }
    for (authorization, date, expected) in [
        (
            "AWS4-HMAC-SHA256".to_owned(),
            None,
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            format!("AWS4-HMAC-SHA256 {CREDENTIAL}, Signature=a"),
            date,
            "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=AKIA/20210504/us-east-1/ec2, SignedHeaders=host, Signature=a"
                .to_owned(),
            date,
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIA/20210504/us-east-1/ec2'",
        ),
        (
            format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=a"),
            Some("2021-05-04"),
            "Date must be in ISO-8601 'basic format'. Got '2021-05-04'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host;, Signature=a"),
            date,
            "SignedHeaders 'host;' holds an empty header name.",
        ),
        (
            format!("AWS4-HMAC-SHA256 {CREDENTIAL}, {CREDENTIAL}"),
            date,
            "Authorization header has 'Credential' more than once.",
        ),
    ] {
        let error = parse_with(Some(&authorization), "", date).unwrap_err();
        assert_eq!(wire(&error, ErrorProtocol::Query).message, expected);
        assert_eq!(wire(&error, ErrorProtocol::S3).code, "AuthorizationHeaderMalformed");
    }
    for algorithm in ["AWS4-ECDSA-P256-SHA256", "AWS", "Basic", "Bearer"] {
        let error = parse_with(Some(&format!("{algorithm} x")), "", date).unwrap_err();
        assert_eq!(error, SigError::UnsupportedAlgorithm(algorithm.to_owned()));
        assert_eq!(
            wire(&error, ErrorProtocol::Json).message,
            format!("Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). ")
        );
    }
    assert_eq!(parse_with(None, "Action=x", date).unwrap_err(), SigError::MissingAuthentication);
    let both = parse_with(Some("AWS4-HMAC-SHA256 x"), "X-Amz-Algorithm=AWS4-HMAC-SHA256", date);
    assert!(matches!(both, Err(SigError::MalformedAuthorization(_))));
}

#[test]
fn presigned_queries() {
    let query = |service: &str, rest: &str| {
        format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20210504%2Fus-east-1%2F{service}%2Faws4_request&X-Amz-Date=20210504T100000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=a{rest}"
        )
    };
    for (service, rest, expected) in [
        ("ec2", "", Some(900)),
        ("ec2", "&X-Amz-Expires=60", Some(60)),
        ("s3", "&X-Amz-Expires=604800", Some(604_800)),
        ("s3", "", None),
        ("s3", "&X-Amz-Expires=604801", None),
        ("s3", "&X-Amz-Expires=0", None),
        ("s3", "&X-Amz-Expires=-1", None),
        ("s3", "&X-Amz-Expires=soon", None),
        ("s3", "&X-Amz-Expires=60&X-Amz-Expires=61", None),
        ("s3", "&X-Amz-Expires=60&X-Amz-Signature=b", None),
    ] {
        match (parse_with(None, &query(service, rest), None), expected) {
            (Ok(signed), Some(expires_seconds)) => {
                assert_eq!(signed.form, SignatureForm::Presigned { expires_seconds });
            }
            (Err(error), None) => {
                assert_eq!(wire(&error, ErrorProtocol::S3).code, "AuthorizationQueryParametersError");
            }
            (result, _) => panic!("{service} {rest}: {result:?}"),
        }
    }
    let error = parse_with(None, "X-Amz-Signature=a&X-Amz-Date=x", None).unwrap_err();
    assert_eq!(
        error,
        SigError::MalformedQuery(
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters.".to_owned()
        )
    );
    let error = parse_with(None, "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256", None).unwrap_err();
    assert_eq!(error, SigError::UnsupportedAlgorithm("AWS4-ECDSA-P256-SHA256".to_owned()));
}

/// Columns: iam and sts, ec2, logs and its like, s3.
#[test]
fn codes_and_statuses() {
    let at = UnixMillis::from_seconds(1_620_122_400);
    let mismatch = SignatureMismatch {
        canonical_request: "c".to_owned(),
        string_to_sign: "s".to_owned(),
        provided: "p".to_owned(),
    };
    let does_not_match = ("SignatureDoesNotMatch", 403);
    let incomplete = ("IncompleteSignature", 400);
    let failure = ("AuthFailure", 401);
    let late = ("RequestExpired", 400);
    let invalid = ("InvalidSignatureException", 400);
    let malformed = ("AuthorizationHeaderMalformed", 400);
    for (error, expected) in [
        (
            SigError::MissingAuthentication,
            [
                ("MissingAuthenticationToken", 403),
                failure,
                ("MissingAuthenticationTokenException", 400),
                ("AccessDenied", 403),
            ],
        ),
        (
            SigError::UnknownAccessKey,
            [
                ("InvalidClientTokenId", 403),
                failure,
                ("UnrecognizedClientException", 400),
                ("InvalidAccessKeyId", 403),
            ],
        ),
        (
            SigError::InvalidSessionToken,
            [
                ("InvalidClientTokenId", 403),
                failure,
                ("UnrecognizedClientException", 400),
                ("InvalidAccessKeyId", 403),
            ],
        ),
        (
            SigError::CredentialsExpired,
            [("ExpiredToken", 403), late, ("ExpiredTokenException", 400), ("ExpiredToken", 400)],
        ),
        (
            SigError::SignatureDoesNotMatch(Box::new(mismatch)),
            [does_not_match, failure, invalid, ("SignatureDoesNotMatch", 403)],
        ),
        (
            SigError::Expired { signed_at: at, now: at },
            [does_not_match, late, invalid, ("RequestTimeTooSkewed", 403)],
        ),
        (
            SigError::NotYetCurrent { signed_at: at, now: at },
            [does_not_match, late, invalid, ("RequestTimeTooSkewed", 403)],
        ),
        (
            SigError::PresignedExpired { signed_at: at, expires_seconds: 60, now: at },
            [does_not_match, late, invalid, ("AccessDenied", 403)],
        ),
        (
            SigError::MalformedAuthorization("x".to_owned()),
            [incomplete, failure, ("IncompleteSignatureException", 400), malformed],
        ),
        (
            SigError::MalformedQuery("x".to_owned()),
            [
                incomplete,
                failure,
                ("IncompleteSignatureException", 400),
                ("AuthorizationQueryParametersError", 400),
            ],
        ),
        (
            SigError::UnsupportedAlgorithm("x".to_owned()),
            [incomplete, failure, ("IncompleteSignatureException", 400), malformed],
        ),
        (SigError::WrongTerminator("x".to_owned()), [does_not_match, failure, invalid, malformed]),
        (
            SigError::HeadersNotSigned(vec!["x-amz-a".to_owned()]),
            [does_not_match, failure, invalid, ("AccessDenied", 403)],
        ),
        (
            SigError::ContentSha256Mismatch { client: "a".to_owned(), server: "b".to_owned() },
            [does_not_match, failure, invalid, ("XAmzContentSHA256Mismatch", 400)],
        ),
    ] {
        let protocols = [ErrorProtocol::Query, ErrorProtocol::Ec2, ErrorProtocol::Json, ErrorProtocol::S3];
        let actual = protocols.map(|protocol| {
            let error = wire(&error, protocol);
            (error.code, error.status)
        });
        assert_eq!(actual, expected, "{error}");
    }
}

#[test]
fn messages() {
    let at = |seconds: i64| UnixMillis::from_seconds(1_620_122_400 + seconds);
    let query = |error: SigError| wire(&error, ErrorProtocol::Query).message;
    assert_eq!(
        query(SigError::Expired { signed_at: at(0), now: at(1800) }),
        "Signature expired: 20210504T100000Z is now earlier than 20210504T101500Z (20210504T103000Z - 15 min.)"
    );
    assert_eq!(
        query(SigError::NotYetCurrent { signed_at: at(1800), now: at(0) }),
        "Signature not yet current: 20210504T103000Z is still later than 20210504T101500Z (20210504T100000Z + 15 min.)"
    );
    assert_eq!(
        query(SigError::WrongScopeDate {
            given: "20210503".to_owned(),
            signed_at: "20210504T100000Z".to_owned()
        }),
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20210503' != '20210504', from '20210504T100000Z'."
    );
    let s3 = wire(
        &SigError::HeadersNotSigned(vec!["x-amz-a".to_owned(), "x-amz-b".to_owned()]),
        ErrorProtocol::S3,
    );
    assert_eq!(s3.message, "There were headers present in the request which were not signed");
    assert_eq!(s3.details, [("HeadersNotSigned", "x-amz-a, x-amz-b".to_owned())]);
}

#[test]
fn denials() {
    for (protocol, code, status, message) in [
        (ErrorProtocol::Query, "AccessDenied", 403, "m"),
        (
            ErrorProtocol::Ec2,
            "UnauthorizedOperation",
            403,
            "You are not authorized to perform this operation. m",
        ),
        (ErrorProtocol::Json, "AccessDeniedException", 400, "m"),
        (ErrorProtocol::S3, "AccessDenied", 403, "m"),
    ] {
        let error = access_denied(protocol, "m");
        assert_eq!((error.code, error.status, error.message.as_str()), (code, status, message));
    }
    assert_eq!((dry_run_operation().code, dry_run_operation().status), ("DryRunOperation", 412));
}

/// Debug output goes to logs, where neither secrets nor tokens may be.
#[test]
fn nothing_secret_is_printed() {
    let headers: [(&str, &[u8]); 4] = [
        ("host", b"h"),
        ("x-amz-date", b"20210504T100000Z"),
        ("x-amz-security-token", b"TOPSECRET"),
        (
            "authorization",
            b"AWS4-HMAC-SHA256 Credential=AKIA/20210504/us-east-1/ec2/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=a",
        ),
    ];
    let parts = RequestParts {
        method: "GET",
        path: "/",
        query: "",
        headers: &headers,
        payload: Payload::Body(b"TOPSECRET"),
    };
    let signed = parse(&parts).unwrap();
    let expected = Expected { now: signed.signed_at, service: "ec2", regions: &[] };
    let error = verify(&parts, &signed, &SecretAccessKey::new("TOPSECRET"), &expected).unwrap_err();
    let printed = format!("{signed:?} {error:?} {error} {parts:?}");
    assert!(!printed.contains("TOPSECRET"), "{printed}");
}
