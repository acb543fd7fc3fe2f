//! Multipart uploads.

use super::body::{Expected, checksums, receive, send, set_checksums};
use super::copy::{Source, source};
use super::listing::shown;
use super::objects;
use super::{Objects, buckets, timestamp};
use crate::store::{Part, Upload, Wanted, rolled_up};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

/// Source: S3 user guide, "Amazon S3 multipart upload limits".
const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;

fn check_number(number: i32) -> S3Result<()> {
    if PART_NUMBERS.contains(&number) {
        return Ok(());
    }
    let message = "Part number must be an integer between 1 and 10000, inclusive";
    Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
}

pub(super) async fn create_multipart_upload(
    objects: &Objects,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let input = request.input;
    let head = objects::head!(input);
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let id = objects.with(move |store| store.create_upload(&bucket, &key, &head, super::now_ms())).await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        server_side_encryption: input.server_side_encryption,
        ..Default::default()
    })
}

pub(super) async fn upload_part(
    objects: &Objects,
    request: S3Request<UploadPartInput>,
) -> S3Result<UploadPartOutput> {
    let trailing = objects::trailing(&request.headers);
    let trailers = request.trailing_headers.clone();
    let input = request.input;
    check_number(input.part_number)?;
    let expected = Expected {
        md5: input.content_md5.clone(),
        checksums: checksums!(input),
        trailing,
        trailers,
        length: input.content_length,
    };
    let (written, checksums) = receive(objects, input.body, &expected).await?;
    let part = Part {
        number: input.part_number,
        file: written.name,
        size: written.size,
        etag: written.etag.clone(),
        modified_ms: super::now_ms(),
        checksums: checksums.clone(),
    };
    objects.with(move |store| store.put_part(&input.bucket, &input.key, &input.upload_id, &part)).await?;
    let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(written.etag)), ..Default::default() };
    set_checksums!(output, checksums);
    Ok(output)
}

pub(super) async fn upload_part_copy(
    objects: &Objects,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<UploadPartCopyOutput> {
    let input = request.input;
    check_number(input.part_number)?;
    let Source { object, file, .. } = source(objects, &input.copy_source).await?;
    let conditions = objects::Conditions {
        if_match: input.copy_source_if_match.as_ref(),
        if_none_match: input.copy_source_if_none_match.as_ref(),
        if_modified_since: input.copy_source_if_modified_since.as_ref(),
        if_unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    conditions.check(&object).map_err(|_| super::failed(crate::store::Error::PreconditionFailed))?;
    let whole = 0..object.size;
    let range = match input.copy_source_range.as_deref().map(Range::parse) {
        None => whole,
        Some(range) => {
            let range = range.ok().and_then(|range| range.check(object.size).ok());
            range.ok_or_else(|| {
                let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
                S3Error::with_message(S3ErrorCode::InvalidArgument, message)
            })?
        }
    };
    let body = send(file, range.start, range.end - range.start).await?;
    let (written, _) = receive(objects, Some(body), &Expected::default()).await?;
    let modified_ms = super::now_ms();
    let part = Part {
        number: input.part_number,
        file: written.name,
        size: written.size,
        etag: written.etag.clone(),
        modified_ms,
        checksums: Default::default(),
    };
    objects.with(move |store| store.put_part(&input.bucket, &input.key, &input.upload_id, &part)).await?;
    let result = CopyPartResult {
        e_tag: Some(ETag::Strong(written.etag)),
        last_modified: Some(timestamp(modified_ms)),
        ..Default::default()
    };
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() })
}

pub(super) async fn complete_multipart_upload(
    objects: &Objects,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let input = request.input;
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let mut wanted = Vec::new();
    for part in parts {
        let number = part.part_number.unwrap_or(0);
        check_number(number)?;
        let checksums = checksums!(part);
        wanted.push(Wanted { number, etag: part.e_tag.map(|etag| etag.value().to_owned()), checksums });
    }
    if wanted.is_empty() {
        let message = "You must specify at least one part";
        return Err(S3Error::with_message(S3ErrorCode::MalformedXML, message));
    }
    let unless = objects::unless(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id);
    let written = objects
        .with(move |store| store.complete_upload(&bucket, &key, &id, &wanted, &unless, super::now_ms()))
        .await?;
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(written.etag)),
        ..Default::default()
    })
}

pub(super) async fn abort_multipart_upload(
    objects: &Objects,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    objects.with(move |store| store.abort_upload(&input.bucket, &input.key, &input.upload_id)).await?;
    Ok(AbortMultipartUploadOutput::default())
}

pub(super) async fn list_parts(
    objects: &Objects,
    request: S3Request<ListPartsInput>,
) -> S3Result<ListPartsOutput> {
    let account = objects.account(&request);
    let input = request.input;
    let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let parts = objects.with(move |store| store.parts(&bucket, &key, &id)).await?;
    let after = input.part_number_marker.unwrap_or(0);
    let max = input.max_parts.unwrap_or(1000).clamp(0, 1000);
    let mut rest = parts.into_iter().filter(|part| part.number > after);
    let page: Vec<_> = rest.by_ref().take(usize::try_from(max).unwrap_or(0)).collect();
    let more = rest.next().is_some();
    let last = page.last().map(|part| part.number).filter(|_| more);
    let shown = page.into_iter().map(|part| {
        let mut shown = s3s::dto::Part {
            part_number: Some(part.number),
            size: i64::try_from(part.size).ok(),
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(timestamp(part.modified_ms)),
            ..Default::default()
        };
        set_checksums!(shown, part.checksums);
        shown
    });
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(max),
        is_truncated: Some(more),
        part_number_marker: Some(after),
        next_part_number_marker: last,
        parts: Some(shown.collect()),
        owner: Some(buckets::owner(&account)),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..Default::default()
    })
}

/// An upload, or the prefix of all uploads that are rolled up to it.
enum Found {
    Upload(Upload),
    Prefix(String),
}

/// One page of uploads in order, and whether there is more. It begins after the
/// upload `id` of the key `after`, or after all of that key.
fn page(
    all: Vec<Upload>,
    (prefix, delimiter): (&str, Option<&str>),
    (after, id): (&str, Option<&str>),
    max: usize,
) -> (Vec<Found>, bool) {
    let mut found: Vec<Found> = Vec::new();
    for upload in all.into_iter().filter(|upload| upload.key.starts_with(prefix)) {
        let next = match rolled_up(&upload.key, prefix, delimiter) {
            Some(name) if name.as_str() <= after => continue,
            Some(name) if matches!(found.last(), Some(Found::Prefix(last)) if *last == name) => continue,
            Some(name) => Found::Prefix(name),
            None => {
                let is_later = upload.key == after && id.is_some_and(|id| upload.id.as_str() > id);
                if upload.key.as_str() <= after && !is_later {
                    continue;
                }
                Found::Upload(upload)
            }
        };
        if found.len() == max {
            return (found, true);
        }
        found.push(next);
    }
    (found, false)
}

pub(super) async fn list_multipart_uploads(
    objects: &Objects,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<ListMultipartUploadsOutput> {
    let input = request.input;
    let bucket = input.bucket.clone();
    let all = objects.with(move |store| store.uploads(&bucket)).await?;
    let prefix = input.prefix.unwrap_or_default();
    let after = input.key_marker.unwrap_or_default();
    // Without a key it means nothing.
    let id = input.upload_id_marker.filter(|id| !after.is_empty() && !id.is_empty());
    let max = input.max_uploads.unwrap_or(1000).clamp(0, 1000);
    let size = usize::try_from(max).unwrap_or(0);
    let (found, more) = page(all, (&prefix, input.delimiter.as_deref()), (&after, id.as_deref()), size);
    let (next_key, next_id) = match found.last().filter(|_| more) {
        Some(Found::Upload(upload)) => (Some(upload.key.clone()), Some(upload.id.clone())),
        Some(Found::Prefix(prefix)) => (Some(prefix.clone()), None),
        None => (None, None),
    };
    let encoding = input.encoding_type;
    let show = |name: String| shown(name, encoding.as_ref());
    let (mut uploads, mut prefixes) = (Vec::new(), Vec::new());
    for one in found {
        match one {
            Found::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(show(prefix)) }),
            Found::Upload(upload) => uploads.push(MultipartUpload {
                key: Some(show(upload.key)),
                upload_id: Some(upload.id),
                initiated: Some(timestamp(upload.started_ms)),
                storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
                ..Default::default()
            }),
        }
    }
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        key_marker: Some(show(after)),
        upload_id_marker: id,
        prefix: Some(show(prefix)),
        delimiter: input.delimiter.map(show),
        max_uploads: Some(max),
        is_truncated: Some(more),
        next_key_marker: next_key.map(show),
        next_upload_id_marker: next_id,
        uploads: Some(uploads),
        common_prefixes: Some(prefixes),
        encoding_type: encoding,
        ..Default::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_uploads_lose_none_and_roll_up() {
        let uploads = [("a/1", "i1"), ("a/2", "i2"), ("k", "i1"), ("k", "i2"), ("k", "i3"), ("x/1", "i1")];
        let all = || {
            let upload = |(key, id): (&str, &str)| Upload { id: id.into(), key: key.into(), started_ms: 0 };
            uploads.map(upload).to_vec()
        };
        for (prefix, delimiter, expected) in [
            ("", None, "a/1 i1,a/2 i2,k i1,k i2,k i3,x/1 i1"),
            ("", Some("/"), "a/,k i1,k i2,k i3,x/"),
            ("a/", Some("/"), "a/1 i1,a/2 i2"),
            ("k", None, "k i1,k i2,k i3"),
            ("none", None, ""),
        ] {
            for max in 1..=6 {
                let (mut names, mut key, mut id) = (Vec::new(), String::new(), None::<String>);
                loop {
                    let (found, more) = page(all(), (prefix, delimiter), (&key, id.as_deref()), max);
                    for one in found {
                        match one {
                            Found::Upload(upload) => {
                                names.push(format!("{} {}", upload.key, upload.id));
                                (key, id) = (upload.key, Some(upload.id));
                            }
                            Found::Prefix(prefix) => {
                                names.push(prefix.clone());
                                (key, id) = (prefix, None);
                            }
                        }
                    }
                    if !more {
                        break;
                    }
                    assert!(names.len() < 20, "{names:?}");
                }
                assert_eq!(names.join(","), expected, "{prefix} {delimiter:?} {max}");
            }
        }
        assert_eq!(page(all(), ("", None), ("k", None), 9).0.len(), 1, "a key alone is all of its uploads");
    }
}
