//! Managed policies: the account's own, and those of AWS.
//!
//! Names are unique in the account ignoring case. AWS's policies belong to the
//! account `aws`, are the same for everybody and cannot be changed.
//!
//! Source: IAM API, `CreatePolicy`, `GetPolicy`, `ListPolicies`, `DeletePolicy`.

use super::attachment::Entities;
use super::identity::{conflict, iam_arn, quota};
use super::policy_version::Version;
use super::validate::{self, refused};
use super::{aws_managed, iam_tag};
use crate::error::{ControlError, Result};
use crate::random;
use crate::state::{Cx, Resource, Scope, Tx};
use serde::{Deserialize, Serialize};
use weir_iam::names::{IdPrefix, NameRule};
use weir_iam::{DocumentKind, PolicyDocument, PolicyQuota};
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// Policies of an account.
pub const LIMIT: usize = 1_500;

/// A managed policy. The account's own rest in its global scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// `ANPA…`
    pub id: String,
    pub name: String,
    /// The name in lower case.
    key: String,
    pub path: String,
    /// `arn:aws:iam::A:policy/PATH/NAME`
    pub arn: Arn,
    pub created: UnixMillis,
    pub updated: UnixMillis,
    pub description: Option<String>,
    /// By age, the oldest first; one of them is the default.
    pub versions: Vec<Version>,
    /// `v1`
    pub default_version: String,
    /// The number of the newest version that there ever was.
    pub(super) newest: u32,
    /// False for policies of service-linked roles.
    pub is_attachable: bool,
}

impl Resource for ManagedPolicy {
    const KIND: &'static str = "managed-policy";
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.key)
    }
}

impl ManagedPolicy {
    /// A policy of AWS.
    pub(super) fn of_aws(
        id: String,
        name: &str,
        path: &str,
        description: &str,
        document: String,
        created: UnixMillis,
    ) -> Self {
        let resource = format!("policy{path}{name}");
        let arn = Arn {
            partition: "aws".to_owned(),
            service: "iam".to_owned(),
            region: String::new(),
            account: aws_managed::ACCOUNT.to_owned(),
            resource,
        };
        Self {
            id,
            name: name.to_owned(),
            key: name.to_lowercase(),
            path: path.to_owned(),
            arn,
            created,
            updated: created,
            description: Some(description.to_owned()),
            versions: vec![Version { id: "v1".to_owned(), document, created }],
            default_version: "v1".to_owned(),
            newest: 1,
            is_attachable: path != "/aws-service-role/",
        }
    }

    /// The document that counts.
    pub fn document(&self) -> &str {
        self.version(&self.default_version).map_or("", |version| &version.document)
    }

    pub fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    pub fn is_aws(&self) -> bool {
        self.arn.account == aws_managed::ACCOUNT
    }
}

/// What CreatePolicy is asked for.
#[derive(Debug, Clone, Default)]
pub struct CreatePolicy {
    pub name: String,
    pub document: String,
    pub path: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<(String, String)>,
}

/// Makes a policy.
///
/// Errors: `ValidationError`, `MalformedPolicyDocument`, `LimitExceeded`,
/// `InvalidInput` (tags), `EntityAlreadyExists`.
pub fn create(cx: Cx<'_>, request: &CreatePolicy) -> Result<ManagedPolicy> {
    let CreatePolicy { name, document, description, .. } = request;
    validate::name(NameRule::LONG, "policyName", name)?;
    let path = request.path.as_deref().unwrap_or("/");
    validate::policy_path(path)?;
    validate::policy_description(description.as_deref().unwrap_or_default())?;
    check_document(document)?;
    let scope = cx.scope.global();
    let all: Vec<ManagedPolicy> = cx.tx.list(&scope)?;
    let key = name.to_lowercase();
    if all.iter().any(|policy| policy.key == key) {
        let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(ControlError::fault("EntityAlreadyExists", message));
    }
    if all.len() >= LIMIT {
        return Err(quota("PoliciesPerAccount", LIMIT));
    }
    let version = Version { id: "v1".to_owned(), document: document.clone(), created: cx.now };
    let policy = ManagedPolicy {
        id: IdPrefix::ManagedPolicy.id(random::bits()?),
        name: name.clone(),
        key,
        path: path.to_owned(),
        arn: arn(cx.scope, path, name),
        created: cx.now,
        updated: cx.now,
        description: description.clone(),
        versions: vec![version],
        default_version: "v1".to_owned(),
        newest: 1,
        is_attachable: true,
    };
    cx.tx.put(&scope, &policy)?;
    iam_tag::set(cx, &policy.id, &request.tags)?;
    Ok(policy)
}

pub(super) fn check_document(document: &str) -> Result<()> {
    PolicyDocument::parse(document, DocumentKind::Managed).map_err(refused)?;
    PolicyQuota::Managed.check([document]).map_err(refused)
}

/// The policy with this ARN: AWS's, or of the account of `scope`.
pub fn find(tx: &Tx<'_>, scope: &Scope, policy_arn: &str) -> Result<Option<ManagedPolicy>> {
    let Ok(arn) = policy_arn.parse::<Arn>() else { return Ok(None) };
    if arn.account == aws_managed::ACCOUNT {
        return Ok(aws_managed::find(&arn));
    }
    let name = arn.resource.rsplit('/').next().unwrap_or_default().to_lowercase();
    let scope = Scope::new(scope.account.clone(), Scope::GLOBAL);
    let found: Option<ManagedPolicy> = tx.list_in(&scope, &name)?.pop();
    Ok(found.filter(|policy| policy.arn == arn))
}

/// Errors: `NoSuchEntity`, `InvalidInput`.
pub fn get(cx: Cx<'_>, policy_arn: &str) -> Result<ManagedPolicy> {
    parse_arn(policy_arn)?;
    find(cx.tx, cx.scope, policy_arn)?.ok_or_else(|| not_found(policy_arn))
}

/// As [`get`], for a change.
///
/// Errors: `NoSuchEntity`, `InvalidInput`; `AccessDenied` for AWS's policies.
pub fn get_to_change(cx: Cx<'_>, policy_arn: &str) -> Result<ManagedPolicy> {
    let policy = get(cx, policy_arn)?;
    if policy.is_aws() {
        let message = format!("The policy {policy_arn} belongs to AWS and cannot be changed.");
        return Err(ControlError::fault("AccessDenied", message));
    }
    Ok(policy)
}

/// The account's policies and AWS's, whose path begins with `path_prefix`, by
/// name; those of the account first.
///
/// Errors: `ValidationError`.
pub fn list(cx: Cx<'_>, local: bool, aws: bool, path_prefix: &str) -> Result<Vec<ManagedPolicy>> {
    super::identity::check_path_prefix(path_prefix)?;
    let mut all: Vec<ManagedPolicy> = if local { cx.tx.list(&cx.scope.global())? } else { Vec::new() };
    all.sort_by(|a, b| a.key.cmp(&b.key));
    if aws {
        all.extend(aws_managed::all().iter().cloned());
    }
    all.retain(|policy| policy.path.starts_with(path_prefix));
    Ok(all)
}

/// Removes a policy that nobody has, with its only version.
///
/// Errors: `NoSuchEntity`, `DeleteConflict`, `InvalidInput`, `AccessDenied`.
pub fn delete(cx: Cx<'_>, policy_arn: &str) -> Result<()> {
    let policy = get_to_change(cx, policy_arn)?;
    let entities = Entities::all(cx)?;
    if entities.with(policy_arn, false).count() + entities.with(policy_arn, true).count() > 0 {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    cx.tx.delete::<ManagedPolicy>(&cx.scope.global(), &policy.id)?;
    Ok(())
}

/// Errors: `InvalidInput`, `ValidationError` for what is no ARN of a policy.
pub fn parse_arn(text: &str) -> Result<Arn> {
    if text.chars().count() < 20 {
        let message = format!(
            "1 validation error detected: Value '{text}' at 'policyArn' failed to satisfy constraint: Member must have length greater than or equal to 20"
        );
        return Err(ControlError::fault("ValidationError", message));
    }
    let arn =
        text.parse::<Arn>().ok().filter(|arn| arn.service == "iam" && arn.resource.starts_with("policy/"));
    arn.ok_or_else(|| ControlError::fault("ValidationError", format!("ARN {text} is not valid.")))
}

pub(super) fn not_found(policy_arn: &str) -> ControlError {
    ControlError::fault("NoSuchEntity", format!("Policy {policy_arn} was not found."))
}

/// The ARN that a policy of this path and name has.
pub fn arn(scope: &Scope, path: &str, name: &str) -> Arn {
    iam_arn(scope, &format!("policy{path}{name}"))
}
