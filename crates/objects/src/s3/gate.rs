//! Who may do what: asked of whoever knows the account's keys and policies.

use std::net::IpAddr;

/// The client's address, in the extensions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// One question.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The key that the request is signed with; `None` for an unsigned one.
    pub access_key_id: Option<&'a str>,
    /// `x-amz-security-token`, as header or in a presigned URL.
    pub session_token: Option<&'a str>,
    /// The client's address.
    pub source_ip: Option<IpAddr>,
    /// Such as `s3:PutObject`.
    pub action: &'a str,
    /// The ARN of a bucket or an object, or `*`.
    pub resource: &'a str,
    /// The account of the bucket, if there is one.
    pub owner: Option<&'a str>,
    /// Its policy.
    pub bucket_policy: Option<&'a str>,
    /// Context keys that only the request knows, such as `s3:x-amz-acl`.
    pub context: &'a [(&'a str, &'a str)],
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// `AccessDenied`, `InvalidToken`, `ExpiredToken`, ...
    pub code: &'static str,
    pub message: String,
}

/// Knows keys and policies. Calls may block for as long as a read of the state.
pub trait Gate: Send + Sync + 'static {
    /// The secret of an access key; `None` if there is no such key.
    fn secret(&self, access_key_id: &str) -> Option<String>;

    /// The account of the caller, if it may.
    fn check(&self, ask: &Ask<'_>) -> Result<String, Denied>;

    /// What is wrong with the text of a bucket policy.
    fn check_policy(&self, policy: &str) -> Result<(), String>;
}
