//! Sessions of roles that a service assumes for somebody: sts:AssumeRole with
//! the service's own keys and, for the trust policy's conditions,
//! `x-amz-source-account` and `x-amz-source-arn`. Keys that are not a service's
//! assume roles as anybody does, without these.

use crate::destination::SendError;
use crate::logs::{PublisherConfig, send_error};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts as sts;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use weir_types::arn::Arn;
use weir_types::flow_log::DeliveryError;

/// A session is given up this long before it ends.
pub(crate) const EXPIRY_MARGIN: Duration = Duration::from_mins(5);

/// On whose behalf a service asks.
#[derive(Debug, Clone)]
pub(crate) struct OnBehalf<'a> {
    pub region: &'a str,
    pub account: &'a str,
    /// `aws:SourceArn`
    pub arn: String,
    /// `RoleSessionName`
    pub session: String,
}

/// Assumes a role; `with` are keys of an earlier session, or the service's own.
pub(crate) async fn assume(
    config: &PublisherConfig,
    with: Option<Credentials>,
    role: &Arn,
    behalf: &OnBehalf<'_>,
) -> Result<Credentials, SendError> {
    let credentials = with.map_or_else(|| config.credentials.clone(), SharedCredentialsProvider::new);
    let source = config.is_service.then(|| (behalf.arn.clone(), behalf.account.to_owned()));
    let mut builder = sts::Config::builder()
        .behavior_version(sts::config::BehaviorVersion::latest())
        .region(sts::config::Region::new(behalf.region.to_owned()))
        .credentials_provider(credentials)
        .retry_config(sts::config::retry::RetryConfig::disabled())
        .timeout_config(config.timeouts.config())
        .use_fips(false)
        .use_dual_stack(false);
    builder.set_endpoint_url(config.endpoint_url.clone());
    let answer = sts::Client::from_conf(builder.build())
        .assume_role()
        .role_arn(role.to_string())
        .role_session_name(&behalf.session)
        .customize()
        // Before signing, so that the signature covers them: nobody between
        // here and STS can claim another source.
        .mutate_request(move |request| {
            let Some((source_arn, source_account)) = source.clone() else { return };
            let headers = request.headers_mut();
            drop(headers.try_insert("x-amz-source-account", source_account));
            drop(headers.try_insert("x-amz-source-arn", source_arn));
        })
        .send()
        .await
        .map_err(|error| match send_error("sts:AssumeRole", role.to_string(), error) {
            // STS looked at the role and does not let it be assumed.
            error if matches!(error.code.as_deref(), Some("ValidationError" | "NoSuchEntity")) => {
                SendError { kind: DeliveryError::AccessError, ..error }
            }
            error => error,
        })?;
    let Some(credentials) = answer.credentials() else {
        return Err(SendError {
            kind: DeliveryError::UnknownError,
            operation: "sts:AssumeRole",
            object: role.to_string(),
            code: None,
            source: Some("the answer has no credentials".into()),
        });
    };
    Ok(Credentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key(),
        Some(credentials.session_token().to_owned()),
        SystemTime::try_from(*credentials.expiration()).ok(),
        "weir",
    ))
}

/// Sessions that are used again, by a name of the caller's.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, (Vec<Arn>, Credentials)>>);

impl Sessions {
    /// A session of the last of these roles, each assumed by the one before it.
    pub async fn get(
        &self,
        config: &PublisherConfig,
        name: &str,
        roles: &[Arn],
        behalf: &OnBehalf<'_>,
    ) -> Result<Credentials, SendError> {
        let is_fresh = |credentials: &Credentials| {
            let until = credentials.expiry().and_then(|at| at.checked_sub(EXPIRY_MARGIN));
            until.is_some_and(|until| until > SystemTime::now())
        };
        let known = self.lock().get(name).filter(|(of, known)| of == roles && is_fresh(known)).cloned();
        if let Some((_, credentials)) = known {
            return Ok(credentials);
        }
        let mut credentials = None;
        for role in roles {
            credentials = Some(assume(config, credentials, role, behalf).await?);
        }
        let Some(credentials) = credentials else {
            return Err(SendError {
                kind: DeliveryError::UnknownError,
                operation: "sts:AssumeRole",
                object: behalf.arn.clone(),
                code: None,
                source: Some("there is no role".into()),
            });
        };
        self.lock().insert(name.to_owned(), (roles.to_vec(), credentials.clone()));
        Ok(credentials)
    }

    pub fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    /// A panic elsewhere leaves the map whole: each change is one call.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Vec<Arn>, Credentials)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
