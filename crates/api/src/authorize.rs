//! Whether the caller may do what it asks.
//!
//! The policies are those of now: of a role session its role's inline policies
//! and its session policies. Context keys that follow from the request itself
//! are set here; an action adds those that only it knows.
//!
//! | keys | from |
//! |---|---|
//! | `aws:PrincipalArn`, `…Account`, `…Type`, `aws:userid`, `aws:PrincipalTag/K` | the caller |
//! | `aws:TokenIssueTime`, `aws:SourceIdentity`, `aws:MultiFactorAuthPresent` | temporary credentials |
//! | `aws:SourceAccount`, `aws:SourceArn` | a service that calls on somebody's behalf |
//! | `aws:CurrentTime`, `aws:EpochTime`, `aws:SourceIp`, `aws:SecureTransport`, `aws:UserAgent`, `aws:RequestedRegion` | the request |
//! | `aws:ResourceAccount` | the resource's ARN |
//!
//! Source: IAM user guide, "AWS global condition context keys".

pub mod message;

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::service::Service;
use weir_control::principal::policies::CallerPolicies;
use weir_control::principal::session::AssumeRole;
use weir_control::principal::{self, Role, role};
use weir_iam::decision::not_authorized_message;
use weir_iam::sigv4::errors;
use weir_iam::{Context, Decision, DocumentKind, NamedPolicy, PolicyDocument, Principal, Request};
use weir_types::arn::Arn;

impl Call<'_> {
    /// Whether the caller may do `action` (`logs:PutLogEvents`) on `resource`, an
    /// ARN, or `*` for an action without resource-level permissions. `context`
    /// has the keys that only the action knows; a key given more than once, and
    /// `aws:TagKeys` always, is multi-valued.
    ///
    /// Errors: `UnauthorizedOperation` (EC2), `AccessDenied` (IAM, STS),
    /// `AccessDeniedException` (JSON services).
    pub fn authorize(&self, action: &str, resource: &str, context: &[(&str, &str)]) -> Result<(), ApiError> {
        self.authorize_all(action, &[resource], context)
    }

    /// As [`Call::authorize`] for every one of `resources`; then answers the
    /// caller of a dry run that it would have succeeded.
    ///
    /// Errors: `UnauthorizedOperation`, `DryRunOperation`.
    pub fn authorize_ec2(
        &self,
        params: &Params,
        action: &str,
        resources: &[String],
        context: &[(&str, &str)],
    ) -> Result<(), ApiError> {
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        self.authorize_all(action, &resources, context)?;
        if params.boolean("DryRun")? == Some(true) {
            return Err(errors::dry_run_operation().into());
        }
        Ok(())
    }

    /// Whether the caller may hand this role to `service`, such as
    /// `vpc-flow-logs.amazonaws.com`.
    pub fn pass_role(&self, role_arn: &str, service: &str) -> Result<(), ApiError> {
        self.authorize("iam:PassRole", role_arn, &[("iam:PassedToService", service)])
    }

    /// Whether there is a role with this ARN.
    pub fn role_exists(&self, role_arn: &str) -> Result<bool, ApiError> {
        Ok(self.role(role_arn)?.is_some())
    }

    /// Whether the trust policy of a role lets `service` assume it now, with
    /// `aws:SourceAccount` and `aws:SourceArn` in `context`. A role that is not
    /// there cannot be assumed.
    pub fn service_may_assume(
        &self,
        role_arn: &str,
        service: &str,
        context: &[(&str, &str)],
    ) -> Result<bool, ApiError> {
        let Some((role, trust)) = self.assumable(role_arn)? else { return Ok(false) };
        let service = Principal::service(service);
        let mut keys = Context::default();
        keys.set_principal(&service).set_time(self.now);
        add(&mut keys, context);
        let wish = weir_iam::AssumeRole {
            principal: &service,
            role_arn: &role.identity.arn,
            trust: &trust,
            context: &keys,
            has_tags: false,
            has_source_identity: false,
        };
        Ok(weir_iam::may_assume_role(&wish, &CallerPolicies::default().as_policies()).1.is_allowed())
    }

    /// The role with this ARN, if the caller may assume it. A role that is not
    /// there is denied in the same words, so that nobody learns of roles here.
    ///
    /// Errors: `AccessDenied`.
    pub fn may_assume(&self, role_arn: &Arn, request: &AssumeRole) -> Result<Role, ApiError> {
        let resource = role_arn.to_string();
        let policies = self.policies()?;
        let mut context = self.context("sts:AssumeRole", &resource, &policies);
        let mut set = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                context.set(key, value.clone());
            }
        };
        set("sts:ExternalId", &request.external_id);
        set("sts:SourceIdentity", &request.source_identity);
        set("sts:RoleSessionName", &Some(request.session_name.clone()));
        for (key, value) in &request.tags {
            context.set(&format!("aws:RequestTag/{key}"), value.clone());
        }
        context.set_many("aws:TagKeys", request.tags.iter().map(|(key, _)| key.clone()));
        context.set_many("sts:TransitiveTagKeys", request.transitive_tag_keys.iter().cloned());
        let role = self.assumable(&resource)?;
        let (action, allowed) = match &role {
            None => ("sts:AssumeRole", false),
            Some((role, trust)) => {
                let wish = weir_iam::AssumeRole {
                    principal: &self.principal,
                    role_arn: &role.identity.arn,
                    trust,
                    context: &context,
                    has_tags: !request.tags.is_empty(),
                    has_source_identity: request.source_identity.is_some(),
                };
                let (action, decision) = weir_iam::may_assume_role(&wish, &policies.as_policies());
                (action, decision.is_allowed())
            }
        };
        match role {
            Some((role, _)) if allowed => Ok(role),
            _ => {
                let message = not_authorized_message(&self.request(action, &resource, &context));
                Err(errors::access_denied(self.service.error_protocol(), &message).into())
            }
        }
    }

    /// As [`Call::authorize`], on a resource with policies of its own, and an owner
    /// if its ARN does not name it: why not, or `None` if the caller may.
    pub fn decide_on(
        &self,
        action: &str,
        resource: &str,
        owner: Option<&str>,
        resource_policies: Vec<NamedPolicy<'_>>,
        context: &[(&str, &str)],
    ) -> Result<Option<String>, ApiError> {
        let policies = self.policies()?;
        let mut lent = policies.as_policies();
        lent.resource = resource_policies;
        let mut keys = self.context(action, resource, &policies);
        add(&mut keys, context);
        if let Some(owner) = owner {
            keys.set("aws:ResourceAccount", owner);
        }
        let request = Request { resource_account: owner, ..self.request(action, resource, &keys) };
        Ok(weir_iam::evaluate(&request, &lent).access_denied_message(&request))
    }

    fn authorize_all(
        &self,
        action: &str,
        resources: &[&str],
        context: &[(&str, &str)],
    ) -> Result<(), ApiError> {
        let policies = self.policies()?;
        let lent = policies.as_policies();
        for resource in resources {
            let mut keys = self.context(action, resource, &policies);
            add(&mut keys, context);
            let request = self.request(action, resource, &keys);
            let decision: Decision = weir_iam::evaluate(&request, &lent);
            if let Some(mut message) = decision.access_denied_message(&request) {
                if self.service == Service::Ec2 {
                    let encoded = message::encode(self.services, &request, &decision)?;
                    message.push_str(&format!(". Encoded authorization failure message: {encoded}"));
                }
                return Err(errors::access_denied(self.service.error_protocol(), &message).into());
            }
        }
        Ok(())
    }

    fn request<'a>(&'a self, action: &'a str, resource: &'a str, context: &'a Context) -> Request<'a> {
        Request { principal: &self.principal, action, resource, resource_account: None, context }
    }

    /// The caller's policies. The root user and services have none, and cost no
    /// transaction.
    fn policies(&self) -> Result<CallerPolicies, ApiError> {
        if matches!(self.principal, Principal::Root { .. } | Principal::Service { .. } | Principal::Anonymous)
        {
            return Ok(CallerPolicies::default());
        }
        self.transact(|cx| principal::policies(cx.tx, &self.principal, self.session.as_ref()))
    }

    fn role(&self, role_arn: &str) -> Result<Option<Role>, ApiError> {
        let Ok(arn) = role_arn.parse() else { return Ok(None) };
        self.transact(|cx| role::by_arn(cx.tx, &arn))
    }

    /// The role with this ARN and its trust policy. One whose trust policy is
    /// none, as an emulator takes them, is as good as no role.
    fn assumable(&self, role_arn: &str) -> Result<Option<(Role, PolicyDocument)>, ApiError> {
        let Some(role) = self.role(role_arn)? else { return Ok(None) };
        match trust_policy(&role) {
            Ok(trust) => Ok(Some((role, trust))),
            Err(_) if self.services.settings.emulator => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn context(&self, action: &str, resource: &str, policies: &CallerPolicies) -> Context {
        let mut context = Context::default();
        context.set_principal(&self.principal).set_time(self.now);
        for (key, value) in policies.tags() {
            context.set(&format!("aws:PrincipalTag/{key}"), value.clone());
        }
        if let Some(session) = &self.session {
            context.set("aws:TokenIssueTime", stamp::iso_seconds(session.issued));
            context.set("aws:MultiFactorAuthPresent", "false");
            if let Some(identity) = &session.source_identity {
                context.set("aws:SourceIdentity", identity.clone());
            }
        }
        for (key, value) in &self.source {
            context.set(key, value.clone());
        }
        if let Some(address) = self.source_ip {
            context.set("aws:SourceIp", address.to_canonical().to_string());
        }
        if let Some(agent) = &self.user_agent {
            context.set("aws:UserAgent", agent.clone());
        }
        context.set("aws:SecureTransport", "false").set("aws:ViaAWSService", "false");
        context.set("aws:RequestedRegion", self.scope.region.clone());
        if action.starts_with("ec2:") {
            context.set("ec2:Region", self.scope.region.clone());
        }
        let owner = resource.parse::<Arn>().map(|arn| arn.account).unwrap_or_default();
        let owner = if owner.is_empty() { self.scope.account.clone() } else { owner };
        context.set("aws:ResourceAccount", owner);
        context
    }
}

/// Keys that an action gives.
fn add(context: &mut Context, keys: &[(&str, &str)]) {
    for (key, value) in keys {
        let values: Vec<&str> =
            keys.iter().filter(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| *v).collect();
        if values.len() > 1 || key.eq_ignore_ascii_case("aws:TagKeys") {
            context.set_many(key, values);
        } else {
            context.set(key, *value);
        }
    }
}

/// Trust policies were checked when they were put.
fn trust_policy(role: &Role) -> Result<PolicyDocument, ApiError> {
    PolicyDocument::parse(&role.trust_policy, DocumentKind::Trust)
        .map_err(|error| ApiError::internal(format!("stored trust policy of {}: {error}", role.identity.arn)))
}

#[cfg(test)]
mod tests;
