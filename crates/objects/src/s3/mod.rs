//! The protocol: s3s reads and writes it, this answers.
//!
//! One operation, one function: buckets in `buckets.rs`, and so on. What is not
//! in the table of `access.rs` answers `NotImplemented`.

mod access;
mod asked;
mod body;
mod buckets;
mod chunked;
mod copy;
mod delete;
pub mod gate;
pub mod host;
pub mod lifecycle;
mod listing;
mod multipart;
mod objects;
mod public;
mod settings;
mod tagging;
mod told;

use crate::store::{self, Store};
use access::{Access, Keys, Question};
use bytes::Bytes;
use gate::Gate;
use host::Hosts;
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

pub type HttpRequest<B> = http::Request<B>;
pub type HttpResponse = http::Response<Body>;

/// The service on an HTTP endpoint.
pub struct Endpoint {
    service: S3Service,
    store: Arc<Store>,
    takes_any_key: bool,
}

/// Who calls; put beside a request by [`Access`].
#[derive(Debug, Clone)]
struct Caller {
    /// `None` where nothing was asked yet.
    account: Option<String>,
    question: Question,
}

impl Endpoint {
    /// `account` owns what callers without a key make: an emulator takes any
    /// key (`gate` is `None`), and its requests come from nobody.
    pub fn new(store: Arc<Store>, gate: Option<Arc<dyn Gate>>, account: &str, region: &str) -> Self {
        let access = gate.clone().map(|gate| Arc::new(Access { store: store.clone(), gate }));
        let files = Objects {
            store: store.clone(),
            access: access.clone(),
            account: account.to_owned(),
            region: region.to_owned(),
        };
        let takes_any_key = gate.is_none();
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_host(Hosts);
        if let (Some(gate), Some(access)) = (gate, access) {
            builder.set_auth(Keys(gate.clone()));
            builder.set_access(Access { store: access.store.clone(), gate });
        }
        Self { service: builder.build(), store, takes_any_key }
    }

    /// Answers one request.
    pub async fn handle<B>(&self, request: HttpRequest<B>) -> HttpResponse
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let request = request.map(Body::http_body_unsync);
        let request = if self.takes_any_key { chunked::unsigned(request).await } else { Ok(request) };
        let answer = match request {
            Ok(request) => self.service.call(request).await.map_err(|error| format!("{error:?}")),
            Err(problem) => Err(problem),
        };
        let answer = answer.unwrap_or_else(|problem| {
            tracing::info!(%problem, "a request that S3 cannot answer");
            let mut response = http::Response::new(Body::empty());
            *response.status_mut() = http::StatusCode::BAD_REQUEST;
            response
        });
        told::told(answer).await
    }

    /// What it answers from.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The bucket of this name, if there is one. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn bucket(&self, name: &str) -> store::Result<Option<store::Bucket>> {
        match self.store.bucket(name) {
            Ok(bucket) => Ok(Some(bucket)),
            Err(store::Error::NoSuchBucket) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a bucket's policy if it still is `was`; whether it was. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn replace_policy(&self, bucket: &str, was: Option<&str>, policy: &str) -> store::Result<bool> {
        self.store.replace_policy(bucket, was, policy)
    }

    /// Removes everything. For emulator mode.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn clear(&self) -> store::Result<()> {
        self.store.clear()
    }
}

/// Answers operations.
struct Objects {
    store: Arc<Store>,
    /// `None` in an emulator.
    access: Option<Arc<Access>>,
    account: String,
    region: String,
}

impl Objects {
    /// The caller's account.
    fn account<T>(&self, request: &S3Request<T>) -> String {
        let caller = request.extensions.get::<Caller>();
        caller.and_then(|caller| caller.account.clone()).unwrap_or_else(|| self.account.clone())
    }

    /// An emulator, where [`Access`] is not asked, refuses the same requests. All
    /// its buckets are of one account.
    fn check_unasked(&self, headers: &http::HeaderMap, query: Option<&str>) -> S3Result<()> {
        if self.access.is_some() {
            return Ok(());
        }
        asked::check(headers, query)?;
        asked::owner(headers, asked::OWNER, &self.account)?;
        asked::owner(headers, asked::SOURCE_OWNER, &self.account)
    }

    /// Runs something that uses the disk.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> store::Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let store = self.store.clone();
        blocking(move || work(&store).map_err(failed)).await
    }
}

/// Runs something that blocks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> S3Result<T> + Send + 'static) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(S3Error::with_source(S3ErrorCode::InternalError, Box::new(error))),
    }
}

/// The answer to a failure of the store.
fn failed(error: store::Error) -> S3Error {
    use store::Error;
    let code = match &error {
        Error::NoSuchBucket => S3ErrorCode::NoSuchBucket,
        Error::NoSuchKey => S3ErrorCode::NoSuchKey,
        Error::NoSuchUpload => S3ErrorCode::NoSuchUpload,
        Error::NoSuchBucketPolicy => S3ErrorCode::NoSuchBucketPolicy,
        Error::NoSuchTagSet => S3ErrorCode::NoSuchTagSet,
        Error::BucketAlreadyOwnedByYou => S3ErrorCode::BucketAlreadyOwnedByYou,
        Error::BucketAlreadyExists => S3ErrorCode::BucketAlreadyExists,
        Error::BucketNotEmpty => S3ErrorCode::BucketNotEmpty,
        Error::PreconditionFailed => S3ErrorCode::PreconditionFailed,
        Error::InvalidPart => S3ErrorCode::InvalidPart,
        Error::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
        Error::EntityTooSmall => S3ErrorCode::EntityTooSmall,
        Error::Index { .. } | Error::File { .. } | Error::Unreadable(_) => {
            tracing::error!(%error, "S3");
            let message = "We encountered an internal error. Please try again.";
            return S3Error::with_message(S3ErrorCode::InternalError, message);
        }
    };
    S3Error::with_message(code, error.to_string())
}

/// An error whose code s3s does not know, and so not its status either.
fn unlisted(code: &'static str, status: http::StatusCode, message: impl Into<String>) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message.into());
    error.set_status_code(status);
    error
}

fn code(name: &str) -> S3ErrorCode {
    access::from_name(name)
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// S3's times have whole seconds in headers, milliseconds in XML.
fn timestamp(ms: i64) -> Timestamp {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    at.unwrap_or(time::OffsetDateTime::UNIX_EPOCH).into()
}

type Answer<T> = S3Result<S3Response<T>>;

/// One line an operation, to the function of its name.
macro_rules! operations {
    ($($name:ident: $input:ident => $output:ident in $module:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Objects {
            $(async fn $name(&self, request: S3Request<$input>) -> Answer<$output> {
                self.check_unasked(&request.headers, request.uri.query())?;
                $module::$name(self, request).await.map(S3Response::new)
            })*
        }
    };
}

operations! {
    create_bucket: CreateBucketInput => CreateBucketOutput in buckets;
    delete_bucket: DeleteBucketInput => DeleteBucketOutput in buckets;
    head_bucket: HeadBucketInput => HeadBucketOutput in buckets;
    list_buckets: ListBucketsInput => ListBucketsOutput in buckets;
    get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput in buckets;
    get_bucket_acl: GetBucketAclInput => GetBucketAclOutput in buckets;
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput in settings;
    put_bucket_versioning: PutBucketVersioningInput => PutBucketVersioningOutput in settings;
    get_public_access_block: GetPublicAccessBlockInput => GetPublicAccessBlockOutput in settings;
    put_public_access_block: PutPublicAccessBlockInput => PutPublicAccessBlockOutput in settings;
    delete_public_access_block: DeletePublicAccessBlockInput => DeletePublicAccessBlockOutput in settings;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput => GetBucketOwnershipControlsOutput in settings;
    put_bucket_ownership_controls: PutBucketOwnershipControlsInput => PutBucketOwnershipControlsOutput in settings;
    delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput => DeleteBucketOwnershipControlsOutput in settings;
    get_bucket_encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput in settings;
    put_bucket_encryption: PutBucketEncryptionInput => PutBucketEncryptionOutput in settings;
    delete_bucket_encryption: DeleteBucketEncryptionInput => DeleteBucketEncryptionOutput in settings;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput in lifecycle;
    put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput => PutBucketLifecycleConfigurationOutput in lifecycle;
    delete_bucket_lifecycle: DeleteBucketLifecycleInput => DeleteBucketLifecycleOutput in lifecycle;
    get_bucket_policy_status: GetBucketPolicyStatusInput => GetBucketPolicyStatusOutput in public;
    get_bucket_policy: GetBucketPolicyInput => GetBucketPolicyOutput in buckets;
    put_bucket_policy: PutBucketPolicyInput => PutBucketPolicyOutput in buckets;
    delete_bucket_policy: DeleteBucketPolicyInput => DeleteBucketPolicyOutput in buckets;
    get_bucket_tagging: GetBucketTaggingInput => GetBucketTaggingOutput in tagging;
    put_bucket_tagging: PutBucketTaggingInput => PutBucketTaggingOutput in tagging;
    delete_bucket_tagging: DeleteBucketTaggingInput => DeleteBucketTaggingOutput in tagging;
    get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput in tagging;
    put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput in tagging;
    delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput in tagging;
    put_object: PutObjectInput => PutObjectOutput in objects;
    get_object: GetObjectInput => GetObjectOutput in objects;
    head_object: HeadObjectInput => HeadObjectOutput in objects;
    copy_object: CopyObjectInput => CopyObjectOutput in copy;
    delete_object: DeleteObjectInput => DeleteObjectOutput in delete;
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput in delete;
    get_object_acl: GetObjectAclInput => GetObjectAclOutput in objects;
    list_objects: ListObjectsInput => ListObjectsOutput in listing;
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output in listing;
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput in multipart;
    upload_part: UploadPartInput => UploadPartOutput in multipart;
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput in multipart;
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput in multipart;
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput in multipart;
    list_parts: ListPartsInput => ListPartsOutput in multipart;
    list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput in multipart;
}

#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod tests;
