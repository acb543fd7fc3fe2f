//! CopyObject.
//!
//! Source: S3 API, CopyObject.

use super::body::{Expected, receive, send, set_checksums};
use super::objects::{Conditions, head, unless};
use super::{Objects, asked, timestamp};
use crate::store::{self, Head, Object};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};
use std::fs::File;

/// The object that is copied from.
pub(super) struct Source {
    pub object: Object,
    pub file: File,
    pub bucket: String,
}

pub(super) async fn source(objects: &Objects, source: &CopySource) -> S3Result<Source> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(s3_error!(NotImplemented, "Access points are not implemented"));
    };
    version_id.as_deref().map_or(Ok(()), asked::version)?;
    let (bucket, key) = (bucket.to_string(), key.to_string());
    let name = bucket.clone();
    let (object, file) = objects.with(move |store| store.open_object(&name, &key)).await?;
    Ok(Source { object, file, bucket })
}

/// A condition on the object that is written, which s3s does not read for a copy.
fn condition(headers: &http::HeaderMap, name: &str) -> S3Result<Option<ETagCondition>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let parsed = ETagCondition::parse_http_header(value.as_bytes());
    parsed.map(Some).map_err(|error| S3Error::with_source(S3ErrorCode::InvalidArgument, Box::new(error)))
}

pub(super) async fn copy_object(
    objects: &Objects,
    request: S3Request<CopyObjectInput>,
) -> S3Result<CopyObjectOutput> {
    let if_match = condition(&request.headers, "if-match")?;
    let if_none_match = condition(&request.headers, "if-none-match")?;
    let unless = unless(if_match.as_ref(), if_none_match.as_ref())?;
    let input = request.input;
    let Source { object, file, bucket } = source(objects, &input.copy_source).await?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match.as_ref(),
        if_none_match: input.copy_source_if_none_match.as_ref(),
        if_modified_since: input.copy_source_if_modified_since.as_ref(),
        if_unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    // A copy has no body to leave out: what would be 304 is 412.
    conditions.check(&object).map_err(|_| super::failed(store::Error::PreconditionFailed))?;
    let replaces = |directive: Option<&str>| directive == Some("REPLACE");
    let own = head!(input);
    let replaces_head = replaces(input.metadata_directive.as_ref().map(MetadataDirective::as_str));
    let is_itself = bucket == input.bucket && object.key == input.key;
    let changes = replaces_head || own.storage_class.is_some() || own.server_side_encryption.is_some();
    if is_itself && !changes {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    }
    let kept = object.head.clone();
    let tags = if replaces(input.tagging_directive.as_ref().map(TaggingDirective::as_str)) {
        own.tags.clone()
    } else {
        kept.tags.clone()
    };
    // Of a copy too, checksums are those of its bytes: none of parts.
    let mut checksums = kept.checksums.clone();
    checksums.retain(|_, value| !value.contains('-'));
    let (storage_class, server_side_encryption, kms_key_id) =
        (own.storage_class.clone(), own.server_side_encryption.clone(), own.kms_key_id.clone());
    let mut head = if replaces_head { own } else { kept };
    head = Head { tags, storage_class, server_side_encryption, kms_key_id, parts: None, ..head };
    let body = send(file, 0, object.size).await?;
    let algorithm = input.checksum_algorithm.iter().map(|algorithm| algorithm.as_str().to_owned());
    let expected = Expected { trailing: algorithm.collect(), ..Expected::default() };
    let (written, computed) = receive(objects, Some(body), &expected).await?;
    if !computed.is_empty() {
        checksums = computed;
    }
    head.checksums.clone_from(&checksums);
    let (etag, now) = (written.etag.clone(), super::now_ms());
    objects
        .with(move |store| store.put_object(&input.bucket, &input.key, &written, &head, &unless, now))
        .await?;
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(etag)),
        last_modified: Some(timestamp(now)),
        ..Default::default()
    };
    set_checksums!(result, checksums);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        server_side_encryption: input.server_side_encryption,
        ssekms_key_id: input.ssekms_key_id,
        ..Default::default()
    })
}
