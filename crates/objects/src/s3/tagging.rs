//! Tags of buckets and objects.

use super::{Objects, unlisted};
use crate::store::Error;
use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};
use std::collections::BTreeMap;

/// Source: S3 API, PutObjectTagging and PutBucketTagging.
const OBJECT_TAGS: usize = 10;
const BUCKET_TAGS: usize = 50;

type Tags = BTreeMap<String, String>;

fn tags(set: TagSet, most: usize) -> S3Result<Tags> {
    let invalid = |message: &'static str| S3Error::with_message(S3ErrorCode::InvalidTag, message);
    if set.len() > most {
        let message = format!("Object tags cannot be greater than {most}");
        return Err(unlisted("BadRequest", StatusCode::BAD_REQUEST, message));
    }
    let mut tags = Tags::new();
    for tag in set {
        let (key, value) = (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        if key.is_empty() || key.chars().count() > 128 {
            return Err(invalid("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(invalid("The TagValue you have provided is invalid"));
        }
        if tags.insert(key, value).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

fn tag_set(tags: Tags) -> TagSet {
    tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}

/// The header `x-amz-tagging`: as a query.
pub(super) fn of_header(header: Option<&str>) -> S3Result<Tags> {
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let text = |part: &str| {
        let spaced = part.replace('+', " ");
        Some(percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    };
    let set = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Tag { key: text(key), value: text(value) }
    });
    tags(set.collect(), OBJECT_TAGS)
}

pub(super) async fn get_bucket_tagging(
    objects: &Objects,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<GetBucketTaggingOutput> {
    let tags = objects
        .with(move |store| store.bucket(&request.input.bucket)?.tags.ok_or(Error::NoSuchTagSet))
        .await?;
    Ok(GetBucketTaggingOutput { tag_set: tag_set(tags) })
}

pub(super) async fn put_bucket_tagging(
    objects: &Objects,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<PutBucketTaggingOutput> {
    let tags = tags(request.input.tagging.tag_set, BUCKET_TAGS)?;
    objects.with(move |store| store.set_bucket_tags(&request.input.bucket, Some(&tags))).await?;
    Ok(PutBucketTaggingOutput::default())
}

pub(super) async fn delete_bucket_tagging(
    objects: &Objects,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<DeleteBucketTaggingOutput> {
    objects.with(move |store| store.set_bucket_tags(&request.input.bucket, None)).await?;
    Ok(DeleteBucketTaggingOutput::default())
}

pub(super) async fn get_object_tagging(
    objects: &Objects,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<GetObjectTaggingOutput> {
    let input = request.input;
    let object = objects.with(move |store| store.object(&input.bucket, &input.key)).await?;
    Ok(GetObjectTaggingOutput { tag_set: tag_set(object.head.tags), version_id: None })
}

pub(super) async fn put_object_tagging(
    objects: &Objects,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<PutObjectTaggingOutput> {
    let input = request.input;
    let tags = tags(input.tagging.tag_set, OBJECT_TAGS)?;
    objects.with(move |store| store.set_tags(&input.bucket, &input.key, &tags)).await?;
    Ok(PutObjectTaggingOutput::default())
}

pub(super) async fn delete_object_tagging(
    objects: &Objects,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<DeleteObjectTaggingOutput> {
    let input = request.input;
    objects.with(move |store| store.set_tags(&input.bucket, &input.key, &Tags::new())).await?;
    Ok(DeleteObjectTaggingOutput::default())
}
