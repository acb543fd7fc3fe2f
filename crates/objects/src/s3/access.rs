//! The IAM action and resource of each operation.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition
//! keys for Amazon S3"; S3 user guide, "Required permissions for Amazon S3 API
//! operations".

use super::gate::{Ask, Gate, Peer};
use super::{Caller, asked, code, unlisted};
use crate::store::Store;
use http::StatusCode;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use std::net::IpAddr;
use std::sync::Arc;

/// Operation, action.
const ACTIONS: &[(&str, &str)] = &[
    ("AbortMultipartUpload", "s3:AbortMultipartUpload"),
    ("CompleteMultipartUpload", "s3:PutObject"),
    ("CopyObject", "s3:PutObject"),
    ("CreateBucket", "s3:CreateBucket"),
    ("CreateMultipartUpload", "s3:PutObject"),
    ("DeleteBucket", "s3:DeleteBucket"),
    ("DeleteBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"),
    ("DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls"),
    ("DeleteBucketPolicy", "s3:DeleteBucketPolicy"),
    ("DeleteBucketTagging", "s3:PutBucketTagging"),
    ("DeleteObject", "s3:DeleteObject"),
    ("DeleteObjectTagging", "s3:DeleteObjectTagging"),
    ("DeleteObjects", "s3:DeleteObject"),
    ("DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("GetBucketAcl", "s3:GetBucketAcl"),
    ("GetBucketEncryption", "s3:GetEncryptionConfiguration"),
    ("GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
    ("GetBucketLocation", "s3:GetBucketLocation"),
    ("GetBucketOwnershipControls", "s3:GetBucketOwnershipControls"),
    ("GetBucketPolicy", "s3:GetBucketPolicy"),
    ("GetBucketPolicyStatus", "s3:GetBucketPolicyStatus"),
    ("GetBucketTagging", "s3:GetBucketTagging"),
    ("GetBucketVersioning", "s3:GetBucketVersioning"),
    ("GetObject", "s3:GetObject"),
    ("GetObjectAcl", "s3:GetObjectAcl"),
    ("GetObjectTagging", "s3:GetObjectTagging"),
    ("GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    ("HeadBucket", "s3:ListBucket"),
    ("HeadObject", "s3:GetObject"),
    ("ListBuckets", "s3:ListAllMyBuckets"),
    ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("ListObjects", "s3:ListBucket"),
    ("ListObjectsV2", "s3:ListBucket"),
    ("ListParts", "s3:ListMultipartUploadParts"),
    ("PutBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
    ("PutBucketOwnershipControls", "s3:PutBucketOwnershipControls"),
    ("PutBucketPolicy", "s3:PutBucketPolicy"),
    ("PutBucketTagging", "s3:PutBucketTagging"),
    ("PutBucketVersioning", "s3:PutBucketVersioning"),
    ("PutObject", "s3:PutObject"),
    ("PutObjectTagging", "s3:PutObjectTagging"),
    ("PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("UploadPart", "s3:PutObject"),
    ("UploadPartCopy", "s3:PutObject"),
];

/// Operations whose header `x-amz-tagging` needs a permission of its own.
const SETS_TAGS: [&str; 3] = ["CopyObject", "CreateMultipartUpload", "PutObject"];

/// Source: S3 API, "Authenticating requests: using query parameters".
const WEEK_S: u64 = 7 * 24 * 60 * 60;

/// Asks the gate before each operation.
pub struct Access {
    pub store: Arc<Store>,
    pub gate: Arc<dyn Gate>,
}

/// Finds the secrets of keys.
pub struct Keys(pub Arc<dyn Gate>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let (gate, key) = (self.0.clone(), access_key.to_owned());
        let secret = super::blocking(move || Ok(gate.secret(&key))).await?;
        secret.map(SecretKey::from).ok_or_else(|| {
            s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records.")
        })
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name().to_owned();
        let Some((_, action)) = ACTIONS.iter().find(|(name, _)| *name == operation.as_str()) else {
            return Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            ));
        };
        let expires = parameter(cx, |name| name == "X-Amz-Expires");
        if expires.and_then(|seconds| seconds.parse().ok()).is_some_and(|seconds: u64| seconds > WEEK_S) {
            let message = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds";
            return Err(unlisted("AuthorizationQueryParametersError", StatusCode::BAD_REQUEST, message));
        }
        // Each key of a deletion of many is asked for, once they are known.
        let asks_later = operation == "DeleteObjects";
        let (bucket, key) = match cx.s3_path() {
            S3Path::Root => (None, None),
            S3Path::Bucket { bucket } => (Some(bucket.to_string()), None),
            S3Path::Object { bucket, key } => (Some(bucket.to_string()), Some(key.to_string())),
        };
        let question = Question {
            access_key_id: cx.credentials().map(|credentials| credentials.access_key.clone()),
            session_token: session_token(cx),
            source_ip: cx.extensions_mut().get::<Peer>().map(|peer| peer.0),
            context: context(cx),
        };
        let account = if asks_later {
            None
        } else {
            Some(self.ask(&question, action, bucket.as_deref(), key.as_deref()).await?)
        };
        let of_key = |action| self.ask(&question, action, bucket.as_deref(), key.as_deref());
        if SETS_TAGS.contains(&operation.as_str()) && cx.headers().contains_key("x-amz-tagging") {
            of_key("s3:PutObjectTagging").await?;
        }
        // Who may only write learns nothing of the object that is there.
        let compares = cx.headers().get("if-match").is_some_and(|etag| etag != "*");
        if compares && key.is_some() && matches!(*action, "s3:PutObject" | "s3:DeleteObject") {
            of_key("s3:GetObject").await?;
        }
        let mut sources = Vec::new();
        if let Some(source) = cx.headers().get("x-amz-copy-source").and_then(|source| source.to_str().ok()) {
            let source = s3s::dto::CopySource::parse(source);
            if let Ok(s3s::dto::CopySource::Bucket { bucket, key, .. }) = source {
                sources.push((bucket, key));
            }
        }
        for (bucket, key) in sources {
            self.ask(&question, "s3:GetObject", Some(&bucket), Some(&key)).await?;
            self.check_owner(cx, asked::SOURCE_OWNER, Some(&bucket)).await?;
        }
        self.check_owner(cx, asked::OWNER, bucket.as_deref()).await?;
        asked::check(cx.headers(), cx.uri().query())?;
        cx.extensions_mut().insert(Caller { account, question });
        Ok(())
    }
}

/// What the questions of one request have in common.
#[derive(Debug, Clone, Default)]
pub struct Question {
    access_key_id: Option<String>,
    session_token: Option<String>,
    source_ip: Option<IpAddr>,
    context: Vec<(String, String)>,
}

impl Access {
    /// Whether the bucket is of the account that the client expects.
    async fn check_owner(
        &self,
        cx: &S3AccessContext<'_>,
        header: &'static str,
        bucket: Option<&str>,
    ) -> S3Result<()> {
        let (true, Some(bucket)) = (cx.headers().contains_key(header), bucket) else { return Ok(()) };
        let (store, bucket) = (self.store.clone(), bucket.to_owned());
        match super::blocking(move || Ok(store.bucket(&bucket))).await? {
            Ok(bucket) => asked::owner(cx.headers(), header, &bucket.account),
            // The operation says so.
            Err(_) => Ok(()),
        }
    }

    /// The account of the caller, if it may.
    pub async fn ask(
        &self,
        question: &Question,
        action: &str,
        bucket: Option<&str>,
        key: Option<&str>,
    ) -> S3Result<String> {
        let (store, gate) = (self.store.clone(), self.gate.clone());
        let (question, action) = (question.clone(), action.to_owned());
        let resource = match (bucket, key) {
            (None, _) => "*".to_owned(),
            (Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
            (Some(bucket), Some(key)) => format!("arn:aws:s3:::{bucket}/{key}"),
        };
        let bucket = bucket.map(str::to_owned);
        super::blocking(move || {
            let mut bucket = bucket.and_then(|bucket| store.bucket(&bucket).ok());
            if question.access_key_id.is_none()
                && let Some(bucket) = &mut bucket
                && !super::public::counts_for_all(&store, bucket)
            {
                bucket.policy = None;
            }
            let context: Vec<(&str, &str)> =
                question.context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let ask = Ask {
                access_key_id: question.access_key_id.as_deref(),
                session_token: question.session_token.as_deref(),
                source_ip: question.source_ip,
                action: &action,
                resource: &resource,
                owner: bucket.as_ref().map(|bucket| bucket.account.as_str()),
                bucket_policy: bucket.as_ref().and_then(|bucket| bucket.policy.as_deref()),
                context: &context,
            };
            gate.check(&ask).map_err(|denied| S3Error::with_message(code(denied.code), denied.message))
        })
        .await
    }
}

fn session_token(cx: &S3AccessContext<'_>) -> Option<String> {
    let header = cx.headers().get("x-amz-security-token").and_then(|token| token.to_str().ok());
    let is_token = |name: &str| name.eq_ignore_ascii_case("x-amz-security-token");
    header.map(str::to_owned).or_else(|| parameter(cx, is_token))
}

/// The first parameter of such a name, read as s3s reads it, which refuses a
/// second one of the same name.
fn parameter(cx: &S3AccessContext<'_>, is_meant: impl Fn(&str) -> bool) -> Option<String> {
    let mut pairs = form_urlencoded::parse(cx.uri().query()?.as_bytes());
    pairs.find(|(name, _)| is_meant(name)).map(|(_, value)| value.into_owned())
}

fn context(cx: &S3AccessContext<'_>) -> Vec<(String, String)> {
    let mut context = Vec::new();
    for header in [
        "if-match",
        "if-none-match",
        "x-amz-acl",
        "x-amz-content-sha256",
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-storage-class",
    ] {
        if let Some(value) = cx.headers().get(header).and_then(|value| value.to_str().ok()) {
            context.push((format!("s3:{header}"), value.to_owned()));
        }
    }
    for key in ["prefix", "delimiter", "max-keys"] {
        if let Some(value) = parameter(cx, |name| name == key) {
            context.push((format!("s3:{key}"), value));
        }
    }
    for (header, key) in
        [("x-amz-source-account", "aws:SourceAccount"), ("x-amz-source-arn", "aws:SourceArn")]
    {
        if let Some(value) = cx.headers().get(header).and_then(|value| value.to_str().ok()) {
            context.push((key.to_owned(), value.to_owned()));
        }
    }
    context
}

/// For tests of the table: whether an operation is one that is here.
#[cfg(test)]
pub(super) fn is_known(operation: &str) -> bool {
    ACTIONS.iter().any(|(name, _)| *name == operation)
}

/// The code that a name stands for.
pub(super) fn from_name(name: &str) -> S3ErrorCode {
    name.parse().unwrap_or(S3ErrorCode::AccessDenied)
}
