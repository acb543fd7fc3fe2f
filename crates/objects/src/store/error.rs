//! What can go wrong, by the names that S3 has for it.

use std::io;

pub type Result<T> = std::result::Result<T, Error>;

/// Source: S3 API, "Error responses", list of error codes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("The specified bucket does not exist")]
    NoSuchBucket,
    #[error("The specified key does not exist.")]
    NoSuchKey,
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )]
    NoSuchUpload,
    #[error("The bucket policy does not exist")]
    NoSuchBucketPolicy,
    #[error("The TagSet does not exist")]
    NoSuchTagSet,
    #[error("Your previous request to create the named bucket succeeded and you already own it.")]
    BucketAlreadyOwnedByYou,
    #[error(
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."
    )]
    BucketAlreadyExists,
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty,
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed,
    #[error(
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
    )]
    InvalidPart,
    #[error("The list of parts was not in ascending order. Parts must be ordered by part number.")]
    InvalidPartOrder,
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall,
    #[error("cannot {operation} the index of objects: {source}")]
    Index { operation: &'static str, source: rusqlite::Error },
    #[error("cannot {operation} a file of objects: {source}")]
    File { operation: &'static str, source: io::Error },
    #[error("the index of objects holds something unreadable: {0}")]
    Unreadable(#[from] serde_json::Error),
}

pub(super) fn index(operation: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |source| Error::Index { operation, source }
}

pub(crate) fn file(operation: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::File { operation, source }
}
