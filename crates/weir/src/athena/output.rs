//! Objects that statements write: results, their metadata, manifests.

use super::catalog::Seen;
use std::io::Write;
use weir_api::athena::engine::bucket_and_key;
use weir_objects::store::Writing;
use weir_query::athena::QueryError;

/// A place for an object.
#[derive(Debug, Clone)]
pub struct Place {
    pub bucket: String,
    pub key: String,
}

impl Place {
    /// Errors: it is none, or the caller may not write there, or there is no such bucket.
    pub fn of(seen: &Seen, location: &str) -> Result<Self, QueryError> {
        let (bucket, key) = bucket_and_key(location).ok_or_else(|| {
            QueryError::user(1000, "INVALID_TABLE_PROPERTY", format!("no S3 location: '{location}'"))
        })?;
        let denied = seen.caller.call(&seen.services).denied_in_s3("s3:PutObject", bucket, Some(key));
        if let Some(reason) = denied.map_err(super::catalog::failed)? {
            let message = format!("Access denied when writing output to url: {location} . {reason}");
            return Err(QueryError { category: 2, kind: 1000, message });
        }
        if seen.store()?.bucket(bucket).is_err() {
            let message = format!("Unable to verify/create output bucket {bucket}");
            return Err(QueryError { category: 2, kind: 1000, message });
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    pub fn with(&self, suffix: &str) -> Self {
        Self { bucket: self.bucket.clone(), key: format!("{}{suffix}", self.key) }
    }

    pub fn location(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// Makes a file the object.
    pub fn finish(&self, seen: &Seen, file: Writing<'_>, content_type: &str) -> Result<(), QueryError> {
        let now_ms = (seen.services.clock)().0;
        file.finish(&self.bucket, &self.key, content_type, now_ms).map_err(QueryError::internal)
    }

    /// Writes a whole object.
    pub fn put(&self, seen: &Seen, bytes: &[u8], content_type: &str) -> Result<(), QueryError> {
        let mut file = seen.store()?.write().map_err(QueryError::internal)?;
        file.write_all(bytes).map_err(QueryError::internal)?;
        self.finish(seen, file, content_type)
    }
}

/// The result of a statement that has no rows of its own: lines without an end.
pub fn text(seen: &Seen, location: &str, lines: &[String]) -> Result<u64, QueryError> {
    let text = lines.join("\n");
    // An emulator's clients name buckets that are not there.
    let place = match Place::of(seen, location) {
        Ok(place) => place,
        Err(_) if seen.services.settings.emulator => return Ok(0),
        Err(error) => return Err(error),
    };
    place.put(seen, text.as_bytes(), "text/plain")?;
    place.with(".metadata").put(seen, b"", "application/octet-stream")?;
    Ok(text.len() as u64)
}
