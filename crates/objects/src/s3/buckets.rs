//! Operations on buckets.

use super::{Objects, timestamp};
use crate::store::Bucket;
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

/// The region whose constraint is none.
const FIRST_REGION: &str = "us-east-1";

pub(super) async fn create_bucket(
    objects: &Objects,
    request: S3Request<CreateBucketInput>,
) -> S3Result<CreateBucketOutput> {
    let account = objects.account(&request);
    let signed_for = request.region.as_ref().map(|region| region.to_string());
    let input = request.input;
    check_name(&input.bucket)?;
    let constraint = input.create_bucket_configuration.and_then(|chosen| chosen.location_constraint);
    let region = match constraint {
        Some(constraint) if constraint.as_str() == FIRST_REGION => {
            let message = "The specified location-constraint is not valid";
            return Err(S3Error::with_message(S3ErrorCode::InvalidLocationConstraint, message));
        }
        Some(constraint) => constraint.as_str().to_owned(),
        None => signed_for.unwrap_or_else(|| objects.region.clone()),
    };
    let name = input.bucket.clone();
    let new = Bucket {
        name,
        account,
        region: region.clone(),
        created_ms: super::now_ms(),
        policy: None,
        tags: None,
    };
    match objects.with(move |store| store.create_bucket(&new)).await {
        // Of old, us-east-1 answers the owner as if it had just been made.
        Err(error) if *error.code() == S3ErrorCode::BucketAlreadyOwnedByYou && region == FIRST_REGION => {}
        done => done?,
    }
    Ok(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
}

/// Source: S3 user guide, "General purpose bucket naming rules".
fn check_name(name: &str) -> S3Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let is_right = (3..=63).contains(&name.len())
        && bytes.iter().all(|&byte| is_plain(byte) || byte == b'-' || byte == b'.')
        && bytes.first().is_some_and(|&byte| is_plain(byte))
        && bytes.last().is_some_and(|&byte| is_plain(byte))
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3"].iter().any(|suffix| name.ends_with(suffix));
    if is_right { Ok(()) } else { Err(s3_error!(InvalidBucketName, "The specified bucket is not valid.")) }
}

pub(super) async fn delete_bucket(
    objects: &Objects,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<DeleteBucketOutput> {
    objects.with(move |store| store.delete_bucket(&request.input.bucket)).await?;
    Ok(DeleteBucketOutput::default())
}

pub(super) async fn head_bucket(
    objects: &Objects,
    request: S3Request<HeadBucketInput>,
) -> S3Result<HeadBucketOutput> {
    let bucket = objects.with(move |store| store.bucket(&request.input.bucket)).await?;
    Ok(HeadBucketOutput { bucket_region: Some(bucket.region), ..Default::default() })
}

pub(super) async fn list_buckets(
    objects: &Objects,
    request: S3Request<ListBucketsInput>,
) -> S3Result<ListBucketsOutput> {
    let account = objects.account(&request);
    let owner = owner(&account);
    let found = objects.with(move |store| store.buckets(&account)).await?;
    let ListBucketsInput { prefix, continuation_token, max_buckets, bucket_region } = request.input;
    let max = max_buckets.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let mut wanted = found.into_iter().filter(|bucket| {
        prefix.as_ref().is_none_or(|prefix| bucket.name.starts_with(prefix.as_str()))
            && bucket_region.as_ref().is_none_or(|region| bucket.region == *region)
            && continuation_token.as_ref().is_none_or(|after| bucket.name > *after)
    });
    let buckets: Vec<_> = wanted
        .by_ref()
        .take(max)
        .map(|bucket| s3s::dto::Bucket {
            name: Some(bucket.name),
            creation_date: Some(timestamp(bucket.created_ms)),
            bucket_region: Some(bucket.region),
        })
        .collect();
    let more = wanted.next().is_some();
    let continuation_token = buckets.last().and_then(|bucket| bucket.name.clone()).filter(|_| more);
    Ok(ListBucketsOutput { buckets: Some(buckets), owner: Some(owner), continuation_token, prefix })
}

pub(super) async fn get_bucket_location(
    objects: &Objects,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<GetBucketLocationOutput> {
    let bucket = objects.with(move |store| store.bucket(&request.input.bucket)).await?;
    let region = Some(bucket.region).filter(|region| region != FIRST_REGION);
    Ok(GetBucketLocationOutput { location_constraint: region.map(BucketLocationConstraint::from) })
}

/// The owner has full control: other ACLs cannot be set.
pub(super) async fn get_bucket_acl(
    objects: &Objects,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<GetBucketAclOutput> {
    let bucket = objects.with(move |store| store.bucket(&request.input.bucket)).await?;
    Ok(GetBucketAclOutput {
        owner: Some(owner(&bucket.account)),
        grants: Some(vec![full_control(&bucket.account)]),
    })
}

pub(super) async fn get_bucket_policy(
    objects: &Objects,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<GetBucketPolicyOutput> {
    let policy = objects.with(move |store| store.policy(&request.input.bucket)).await?;
    Ok(GetBucketPolicyOutput { policy: Some(policy) })
}

/// Source: S3 user guide, "Bucket policies": 20 KB.
const MAX_POLICY_BYTES: usize = 20 << 10;

pub(super) async fn put_bucket_policy(
    objects: &Objects,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Result<PutBucketPolicyOutput> {
    let input = request.input;
    let is_object = input.policy.trim_start().starts_with('{');
    if !is_object || serde_json::from_str::<serde_json::Value>(&input.policy).is_err() {
        let message = "Policies must be valid JSON and the first byte must be '{'";
        return Err(S3Error::with_message(S3ErrorCode::MalformedPolicy, message));
    }
    if input.policy.len() > MAX_POLICY_BYTES {
        let message = "Policy exceeds the maximum allowed document size.";
        return Err(S3Error::with_message(S3ErrorCode::MalformedPolicy, message));
    }
    if let Some(access) = &objects.access {
        if !super::public::is_about(&input.policy, &input.bucket) {
            return Err(S3Error::with_message(S3ErrorCode::MalformedPolicy, "Policy has invalid resource"));
        }
        access
            .gate
            .check_policy(&input.policy)
            .map_err(|problem| S3Error::with_message(S3ErrorCode::MalformedPolicy, problem))?;
    }
    super::public::check_policy(objects, &input.bucket, &input.policy).await?;
    objects.with(move |store| store.set_policy(&input.bucket, Some(&input.policy))).await?;
    Ok(PutBucketPolicyOutput::default())
}

pub(super) async fn delete_bucket_policy(
    objects: &Objects,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<DeleteBucketPolicyOutput> {
    objects.with(move |store| store.set_policy(&request.input.bucket, None)).await?;
    Ok(DeleteBucketPolicyOutput::default())
}

/// An account's canonical user id is 64 hexadecimal digits; here they are made
/// of the account's id.
pub(super) fn owner(account: &str) -> Owner {
    Owner { id: Some(canonical_id(account)), display_name: None }
}

pub(super) fn full_control(account: &str) -> Grant {
    let grantee = Grantee {
        type_: Type::from_static(Type::CANONICAL_USER),
        id: Some(canonical_id(account)),
        display_name: None,
        email_address: None,
        uri: None,
    };
    Grant { grantee: Some(grantee), permission: Some(Permission::from_static(Permission::FULL_CONTROL)) }
}

fn canonical_id(account: &str) -> String {
    format!("{account:0>64}")
}
