//! ListObjects, both versions.

use super::{Objects, buckets, timestamp};
use crate::store::{Listed, Page};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

/// What `encoding-type=url` leaves as it is.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

/// Source: S3 API, ListObjectsV2: 1,000 keys at most.
const MOST: i32 = 1000;

fn max(keys: Option<i32>) -> S3Result<i32> {
    match keys.unwrap_or(MOST) {
        keys if keys < 0 => {
            let message = "Argument maxKeys must be an integer between 0 and 2147483647";
            Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
        }
        keys => Ok(keys.min(MOST)),
    }
}

/// A name as the client wants it.
pub(super) fn shown(name: String, encoding: Option<&EncodingType>) -> String {
    match encoding {
        Some(encoding) if encoding.as_str() == EncodingType::URL => {
            utf8_percent_encode(&name, PLAIN).to_string()
        }
        _ => name,
    }
}

struct Answered {
    contents: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    /// What the next page begins after.
    last: Option<String>,
}

async fn list(
    objects: &Objects,
    bucket: String,
    page: Page,
    encoding: Option<&EncodingType>,
    with_owner: bool,
) -> S3Result<Answered> {
    let account = bucket.clone();
    let (found, more, account) = objects
        .with(move |store| {
            let owner = store.bucket(&account)?.account;
            let (found, more) =
                if page.max == 0 { (Vec::new(), false) } else { store.list(&bucket, &page)? };
            Ok((found, more, owner))
        })
        .await?;
    let last = found.last().map(|listed| listed.name().to_owned()).filter(|_| more);
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for listed in found {
        match listed {
            Listed::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(shown(prefix, encoding)) }),
            Listed::Object(object) => contents.push(Object {
                key: Some(shown(object.key, encoding)),
                size: i64::try_from(object.size).ok(),
                e_tag: Some(ETag::Strong(object.etag)),
                last_modified: Some(timestamp(object.modified_ms)),
                storage_class: Some(ObjectStorageClass::from(
                    object.head.storage_class.unwrap_or_else(|| ObjectStorageClass::STANDARD.to_owned()),
                )),
                owner: with_owner.then(|| buckets::owner(&account)),
                ..Default::default()
            }),
        }
    }
    Ok(Answered { contents, prefixes, last })
}

pub(super) async fn list_objects(
    objects: &Objects,
    request: S3Request<ListObjectsInput>,
) -> S3Result<ListObjectsOutput> {
    let input = request.input;
    let max_keys = max(input.max_keys)?;
    let page = Page {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone().unwrap_or_default(),
        max: usize::try_from(max_keys).unwrap_or(0),
    };
    let encoding = input.encoding_type;
    let answered = list(objects, input.bucket.clone(), page, encoding.as_ref(), true).await?;
    // Without a delimiter, the last key is the marker.
    let next_marker = answered.last.clone().filter(|_| input.delimiter.is_some());
    let show = |name: Option<String>| name.map(|name| shown(name, encoding.as_ref()));
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(shown(input.prefix.unwrap_or_default(), encoding.as_ref())),
        marker: Some(shown(input.marker.unwrap_or_default(), encoding.as_ref())),
        max_keys: Some(max_keys),
        is_truncated: Some(answered.last.is_some()),
        contents: Some(answered.contents),
        common_prefixes: Some(answered.prefixes),
        delimiter: show(input.delimiter),
        next_marker: show(next_marker),
        encoding_type: encoding,
        request_charged: None,
    })
}

pub(super) async fn list_objects_v2(
    objects: &Objects,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<ListObjectsV2Output> {
    let input = request.input;
    let max_keys = max(input.max_keys)?;
    let after = match &input.continuation_token {
        Some(token) => {
            let wrong = || {
                S3Error::with_message(
                    S3ErrorCode::InvalidArgument,
                    "The continuation token provided is incorrect",
                )
            };
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
            String::from_utf8(bytes).map_err(|_| wrong())?
        }
        None => input.start_after.clone().unwrap_or_default(),
    };
    let page = Page {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after,
        max: usize::try_from(max_keys).unwrap_or(0),
    };
    let encoding = input.encoding_type;
    let with_owner = input.fetch_owner.unwrap_or(false);
    let answered = list(objects, input.bucket.clone(), page, encoding.as_ref(), with_owner).await?;
    let show = |name: Option<String>| name.map(|name| shown(name, encoding.as_ref()));
    let count = answered.contents.len() + answered.prefixes.len();
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(shown(input.prefix.unwrap_or_default(), encoding.as_ref())),
        max_keys: Some(max_keys),
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(answered.last.is_some()),
        next_continuation_token: answered.last.map(|last| BASE64_URL_SAFE_NO_PAD.encode(last)),
        contents: Some(answered.contents),
        common_prefixes: Some(answered.prefixes),
        delimiter: show(input.delimiter),
        start_after: show(input.start_after),
        encoding_type: encoding,
        request_charged: None,
    })
}
