//! Bodies: from a request into a synced file, checked on the way; from a file
//! into an answer.

use super::Objects;
use crate::store::{Written, file};
use futures_util::StreamExt;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};
use std::collections::BTreeMap;
use std::io::SeekFrom;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter};
use tokio_util::io::ReaderStream;

/// Buffers of files.
const BUFFER_BYTES: usize = 256 << 10;

/// Checksums that a client says a body has, by algorithm, in base64.
pub type Checksums = BTreeMap<String, String>;

/// What a body must be.
#[derive(Debug, Default)]
pub struct Expected {
    /// Base64 of the MD5.
    pub md5: Option<String>,
    pub checksums: Checksums,
    /// Algorithms whose value comes after the body, and where it will be then.
    pub trailing: Vec<String>,
    pub trailers: Option<TrailingHeaders>,
    /// Bytes, as a header says.
    pub length: Option<i64>,
}

/// The checksums of an input: names of its members that have a value.
macro_rules! checksums {
    ($input:expr) => {{
        let given = [
            ("CRC32", &$input.checksum_crc32),
            ("CRC32C", &$input.checksum_crc32c),
            ("CRC64NVME", &$input.checksum_crc64nvme),
            ("SHA1", &$input.checksum_sha1),
            ("SHA256", &$input.checksum_sha256),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect::<$crate::s3::body::Checksums>()
    }};
}

/// Sets the checksum members of an output.
macro_rules! set_checksums {
    ($output:expr, $checksums:expr) => {{
        $output.checksum_crc32 = $checksums.get("CRC32").cloned();
        $output.checksum_crc32c = $checksums.get("CRC32C").cloned();
        $output.checksum_crc64nvme = $checksums.get("CRC64NVME").cloned();
        $output.checksum_sha1 = $checksums.get("SHA1").cloned();
        $output.checksum_sha256 = $checksums.get("SHA256").cloned();
    }};
}

pub(super) use {checksums, set_checksums};

fn hasher(expected: &Expected) -> ChecksumHasher {
    let mut hasher = ChecksumHasher::default();
    for name in expected.checksums.keys().chain(&expected.trailing) {
        match name.as_str() {
            "CRC32" => hasher.crc32 = Some(Default::default()),
            "CRC32C" => hasher.crc32c = Some(Default::default()),
            "CRC64NVME" => hasher.crc64nvme = Some(Default::default()),
            "SHA1" => hasher.sha1 = Some(Default::default()),
            "SHA256" => hasher.sha256 = Some(Default::default()),
            _ => {}
        }
    }
    hasher
}

/// Writes a body to a new file and syncs it. Gives it with the checksums that
/// were asked for. A file that is not what was expected is removed.
///
/// Errors: `BadDigest`, `IncompleteBody`, `XAmzContentSHA256Mismatch` and others
/// of the stream.
pub(super) async fn receive(
    objects: &Objects,
    body: Option<StreamingBlob>,
    expected: &Expected,
) -> S3Result<(Written, Checksums)> {
    let (name, path) = objects
        .with(|store| {
            let name = crate::Store::new_name()?;
            let path = store.new_file(&name)?;
            Ok((name, path))
        })
        .await?;
    let received = write(&path, body, expected).await;
    let done = match received {
        Ok((size, etag, checksums)) => {
            let synced = name.clone();
            let done = objects.with(move |store| store.sync_folder(&synced)).await;
            done.map(|()| (Written { name: name.clone(), size, etag }, checksums))
        }
        Err(error) => Err(error),
    };
    if done.is_err() {
        drop(tokio::fs::remove_file(&path).await);
    }
    done
}

async fn write(
    path: &std::path::Path,
    body: Option<StreamingBlob>,
    expected: &Expected,
) -> S3Result<(u64, String, Checksums)> {
    let disk = |operation| move |error| super::failed(file(operation)(error));
    let out = File::create(path).await.map_err(disk("write"))?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let (mut size, mut md5, mut hasher) = (0u64, Md5::new(), hasher(expected));
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(interrupted)?;
            md5.update(&chunk);
            hasher.update(&chunk);
            size += chunk.len() as u64;
            out.write_all(&chunk).await.map_err(disk("write"))?;
        }
    }
    if expected.length.is_some_and(|length| u64::try_from(length) != Ok(size)) {
        let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
        return Err(S3Error::with_message(S3ErrorCode::IncompleteBody, message));
    }
    let md5 = md5.finalize();
    let as_base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, md5);
    if expected.md5.as_ref().is_some_and(|wanted| *wanted != as_base64) {
        return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
    }
    let sums = hasher.finalize();
    let computed: Checksums = checksums!(sums);
    for (name, wanted) in expected.checksums.iter().chain(&trailed(expected)) {
        if computed.get(name).is_some_and(|found| found != wanted) {
            let message = format!("The {name} you specified did not match the calculated checksum.");
            return Err(S3Error::with_message(S3ErrorCode::BadDigest, message));
        }
    }
    out.flush().await.map_err(disk("write"))?;
    out.into_inner().sync_all().await.map_err(disk("sync"))?;
    Ok((size, hex::encode(md5), computed))
}

/// The checksums that came after the body, once it has been read.
fn trailed(expected: &Expected) -> Checksums {
    let read = expected.trailers.as_ref().and_then(|trailers| {
        trailers.read(|headers| {
            let value = |name: &String| {
                let header = format!("x-amz-checksum-{}", name.to_ascii_lowercase());
                Some((name.clone(), headers.get(header)?.to_str().ok()?.to_owned()))
            };
            expected.trailing.iter().filter_map(value).collect()
        })
    });
    read.unwrap_or_default()
}

/// The stream knows best what is wrong: a signature of a chunk, a length.
fn interrupted(error: Box<dyn std::error::Error + Send + Sync>) -> S3Error {
    match error.downcast::<S3Error>() {
        Ok(error) => *error,
        Err(error) => S3Error::with_message(S3ErrorCode::IncompleteBody, error.to_string()),
    }
}

/// A part of a file as a body.
pub(super) async fn send(from: std::fs::File, start: u64, length: u64) -> S3Result<StreamingBlob> {
    let disk = |operation| move |error| super::failed(file(operation)(error));
    let mut from = File::from_std(from);
    if start > 0 {
        from.seek(SeekFrom::Start(start)).await.map_err(disk("read"))?;
    }
    Ok(StreamingBlob::wrap(ReaderStream::with_capacity(from.take(length), BUFFER_BYTES)))
}
