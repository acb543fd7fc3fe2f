//! Lifecycle rules: objects expire, unfinished uploads are aborted.
//!
//! As in S3, an object goes at the midnight (UTC) after its last day. Rules about
//! earlier versions are taken and have nothing to do; storage classes are not here.
//!
//! Source: S3 user guide, "Lifecycle configuration elements".

use super::Objects;
use super::settings::from_xml;
use crate::store::{self, Object, Setting, Store};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

const DAY_MS: i64 = 86_400_000;
const MAX_RULES: usize = 1000;
/// AWS's default, and of no meaning without transitions.
const SMALLEST_TRANSITION: &str = "all_storage_classes_128K";

pub(super) async fn get_bucket_lifecycle_configuration(
    objects: &Objects,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    let kept: Option<BucketLifecycleConfiguration> =
        objects.kept(request.input.bucket, Setting::Lifecycle).await?;
    let kept = kept.ok_or_else(|| {
        let message = "The lifecycle configuration does not exist";
        S3Error::with_message(S3ErrorCode::NoSuchLifecycleConfiguration, message)
    })?;
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(kept.rules),
        transition_default_minimum_object_size: Some(SMALLEST_TRANSITION.to_owned().into()),
    })
}

pub(super) async fn put_bucket_lifecycle_configuration(
    objects: &Objects,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<PutBucketLifecycleConfigurationOutput> {
    let PutBucketLifecycleConfigurationInput { bucket, lifecycle_configuration, .. } = request.input;
    let malformed = || {
        let message =
            "The XML you provided was not well-formed or did not validate against our published schema";
        S3Error::with_message(S3ErrorCode::MalformedXML, message)
    };
    let mut wanted = lifecycle_configuration.ok_or_else(malformed)?;
    if wanted.rules.is_empty() || wanted.rules.len() > MAX_RULES {
        return Err(malformed());
    }
    let mut ids = std::collections::HashSet::new();
    for (number, rule) in wanted.rules.iter_mut().enumerate() {
        check(rule)?;
        let id = rule.id.get_or_insert_with(|| format!("rule-{}", number + 1));
        if !ids.insert(id.clone()) {
            return Err(s3_error!(
                InvalidArgument,
                "Rule ID must be unique. Found same ID for more than one rule"
            ));
        }
    }
    objects.keep(bucket, Setting::Lifecycle, &wanted).await?;
    Ok(PutBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: Some(SMALLEST_TRANSITION.to_owned().into()),
    })
}

pub(super) async fn delete_bucket_lifecycle(
    objects: &Objects,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<DeleteBucketLifecycleOutput> {
    objects.forget(request.input.bucket, Setting::Lifecycle).await?;
    Ok(DeleteBucketLifecycleOutput::default())
}

fn check(rule: &LifecycleRule) -> S3Result<()> {
    let invalid = |message: &'static str| Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message));
    if rule.transitions.is_some() || rule.noncurrent_version_transitions.is_some() {
        let message = "There are no storage classes here: a rule may expire objects, not move them.";
        return Err(S3Error::with_message(S3ErrorCode::NotImplemented, message));
    }
    let has_action = rule.expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some()
        || rule.noncurrent_version_expiration.is_some();
    if !has_action {
        return invalid("At least one action needs to be specified in a rule");
    }
    if rule.id.as_ref().is_some_and(|id| id.len() > 255) {
        return invalid("ID length should not exceed allowed limit of 255");
    }
    let is_positive = |days: Option<i32>| days.is_none_or(|days| days > 0);
    let expiration = rule.expiration.as_ref();
    if !is_positive(expiration.and_then(|expiration| expiration.days)) {
        return invalid("'Days' for Expiration action must be a positive integer");
    }
    let abort = rule.abort_incomplete_multipart_upload.as_ref();
    if !is_positive(abort.and_then(|abort| abort.days_after_initiation)) {
        return invalid(
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
        );
    }
    Ok(())
}

/// What a rule's filter asks of an object.
#[derive(Default)]
struct Meant<'a> {
    prefix: &'a str,
    tags: Vec<&'a Tag>,
    larger_than: Option<i64>,
    smaller_than: Option<i64>,
}

impl<'a> Meant<'a> {
    fn of(rule: &'a LifecycleRule) -> Self {
        let prefix = |prefix: &'a Option<String>| prefix.as_deref().unwrap_or_default();
        let Some(filter) = &rule.filter else {
            return Self { prefix: prefix(&rule.prefix), ..Self::default() };
        };
        match &filter.and {
            Some(and) => Self {
                prefix: prefix(&and.prefix),
                tags: and.tags.iter().flatten().collect(),
                larger_than: and.object_size_greater_than,
                smaller_than: and.object_size_less_than,
            },
            None => Self {
                prefix: prefix(&filter.prefix),
                tags: filter.tag.iter().collect(),
                larger_than: filter.object_size_greater_than,
                smaller_than: filter.object_size_less_than,
            },
        }
    }

    fn takes(&self, object: &Object) -> bool {
        let size = i64::try_from(object.size).unwrap_or(i64::MAX);
        self.larger_than.is_none_or(|bytes| size > bytes)
            && self.smaller_than.is_none_or(|bytes| size < bytes)
            && self.tags.iter().all(|tag| {
                let key = tag.key.as_deref().unwrap_or_default();
                object.head.tags.get(key).map(String::as_str) == tag.value.as_deref()
            })
    }
}

/// What was written before this has had its `days` days by the last midnight.
fn before_ms(now_ms: i64, days: i32) -> i64 {
    now_ms.div_euclid(DAY_MS) * DAY_MS - i64::from(days) * DAY_MS + 1
}

/// Does what the rules of all buckets ask at `now_ms` (Unix time, milliseconds);
/// says how many objects and uploads have gone. Blocks.
///
/// # Errors
/// Those of the store.
pub fn run(store: &Store, now_ms: i64) -> store::Result<usize> {
    let mut count = 0;
    for (bucket, text) in store.all_settings(Setting::Lifecycle)? {
        let Some(kept) = from_xml::<BucketLifecycleConfiguration>(&text) else { continue };
        for rule in kept.rules.iter().filter(|rule| rule.status.as_str() == ExpirationStatus::ENABLED) {
            let meant = Meant::of(rule);
            let expiration = rule.expiration.as_ref();
            let by_days =
                expiration.and_then(|expiration| expiration.days).map(|days| before_ms(now_ms, days));
            let by_date = expiration
                .and_then(|expiration| expiration.date.clone())
                .map(|date| time::OffsetDateTime::from(date).unix_timestamp().saturating_mul(1000))
                .filter(|date_ms| *date_ms <= now_ms)
                .map(|_| i64::MAX);
            if let Some(before) = by_days.or(by_date) {
                count += store.expire_objects(&bucket, meant.prefix, before, |object| meant.takes(object))?;
            }
            let abort = rule.abort_incomplete_multipart_upload.as_ref();
            if let Some(days) = abort.and_then(|abort| abort.days_after_initiation) {
                count += store.expire_uploads(&bucket, meant.prefix, before_ms(now_ms, days))?;
            }
        }
    }
    Ok(count)
}
