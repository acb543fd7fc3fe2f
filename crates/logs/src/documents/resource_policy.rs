//! Resource policies: of the account, or of one log group.

use serde::{Deserialize, Serialize};

use super::{Kind, all, get, gone, put};
use crate::describe::page_size;
use crate::error::LogsError;
use crate::limits::{Constraints, one_of};
use crate::store::{Scope, Store};
use crate::token::{list_token, read_list_token};
use weir_types::time::UnixMillis;

/// Most account policies of one region.
const MAX_POLICIES: usize = 10;
const MAX_DOCUMENT: usize = 51_200;

/// A policy as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourcePolicy {
    /// Absent on policies of a log group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub document: String,
    /// Milliseconds since 1970.
    pub last_updated: i64,
    /// Of the log group; `None`: of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_arn: Option<String>,
    /// Of policies of a log group: changes with every put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision_id: Option<String>,
}

impl ResourcePolicy {
    /// `ACCOUNT` or `RESOURCE`.
    pub fn scope(&self) -> &'static str {
        if self.resource_arn.is_some() { "RESOURCE" } else { "ACCOUNT" }
    }
}

impl Kind for ResourcePolicy {
    const KIND: &'static str = "resource-policy";

    fn id(&self) -> String {
        id(self.name.as_deref(), self.resource_arn.as_deref())
    }
}

/// ACCOUNT sorts before RESOURCE.
fn id(name: Option<&str>, arn: Option<&str>) -> String {
    match arn {
        Some(arn) => format!("r {arn}"),
        None => format!("a {}", name.unwrap_or_default()),
    }
}

/// What PutResourcePolicy takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutResourcePolicy {
    /// Of an account policy.
    pub name: Option<String>,
    /// JSON, checked by the service.
    pub document: String,
    /// Of a log group's policy.
    pub resource_arn: Option<String>,
    /// The policy must have this revision.
    pub expected_revision_id: Option<String>,
    /// For the policy, if it is of a log group.
    pub new_revision_id: String,
}

/// A page in order of scope and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePolicies {
    pub resource_policies: Vec<ResourcePolicy>,
    pub next_token: Option<String>,
}

impl Store {
    /// PutResourcePolicy: makes or replaces a policy.
    pub fn put_resource_policy(
        &self,
        scope: &Scope,
        request: PutResourcePolicy,
        now: UnixMillis,
    ) -> Result<ResourcePolicy, LogsError> {
        let mut constraints = Constraints::new();
        constraints.length(&request.document, "policyDocument", 1, MAX_DOCUMENT);
        constraints.finish()?;
        let of_group = request.resource_arn.is_some();
        if !of_group && request.name.as_deref().unwrap_or_default().is_empty() {
            return Err(LogsError::InvalidParameter("policyName must be specified.".into()));
        }
        let policy = ResourcePolicy {
            name: request.name.filter(|_| !of_group),
            document: request.document,
            last_updated: now.0,
            resource_arn: request.resource_arn,
            revision_id: of_group.then_some(request.new_revision_id),
        };
        let (scope, kept) = (scope.clone(), policy.clone());
        let expected = request.expected_revision_id;
        self.change(move |state| {
            let old: Option<ResourcePolicy> = get(state, &scope, &kept.id());
            check_revision(expected.as_deref(), old.as_ref())?;
            let account = all::<ResourcePolicy>(state, &scope);
            let count = account.iter().filter(|policy| policy.resource_arn.is_none()).count();
            if !of_group && old.is_none() && count >= MAX_POLICIES {
                return Err(LogsError::LimitExceeded("Resource limit exceeded."));
            }
            Ok(vec![put(&scope, &kept)])
        })?;
        Ok(policy)
    }

    /// DescribeResourcePolicies: those of the account by default.
    pub fn describe_resource_policies(
        &self,
        scope: &Scope,
        resource_arn: Option<&str>,
        policy_scope: Option<&str>,
        limit: Option<i64>,
        next_token: Option<&str>,
    ) -> Result<ResourcePolicies, LogsError> {
        const LIST: &str = "resource policies";
        let mut constraints = Constraints::new();
        let size = page_size(limit, &mut constraints);
        if let Some(wanted) = policy_scope {
            let kinds = ["ACCOUNT", "RESOURCE"];
            constraints.that(kinds.contains(&wanted), wanted, "policyScope", one_of(kinds));
        }
        constraints.finish()?;
        let after = next_token.map(|token| read_list_token(token, LIST)).transpose()?;
        let wanted = policy_scope.unwrap_or(if resource_arn.is_some() { "RESOURCE" } else { "ACCOUNT" });
        let state = self.state();
        let mut policies = all::<ResourcePolicy>(&state, scope);
        policies.retain(|policy| {
            policy.scope() == wanted
                && resource_arn.is_none_or(|arn| policy.resource_arn.as_deref() == Some(arn))
                && after.as_ref().is_none_or(|after| policy.id() > *after)
        });
        let more = policies.len() > size;
        policies.truncate(size);
        let next_token = policies.last().filter(|_| more).map(|last| list_token(LIST, &last.id()));
        Ok(ResourcePolicies { resource_policies: policies, next_token })
    }

    /// The documents that bear on a log group: those of the account, and of the
    /// group with this ARN, with or without `:*` at the end.
    pub fn resource_policies_of(&self, scope: &Scope, group_arn: &str) -> Vec<ResourcePolicy> {
        let plain = |arn: &str| arn.strip_suffix(":*").unwrap_or(arn).to_owned();
        let wanted = plain(group_arn);
        let mut policies = all::<ResourcePolicy>(&self.state(), scope);
        policies.retain(|policy| policy.resource_arn.as_deref().is_none_or(|arn| plain(arn) == wanted));
        policies
    }

    /// DeleteResourcePolicy. `ResourceNotFound` if there is none.
    pub fn delete_resource_policy(
        &self,
        scope: &Scope,
        name: Option<&str>,
        resource_arn: Option<&str>,
        expected_revision_id: Option<&str>,
    ) -> Result<(), LogsError> {
        let id = id(name, resource_arn);
        let shown = name.or(resource_arn).unwrap_or_default().to_owned();
        let (scope, expected) = (scope.clone(), expected_revision_id.map(str::to_owned));
        self.change(move |state| {
            let old: Option<ResourcePolicy> = get(state, &scope, &id);
            if old.is_none() {
                return Err(LogsError::NotFound(format!("Policy with name [{shown}] does not exist.")));
            }
            check_revision(expected.as_deref(), old.as_ref())?;
            Ok(vec![gone::<ResourcePolicy>(&scope, &id)])
        })?;
        Ok(())
    }
}

fn check_revision(expected: Option<&str>, old: Option<&ResourcePolicy>) -> Result<(), LogsError> {
    let is = old.and_then(|policy| policy.revision_id.as_deref());
    match expected {
        Some(expected) if is != Some(expected) => {
            let text = "The expected revision ID does not match the policy's revision ID.";
            Err(LogsError::InvalidParameter(text.into()))
        }
        _ => Ok(()),
    }
}
