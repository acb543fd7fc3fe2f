//! What runs statements: given by the binary, so that this crate needs no SQL.
//!
//! An engine reads the catalog and objects under the permissions of whoever
//! started the statement ([`OnBehalf`]), and writes states and results itself.

use crate::call::{Call, Services};
use crate::error::ApiError;
use crate::service::Service;
use std::fs::File;
use std::net::IpAddr;
use weir_control::Scope;
use weir_control::athena::QueryExecution;
use weir_control::principal::Session;
use weir_iam::{DocumentKind, NamedPolicy, PolicyDocument, Principal};
use weir_objects::Store;

/// Runs statements.
pub trait QueryEngine: Send + Sync {
    /// `StatementType` and `SubstatementType` of a statement.
    ///
    /// Errors: what is wrong with its syntax, for the caller.
    fn check(&self, sql: &str) -> Result<(&'static str, &'static str), String>;

    /// Runs an execution that rests in the state as `QUEUED`, in the background.
    fn start(&self, job: Job);

    /// Ends an execution that was stopped.
    fn cancel(&self, id: &str);
}

/// An execution to run.
pub struct Job {
    pub execution: QueryExecution,
    pub caller: OnBehalf,
}

/// A caller whose request has been answered.
#[derive(Clone)]
pub struct OnBehalf {
    principal: Principal,
    session: Option<Session>,
    pub scope: Scope,
    source_ip: Option<IpAddr>,
    user_agent: Option<String>,
}

impl OnBehalf {
    pub fn of(call: &Call<'_>) -> Self {
        Self {
            principal: call.principal.clone(),
            session: call.session.clone(),
            scope: call.scope.clone(),
            source_ip: call.source_ip,
            user_agent: call.user_agent.clone(),
        }
    }

    /// A call of now.
    pub fn call<'a>(&self, services: &'a Services) -> Call<'a> {
        Call {
            services,
            service: Service::Athena,
            principal: self.principal.clone(),
            session: self.session.clone(),
            scope: self.scope.clone(),
            now: (services.clock)(),
            request_id: String::new(),
            source: Vec::new(),
            source_ip: self.source_ip,
            user_agent: self.user_agent.clone(),
        }
    }
}

impl Call<'_> {
    /// Whether the caller may do `action` on a bucket, or on an object in it,
    /// with the bucket's policy: why not, or `None`.
    pub fn denied_in_s3(
        &self,
        action: &str,
        bucket: &str,
        key: Option<&str>,
    ) -> Result<Option<String>, ApiError> {
        if self.services.settings.emulator {
            return Ok(None);
        }
        let Some(endpoint) = self.services.objects.get() else { return Ok(None) };
        let bucket_is = endpoint.store().bucket(bucket).ok();
        let owner = bucket_is.as_ref().map(|bucket| bucket.account.clone());
        let policy = bucket_is.and_then(|bucket| bucket.policy);
        let policy = policy.and_then(|text| PolicyDocument::parse(&text, DocumentKind::Resource).ok());
        let resource = match key {
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
            None => format!("arn:aws:s3:::{bucket}"),
        };
        let policies = policy.iter().map(|document| NamedPolicy::new(&resource, document)).collect();
        self.decide_on(action, &resource, owner.as_deref(), policies, &[])
    }
}

/// Bucket and key of `s3://bucket/key`.
pub fn bucket_and_key(location: &str) -> Option<(&str, &str)> {
    let path = location.strip_prefix("s3://").or_else(|| location.strip_prefix("s3a://"))?;
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (!bucket.is_empty()).then_some((bucket, key))
}

/// The file of an execution's result.
///
/// Errors: `InvalidRequestException` if the caller may not read it or it is gone.
pub(super) fn open_result(call: &Call<'_>, execution: &QueryExecution) -> Result<File, ApiError> {
    let gone = || ApiError::new("InvalidRequestException:RESULT_NOT_FOUND", "Could not find results");
    let (bucket, key) = bucket_and_key(&execution.output_location).ok_or_else(gone)?;
    if let Some(reason) = call.denied_in_s3("s3:GetObject", bucket, Some(key))? {
        let message =
            format!("Access denied when reading from location: {}: {reason}", execution.output_location);
        return Err(ApiError::new("InvalidRequestException:INVALID_INPUT", message));
    }
    let endpoint = call.services.objects.get().ok_or_else(gone)?;
    let store: &Store = endpoint.store();
    store.open_object(bucket, key).map(|(_, file)| file).map_err(|_| gone())
}
