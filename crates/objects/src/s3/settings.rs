//! Settings of buckets: public access block, ownership, encryption, versions.
//!
//! Each is kept as the XML that its Get answers.

use super::{Objects, unlisted};
use crate::store::Setting;
use http::StatusCode;
use s3s::dto::*;
use s3s::xml::{Deserialize, Deserializer, Serialize, Serializer};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

pub(super) fn to_xml(value: &impl Serialize) -> S3Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::new(&mut text)).map_err(S3Error::internal_error)?;
    String::from_utf8(text).map_err(S3Error::internal_error)
}

pub(super) fn from_xml<T: for<'xml> Deserialize<'xml>>(text: &str) -> Option<T> {
    let mut xml = Deserializer::new(text.as_bytes());
    T::deserialize(&mut xml).ok()
}

impl Objects {
    pub(super) async fn kept<T: for<'xml> Deserialize<'xml>>(
        &self,
        bucket: BucketName,
        setting: Setting,
    ) -> S3Result<Option<T>> {
        let text = self.with(move |store| store.setting(&bucket, setting)).await?;
        Ok(text.and_then(|text| from_xml(&text)))
    }

    pub(super) async fn keep(
        &self,
        bucket: BucketName,
        setting: Setting,
        value: &impl Serialize,
    ) -> S3Result<()> {
        let text = to_xml(value)?;
        self.with(move |store| store.set_setting(&bucket, setting, Some(&text))).await
    }

    pub(super) async fn forget(&self, bucket: BucketName, setting: Setting) -> S3Result<()> {
        self.with(move |store| store.set_setting(&bucket, setting, None)).await
    }

    /// What new buckets have had since April 2023; in an emulator nothing.
    pub(super) async fn public_access(
        &self,
        bucket: BucketName,
    ) -> S3Result<Option<PublicAccessBlockConfiguration>> {
        let text = self.with(move |store| store.setting(&bucket, Setting::PublicAccessBlock)).await?;
        if text.is_none() && self.access.is_none() {
            return Ok(None);
        }
        Ok(public_access(text.as_deref()))
    }
}

/// Of a bucket with permissions, for which `kept` is kept.
pub(super) fn public_access(kept: Option<&str>) -> Option<PublicAccessBlockConfiguration> {
    match kept {
        Some(REMOVED) => None,
        Some(text) => from_xml(text),
        None => Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(true),
            block_public_policy: Some(true),
            ignore_public_acls: Some(true),
            restrict_public_buckets: Some(true),
        }),
    }
}

/// Kept in the place of a public access block that was deleted.
pub(super) const REMOVED: &str = "removed";

pub(super) async fn get_public_access_block(
    objects: &Objects,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<GetPublicAccessBlockOutput> {
    let found = objects.public_access(request.input.bucket).await?;
    let found = found.ok_or_else(|| {
        let message = "The public access block configuration was not found";
        unlisted("NoSuchPublicAccessBlockConfiguration", StatusCode::NOT_FOUND, message)
    })?;
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(found) })
}

pub(super) async fn put_public_access_block(
    objects: &Objects,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<PutPublicAccessBlockOutput> {
    let PutPublicAccessBlockInput { bucket, public_access_block_configuration: wanted, .. } = request.input;
    let whole = PublicAccessBlockConfiguration {
        block_public_acls: wanted.block_public_acls.or(Some(false)),
        block_public_policy: wanted.block_public_policy.or(Some(false)),
        ignore_public_acls: wanted.ignore_public_acls.or(Some(false)),
        restrict_public_buckets: wanted.restrict_public_buckets.or(Some(false)),
    };
    objects.keep(bucket, Setting::PublicAccessBlock, &whole).await?;
    Ok(PutPublicAccessBlockOutput::default())
}

pub(super) async fn delete_public_access_block(
    objects: &Objects,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> S3Result<DeletePublicAccessBlockOutput> {
    let bucket = request.input.bucket;
    objects.with(move |store| store.set_setting(&bucket, Setting::PublicAccessBlock, Some(REMOVED))).await?;
    Ok(DeletePublicAccessBlockOutput::default())
}

pub(super) async fn get_bucket_ownership_controls(
    objects: &Objects,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Result<GetBucketOwnershipControlsOutput> {
    let bucket = request.input.bucket;
    let message = "The bucket ownership controls were not found";
    let found = objects.kept(bucket, Setting::OwnershipControls).await?;
    let found =
        found.ok_or_else(|| S3Error::with_message(S3ErrorCode::OwnershipControlsNotFoundError, message))?;
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(found) })
}

/// ACLs are not there, so every bucket's owner owns its objects.
pub(super) async fn put_bucket_ownership_controls(
    objects: &Objects,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<PutBucketOwnershipControlsOutput> {
    let PutBucketOwnershipControlsInput { bucket, ownership_controls, .. } = request.input;
    let [rule] = ownership_controls.rules.as_slice() else {
        return Err(s3_error!(MalformedXML, "OwnershipControls takes exactly one rule."));
    };
    let known = [
        ObjectOwnership::BUCKET_OWNER_ENFORCED,
        ObjectOwnership::BUCKET_OWNER_PREFERRED,
        ObjectOwnership::OBJECT_WRITER,
    ];
    if !known.contains(&rule.object_ownership.as_str()) {
        return Err(s3_error!(MalformedXML, "The XML you provided was not well-formed."));
    }
    objects.keep(bucket, Setting::OwnershipControls, &ownership_controls).await?;
    Ok(PutBucketOwnershipControlsOutput::default())
}

pub(super) async fn delete_bucket_ownership_controls(
    objects: &Objects,
    request: S3Request<DeleteBucketOwnershipControlsInput>,
) -> S3Result<DeleteBucketOwnershipControlsOutput> {
    objects.forget(request.input.bucket, Setting::OwnershipControls).await?;
    Ok(DeleteBucketOwnershipControlsOutput::default())
}

/// SSE-S3 unless told otherwise, as AWS answers.
pub(super) async fn get_bucket_encryption(
    objects: &Objects,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<GetBucketEncryptionOutput> {
    let found = objects.kept(request.input.bucket, Setting::Encryption).await?;
    let configuration = found.unwrap_or_else(|| ServerSideEncryptionConfiguration {
        rules: vec![ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                kms_master_key_id: None,
                sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
            }),
            bucket_key_enabled: Some(false),
        }],
    });
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) })
}

pub(super) async fn put_bucket_encryption(
    objects: &Objects,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Result<PutBucketEncryptionOutput> {
    let PutBucketEncryptionInput { bucket, server_side_encryption_configuration: wanted, .. } = request.input;
    let known =
        [ServerSideEncryption::AES256, ServerSideEncryption::AWS_KMS, ServerSideEncryption::AWS_KMS_DSSE];
    for rule in &wanted.rules {
        let Some(default) = &rule.apply_server_side_encryption_by_default else { continue };
        let algorithm = default.sse_algorithm.as_str();
        if !known.contains(&algorithm) {
            return Err(s3_error!(MalformedXML, "The XML you provided was not well-formed."));
        }
        if algorithm == ServerSideEncryption::AES256 && default.kms_master_key_id.is_some() {
            let message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            return Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message));
        }
    }
    objects.keep(bucket, Setting::Encryption, &wanted).await?;
    Ok(PutBucketEncryptionOutput::default())
}

pub(super) async fn delete_bucket_encryption(
    objects: &Objects,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Result<DeleteBucketEncryptionOutput> {
    objects.forget(request.input.bucket, Setting::Encryption).await?;
    Ok(DeleteBucketEncryptionOutput::default())
}

pub(super) async fn get_bucket_versioning(
    objects: &Objects,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<GetBucketVersioningOutput> {
    let kept: Option<VersioningConfiguration> =
        objects.kept(request.input.bucket, Setting::Versioning).await?;
    Ok(GetBucketVersioningOutput { mfa_delete: None, status: kept.and_then(|kept| kept.status) })
}

/// Versions are never kept, so they can be suspended but not enabled.
pub(super) async fn put_bucket_versioning(
    objects: &Objects,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<PutBucketVersioningOutput> {
    let PutBucketVersioningInput { bucket, versioning_configuration: wanted, .. } = request.input;
    match wanted.status.as_ref().map(|status| status.as_str()) {
        Some(BucketVersioningStatus::SUSPENDED) => {}
        Some(BucketVersioningStatus::ENABLED) => {
            let message = "Versions of objects are not kept here: versioning cannot be enabled.";
            return Err(S3Error::with_message(S3ErrorCode::NotImplemented, message));
        }
        _ => {
            let message =
                "The Versioning element must be specified, and its Status must be Enabled or Suspended.";
            return Err(S3Error::with_message(S3ErrorCode::IllegalVersioningConfigurationException, message));
        }
    }
    objects.keep(bucket, Setting::Versioning, &wanted).await?;
    Ok(PutBucketVersioningOutput::default())
}
