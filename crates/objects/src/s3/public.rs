//! Which bucket policies are public, and what a public access block does to them.
//!
//! Source: S3 user guide, "Blocking public access to your Amazon S3 storage",
//! "The meaning of public".

use super::Objects;
use super::settings::public_access;
use crate::store::{Bucket, Setting, Store};
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use serde_json::Value;

/// Keys that, with a fixed value, make a statement for everybody not public.
const NARROWING: [&str; 11] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
];

/// Whether the policy lets everybody do something.
pub(super) fn is_public(policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return false };
    match &policy["Statement"] {
        Value::Array(statements) => statements.iter().any(statement_is_public),
        statement => statement_is_public(statement),
    }
}

/// Whether each resource that a bucket's policy names may be the bucket's.
pub(super) fn is_about(policy: &str, bucket: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return false };
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        statement => std::slice::from_ref(statement),
    };
    let is_own = |resource: &str| {
        let Some((_, place)) = resource.split_once(":s3:::") else { return true };
        let name = place.split('/').next().unwrap_or_default();
        name == bucket || name.contains(['*', '?', '$'])
    };
    statements.iter().all(|one| texts(&one["Resource"]).chain(texts(&one["NotResource"])).all(is_own))
}

fn statement_is_public(statement: &Value) -> bool {
    let for_all = !statement["NotPrincipal"].is_null() || is_everybody(&statement["Principal"]);
    statement["Effect"] == "Allow" && for_all && !is_narrowed(&statement["Condition"])
}

fn is_everybody(principal: &Value) -> bool {
    match principal {
        Value::String(name) => name == "*",
        Value::Object(kinds) => {
            kinds.iter().any(|(kind, names)| kind == "AWS" && texts(names).any(|name| name == "*"))
        }
        _ => false,
    }
}

fn is_narrowed(condition: &Value) -> bool {
    let operators = condition.as_object().into_iter().flatten();
    operators
        .filter(|(operator, _)| !operator.contains("Not") && !operator.starts_with("ForAllValues:"))
        .flat_map(|(_, keys)| keys.as_object().into_iter().flatten())
        .any(|(key, values)| {
            NARROWING.contains(&key.to_ascii_lowercase().as_str())
                && texts(values).all(|value| is_fixed(key, value))
        })
}

/// No wildcard, and no network that is nearly all of them.
fn is_fixed(key: &str, value: &str) -> bool {
    if key.eq_ignore_ascii_case("aws:SourceIp") {
        let bits = value.split_once('/').and_then(|(_, bits)| bits.parse::<u8>().ok());
        return bits.is_none_or(|bits| bits >= 8);
    }
    !value.contains(['*', '?', '$'])
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or(std::slice::from_ref(value));
    list.iter().filter_map(Value::as_str)
}

/// Refuses a public policy where it is blocked.
pub(super) async fn check_policy(objects: &Objects, bucket: &str, policy: &str) -> S3Result<()> {
    if !is_public(policy) {
        return Ok(());
    }
    let block = objects.public_access(bucket.to_owned()).await?;
    if block.and_then(|block| block.block_public_policy) == Some(true) {
        return Err(s3_error!(
            AccessDenied,
            "Public policies are blocked by the BlockPublicPolicy block public access setting."
        ));
    }
    Ok(())
}

/// Whether a bucket's policy counts for callers without a key: not if it is
/// public and the bucket is restricted.
pub(super) fn counts_for_all(store: &Store, bucket: &Bucket) -> bool {
    let Some(policy) = bucket.policy.as_deref().filter(|policy| is_public(policy)) else { return true };
    let kept = store.setting(&bucket.name, Setting::PublicAccessBlock).unwrap_or_default();
    let block = public_access(kept.as_deref());
    let is_restricted = block.and_then(|block| block.restrict_public_buckets) == Some(true);
    tracing::debug!(bucket = bucket.name, policy, is_restricted, "a public policy");
    !is_restricted
}

pub(super) async fn get_bucket_policy_status(
    objects: &Objects,
    request: S3Request<GetBucketPolicyStatusInput>,
) -> S3Result<GetBucketPolicyStatusOutput> {
    let bucket = request.input.bucket;
    let policy = objects.with(move |store| store.policy(&bucket)).await?;
    Ok(GetBucketPolicyStatusOutput {
        policy_status: Some(PolicyStatus { is_public: Some(is_public(&policy)) }),
    })
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn the_meaning_of_public() {
        for (principal, condition, expected) in [
            (r#""*""#, "{}", true),
            (r#"{"AWS":"*"}"#, "{}", true),
            (r#"{"AWS":["123456789012","*"]}"#, "{}", true),
            (r#"{"AWS":"123456789012"}"#, "{}", false),
            (r#"{"Service":"delivery.logs.amazonaws.com"}"#, "{}", false),
            (r#""*""#, r#"{"StringEquals":{"aws:SourceAccount":"123456789012"}}"#, false),
            (r#""*""#, r#"{"StringLike":{"aws:SourceArn":"arn:aws:logs:*"}}"#, true),
            (r#""*""#, r#"{"StringNotEquals":{"aws:SourceAccount":"123456789012"}}"#, true),
            (r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, false),
            (r#""*""#, r#"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/1"]}}"#, true),
            (r#""*""#, r#"{"StringEquals":{"s3:x-amz-acl":"private"}}"#, true),
        ] {
            let statement = |effect| {
                format!(
                    r#"{{"Effect":"{effect}","Principal":{principal},"Action":"s3:*","Resource":"*","Condition":{condition}}}"#
                )
            };
            let policy = |effect| format!(r#"{{"Statement":[{}]}}"#, statement(effect));
            assert_eq!(is_public(&policy("Allow")), expected, "{principal} {condition}");
            assert!(!is_public(&policy("Deny")));
            assert_eq!(is_public(&format!(r#"{{"Statement":{}}}"#, statement("Allow"))), expected);
        }
    }
}
