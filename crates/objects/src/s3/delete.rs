//! DeleteObject and DeleteObjects.
//!
//! Source: S3 user guide, "How to perform conditional deletes".

use super::{Caller, Objects, asked, failed};
use crate::store::{self, Unless};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

pub(super) async fn delete_object(
    objects: &Objects,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<DeleteObjectOutput> {
    let input = request.input;
    let unless = match input.if_match {
        None => Unless::Never,
        Some(ETagCondition::Any) => Unless::Missing,
        Some(ETagCondition::ETag(etag)) => Unless::NotEtag(etag.value().to_owned()),
    };
    let wanted = vec![(input.key, unless)];
    let done = objects.with(move |store| store.delete_objects(&input.bucket, &wanted)).await?;
    done.into_iter().collect::<store::Result<()>>().map_err(failed)?;
    Ok(DeleteObjectOutput::default())
}

/// What must not be so for a key to be deleted.
fn unless(object: &ObjectIdentifier) -> S3Result<Unless> {
    object.version_id.as_deref().map_or(Ok(()), asked::version)?;
    // Of directory buckets.
    if object.last_modified_time.is_some() || object.size.is_some() {
        return Err(asked::not_implemented());
    }
    Ok(match object.e_tag.as_ref().map(ETag::value) {
        None => Unless::Never,
        Some("*") => Unless::Missing,
        Some(etag) => Unless::NotEtag(etag.to_owned()),
    })
}

/// Each key needs its own permission; one that lacks it is an error beside the others.
pub(super) async fn delete_objects(
    objects: &Objects,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let caller = request.extensions.get::<Caller>().cloned();
    let input = request.input;
    if input.delete.objects.is_empty() || input.delete.objects.len() > 1000 {
        let message =
            "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(S3Error::with_message(S3ErrorCode::MalformedXML, message));
    }
    let may = async |action: &str, key: &str| match (&objects.access, &caller) {
        (Some(access), Some(caller)) => {
            access.ask(&caller.question, action, Some(&input.bucket), Some(key)).await.map(drop)
        }
        _ => Ok(()),
    };
    let (mut wanted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let mut unless = unless(&object);
        if unless.is_ok()
            && let Err(denied) = may("s3:DeleteObject", &object.key).await
        {
            unless = Err(denied);
        }
        if matches!(unless, Ok(Unless::NotEtag(_)))
            && let Err(denied) = may("s3:GetObject", &object.key).await
        {
            unless = Err(denied);
        }
        match unless {
            Ok(unless) => wanted.push((object.key, unless)),
            Err(problem) => errors.push(error(object.key, &problem)),
        }
    }
    let keys: Vec<String> = wanted.iter().map(|(key, _)| key.clone()).collect();
    let done = objects.with(move |store| store.delete_objects(&input.bucket, &wanted)).await?;
    let mut deleted = Vec::new();
    for (key, done) in keys.into_iter().zip(done) {
        match done {
            Ok(()) => deleted.push(DeletedObject { key: Some(key), ..Default::default() }),
            Err(problem) => errors.push(error(key, &failed(problem))),
        }
    }
    if input.delete.quiet.unwrap_or(false) {
        deleted.clear();
    }
    Ok(DeleteObjectsOutput {
        deleted: Some(deleted),
        errors: Some(errors).filter(|errors| !errors.is_empty()),
        request_charged: None,
    })
}

fn error(key: String, problem: &S3Error) -> s3s::dto::Error {
    s3s::dto::Error {
        key: Some(key),
        code: Some(problem.code().as_str().to_owned()),
        message: problem.message().map(str::to_owned),
        version_id: None,
    }
}
