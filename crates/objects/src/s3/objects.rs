//! Operations on objects.

use super::body::{Expected, checksums, receive, send, set_checksums};
use super::{Objects, buckets, timestamp};
use crate::store::{Object, Unless};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};
use std::time::SystemTime;

/// What an input says about the object besides its bytes.
macro_rules! head {
    ($input:expr) => {
        $crate::store::Head {
            content_type: $input.content_type.clone(),
            cache_control: $input.cache_control.clone(),
            content_disposition: $input.content_disposition.clone(),
            content_encoding: $input.content_encoding.clone(),
            content_language: $input.content_language.clone(),
            expires: $input.expires.as_ref().and_then($crate::s3::objects::http_date),
            storage_class: $input.storage_class.as_ref().map(|class| class.as_str().to_owned()),
            server_side_encryption: $input.server_side_encryption.as_ref().map(|sse| sse.as_str().to_owned()),
            kms_key_id: $input.ssekms_key_id.clone(),
            metadata: $input.metadata.clone().unwrap_or_default().into_iter().collect(),
            tags: $crate::s3::tagging::of_header($input.tagging.as_deref())?,
            checksums: Default::default(),
            parts: None,
        }
    };
}
pub(super) use head;

pub(super) fn http_date(at: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    at.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// What must not be so for a write to happen.
///
/// Errors: `NotImplemented` for conditions that S3 does not know for writes:
/// `If-Match` takes an entity tag, `If-None-Match` only `*`.
pub(super) fn unless(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<Unless> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Unless::Never),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Unless::NotEtag(etag.value().to_owned())),
        (None, Some(ETagCondition::Any)) => Ok(Unless::Exists),
        _ => Err(super::asked::not_implemented()),
    }
}

/// Algorithms of checksums that come after the body.
pub(super) fn trailing(headers: &http::HeaderMap) -> Vec<String> {
    let named = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let names = named.split(',').filter_map(|name| name.trim().strip_prefix("x-amz-checksum-"));
    names.map(str::to_ascii_uppercase).collect()
}

pub(super) async fn put_object(
    objects: &Objects,
    request: S3Request<PutObjectInput>,
) -> S3Result<PutObjectOutput> {
    let trailing = trailing(&request.headers);
    let trailers = request.trailing_headers.clone();
    let input = request.input;
    if input.key.len() > 1024 {
        return Err(s3_error!(KeyTooLongError, "Your key is too long"));
    }
    let unless = unless(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let bucket = input.bucket.clone();
    objects.with(move |store| store.bucket(&bucket)).await?;
    let mut head = head!(input);
    let expected = Expected {
        md5: input.content_md5.clone(),
        checksums: checksums!(input),
        trailing,
        trailers,
        length: input.content_length,
    };
    let (written, checksums) = receive(objects, input.body, &expected).await?;
    head.checksums.clone_from(&checksums);
    let etag = written.etag.clone();
    let now = super::now_ms();
    objects
        .with(move |store| store.put_object(&input.bucket, &input.key, &written, &head, &unless, now))
        .await?;
    let mut output = PutObjectOutput {
        e_tag: Some(ETag::Strong(etag)),
        server_side_encryption: input.server_side_encryption,
        ssekms_key_id: input.ssekms_key_id,
        ..Default::default()
    };
    set_checksums!(output, checksums);
    Ok(output)
}

/// The conditions of a read. Source: RFC 9110 section 13.2.2.
pub(super) struct Conditions<'a> {
    pub if_match: Option<&'a ETagCondition>,
    pub if_none_match: Option<&'a ETagCondition>,
    pub if_modified_since: Option<&'a Timestamp>,
    pub if_unmodified_since: Option<&'a Timestamp>,
}

impl Conditions<'_> {
    pub fn check(&self, object: &Object) -> S3Result<()> {
        let is = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.value() == object.etag,
        };
        // Headers have whole seconds.
        let modified = object.modified_ms / 1000;
        let seconds = |at: &Timestamp| time::OffsetDateTime::from(at.clone()).unix_timestamp();
        let failed = || super::failed(crate::store::Error::PreconditionFailed);
        match (self.if_match, self.if_unmodified_since) {
            (Some(condition), _) if !is(condition) => return Err(failed()),
            (None, Some(at)) if modified > seconds(at) => return Err(failed()),
            _ => {}
        }
        let is_unchanged = match (self.if_none_match, self.if_modified_since) {
            (Some(condition), _) => is(condition),
            (None, Some(at)) => modified <= seconds(at) && seconds(at) <= unix_now(),
            (None, None) => false,
        };
        if is_unchanged { Err(S3Error::new(S3ErrorCode::NotModified)) } else { Ok(()) }
    }
}

fn unix_now() -> i64 {
    time::OffsetDateTime::from(SystemTime::now()).unix_timestamp()
}

macro_rules! conditions {
    ($input:expr) => {
        Conditions {
            if_match: $input.if_match.as_ref(),
            if_none_match: $input.if_none_match.as_ref(),
            if_modified_since: $input.if_modified_since.as_ref(),
            if_unmodified_since: $input.if_unmodified_since.as_ref(),
        }
    };
}

/// Sets the members that tell of an object, in either of the two outputs.
macro_rules! set_head {
    ($output:expr, $object:expr, $with_checksums:expr) => {{
        let head = &$object.head;
        $output.accept_ranges = Some("bytes".to_owned());
        $output.e_tag = Some(ETag::Strong($object.etag.clone()));
        $output.last_modified = Some(timestamp($object.modified_ms));
        let octets = || "binary/octet-stream".to_owned();
        $output.content_type = Some(head.content_type.clone().unwrap_or_else(octets));
        $output.cache_control = head.cache_control.clone();
        $output.content_disposition = head.content_disposition.clone();
        $output.content_encoding = head.content_encoding.clone();
        $output.content_language = head.content_language.clone();
        $output.expires =
            head.expires.as_deref().and_then(|at| Timestamp::parse(TimestampFormat::HttpDate, at).ok());
        $output.storage_class = head
            .storage_class
            .clone()
            .filter(|class| class != StorageClass::STANDARD)
            .map(StorageClass::from);
        $output.server_side_encryption = head.server_side_encryption.clone().map(ServerSideEncryption::from);
        $output.ssekms_key_id = head.kms_key_id.clone();
        let metadata: Metadata = head.metadata.clone().into_iter().collect();
        $output.metadata = Some(metadata).filter(|metadata| !metadata.is_empty());
        $output.parts_count = None;
        if $with_checksums {
            set_checksums!($output, head.checksums);
        }
    }};
}

/// The bytes that are asked for, and the header that says which they are.
fn part(range: Option<&Range>, size: u64) -> S3Result<(std::ops::Range<u64>, Option<String>)> {
    let Some(range) = range else { return Ok((0..size, None)) };
    let bytes =
        range.check(size).map_err(|_| s3_error!(InvalidRange, "The requested range is not satisfiable"))?;
    let shown = format!("bytes {}-{}/{size}", bytes.start, bytes.end.saturating_sub(1));
    Ok((bytes, Some(shown)))
}

pub(super) async fn get_object(
    objects: &Objects,
    request: S3Request<GetObjectInput>,
) -> S3Result<GetObjectOutput> {
    let input = request.input;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let (object, file) = objects.with(move |store| store.open_object(&bucket, &key)).await?;
    conditions!(input).check(&object)?;
    let (bytes, content_range) = part(input.range.as_ref(), object.size)?;
    let length = bytes.end - bytes.start;
    let mut output = GetObjectOutput {
        body: Some(send(file, bytes.start, length).await?),
        content_length: i64::try_from(length).ok(),
        tag_count: i32::try_from(object.head.tags.len()).ok().filter(|count| *count > 0),
        ..Default::default()
    };
    set_head!(output, object, input.checksum_mode.is_some() && content_range.is_none());
    output.content_range = content_range;
    let instead = |own: Option<String>, asked: Option<String>| asked.or(own);
    output.content_type = instead(output.content_type, input.response_content_type);
    output.cache_control = instead(output.cache_control, input.response_cache_control);
    output.content_disposition = instead(output.content_disposition, input.response_content_disposition);
    output.content_encoding = instead(output.content_encoding, input.response_content_encoding);
    output.content_language = instead(output.content_language, input.response_content_language);
    Ok(output)
}

pub(super) async fn head_object(
    objects: &Objects,
    request: S3Request<HeadObjectInput>,
) -> S3Result<HeadObjectOutput> {
    let input = request.input;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let object = objects.with(move |store| store.object(&bucket, &key)).await?;
    conditions!(input).check(&object)?;
    let (bytes, content_range) = part(input.range.as_ref(), object.size)?;
    let mut output = HeadObjectOutput {
        content_length: i64::try_from(bytes.end - bytes.start).ok(),
        ..Default::default()
    };
    set_head!(output, object, input.checksum_mode.is_some());
    output.content_range = content_range;
    Ok(output)
}

pub(super) async fn get_object_acl(
    objects: &Objects,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<GetObjectAclOutput> {
    let input = request.input;
    let account = objects
        .with(move |store| {
            store.object(&input.bucket, &input.key)?;
            Ok(store.bucket(&input.bucket)?.account)
        })
        .await?;
    Ok(GetObjectAclOutput {
        owner: Some(buckets::owner(&account)),
        grants: Some(vec![buckets::full_control(&account)]),
        request_charged: None,
    })
}
