//! The policies that bear on what a caller does.

use super::group::Group;
use super::identity::{self, IamIdentity, Identity};
use super::managed_policy;
use super::role::Role;
use super::session::Session;
use super::subject::Subject;
use super::user::User;
use crate::error::{ControlError, Result};
use crate::state::{Resource, Scope, Tx};
use weir_iam::{DocumentKind, NamedPolicy, Policies, PolicyDocument, Principal};
use weir_types::arn::Arn;

/// A policy as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name of an inline policy, or a managed policy's ARN.
    pub name: String,
    /// Whose inline policy it is: `user`, `group` or `role`. None for a managed policy.
    pub inline_of: Option<&'static str>,
    pub text: String,
}

/// The policies of a caller, parsed: [`CallerPolicies::as_policies`] lends them
/// to an evaluation.
#[derive(Debug, Clone, Default)]
pub struct CallerPolicies {
    identity: Vec<(String, PolicyDocument)>,
    boundary: Option<(String, PolicyDocument)>,
    session: Vec<PolicyDocument>,
    tags: Vec<(String, String)>,
}

impl CallerPolicies {
    /// What [`weir_iam::evaluate()`] and [`weir_iam::may_assume_role`] read.
    pub fn as_policies(&self) -> Policies<'_> {
        let mut lent = Policies::default();
        lent.identity.extend(self.identity.iter().map(|(name, text)| NamedPolicy::new(name.as_str(), text)));
        lent.session.extend(self.session.iter().map(|text| NamedPolicy::new("session policy", text)));
        lent.boundary = self.boundary.as_ref().map(|(name, text)| NamedPolicy::new(name.as_str(), text));
        lent
    }

    /// `aws:PrincipalTag`: the tags of the session and those of its role or user
    /// that the session does not replace.
    pub fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
}

/// The policies of `principal` as of now: of a user its own and its groups'
/// policies, of a role session the role's, with the boundary and the session's
/// own policies. A session whose role or user is gone has none at all. The root
/// user and services have none; they need none.
pub fn policies(tx: &Tx<'_>, principal: &Principal, session: Option<&Session>) -> Result<CallerPolicies> {
    let mut found = match principal {
        Principal::AssumedRole { role_arn, role_id, .. } => {
            let scope = Scope::new(role_arn.account.clone(), Scope::GLOBAL);
            let role: Option<Role> = tx.get(&scope, role_id)?;
            role.map(|role| of_identity(tx, &scope, &role)).transpose()?.unwrap_or_default()
        }
        Principal::User { arn, user_id } => of_user(tx, &arn.account, user_id)?,
        Principal::FederatedUser { .. } => of_federated(tx, session)?,
        Principal::Root { .. } | Principal::Service { .. } | Principal::Anonymous => {
            CallerPolicies::default()
        }
    };
    let Some(session) = session else { return Ok(found) };
    for text in &session.policies {
        found.session.push(parse(text, "session policy")?);
    }
    let mut tags = session.tags.clone();
    for (key, value) in found.tags {
        if !tags.iter().any(|(own, _)| own.eq_ignore_ascii_case(&key)) {
            tags.push((key, value));
        }
    }
    found.tags = tags;
    Ok(found)
}

fn of_user(tx: &Tx<'_>, account: &str, user_id: &str) -> Result<CallerPolicies> {
    let scope = Scope::new(account, Scope::GLOBAL);
    let user: Option<User> = tx.get(&scope, user_id)?;
    user.map(|user| of_identity(tx, &scope, &user)).transpose().map(Option::unwrap_or_default)
}

/// A federated user may do what its session policies and the policies of its
/// issuer allow; without session policies nothing.
fn of_federated(tx: &Tx<'_>, session: Option<&Session>) -> Result<CallerPolicies> {
    let Some(Session { subject: Subject::Federated { federated_arn, issuer_user_id }, policies, .. }) =
        session
    else {
        return Ok(CallerPolicies::default());
    };
    let mut found = match issuer_user_id {
        Some(id) => of_user(tx, &federated_arn.account, id)?,
        None => {
            let everything =
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
            let document = parse(everything, "root")?;
            CallerPolicies { identity: vec![("root".to_owned(), document)], ..CallerPolicies::default() }
        }
    };
    if policies.is_empty() {
        found.identity.clear();
    }
    found.tags.clear();
    Ok(found)
}

fn of_identity<T: IamIdentity>(tx: &Tx<'_>, scope: &Scope, one: &T) -> Result<CallerPolicies> {
    let mut found = CallerPolicies::default();
    for Source { name, text, .. } in sources(tx, scope, one)? {
        let document = parse(&text, &name)?;
        found.identity.push((name, document));
    }
    if let Some(arn) = &one.identity().boundary {
        found.boundary = Some((arn.clone(), parse(&managed(tx, scope, arn)?, arn)?));
    }
    found.tags = tx.tags(scope, one.id())?.into_iter().collect();
    Ok(found)
}

/// The identity policies of a user with its groups', or of a group or role, as
/// they are stored.
pub fn sources<T: IamIdentity>(tx: &Tx<'_>, scope: &Scope, one: &T) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    own_sources(tx, scope, one.identity(), T::NOUN, &mut found)?;
    if T::KIND == User::KIND {
        let user: Option<User> = tx.get(scope, one.id())?;
        for id in user.map(|user| user.groups).unwrap_or_default() {
            if let Some(group) = tx.get::<Group>(scope, &id)? {
                own_sources(tx, scope, &group.identity, Group::NOUN, &mut found)?;
            }
        }
    }
    Ok(found)
}

fn own_sources(
    tx: &Tx<'_>,
    scope: &Scope,
    identity: &Identity,
    noun: &'static str,
    found: &mut Vec<Source>,
) -> Result<()> {
    for (name, text) in &identity.policies {
        found.push(Source { name: name.clone(), inline_of: Some(noun), text: text.clone() });
    }
    for arn in &identity.attached {
        found.push(Source { name: arn.clone(), inline_of: None, text: managed(tx, scope, arn)? });
    }
    Ok(())
}

/// The document of a managed policy that is in use, which cannot be deleted.
pub fn managed(tx: &Tx<'_>, scope: &Scope, arn: &str) -> Result<String> {
    let policy = managed_policy::find(tx, scope, arn)?;
    let policy = policy.ok_or_else(|| ControlError::fault("InternalError", format!("no policy {arn}")))?;
    Ok(policy.document().to_owned())
}

/// The identity policies of the user, group or role with this ARN, and the text
/// of its permissions boundary.
///
/// Errors: `NoSuchEntity`.
pub fn sources_of(tx: &Tx<'_>, arn: &Arn) -> Result<(Vec<Source>, Option<Source>)> {
    fn found<T: IamIdentity>(tx: &Tx<'_>, arn: &Arn) -> Result<Option<(Vec<Source>, Option<Source>)>> {
        let Some(one) = identity::by_arn::<T>(tx, arn)? else { return Ok(None) };
        let scope = Scope::new(arn.account.clone(), Scope::GLOBAL);
        let boundary = match &one.identity().boundary {
            None => None,
            Some(name) => {
                let text = managed(tx, &scope, name)?;
                Some(Source { name: name.clone(), inline_of: None, text })
            }
        };
        Ok(Some((sources(tx, &scope, &one)?, boundary)))
    }
    let found = match found::<User>(tx, arn)? {
        Some(found) => Some(found),
        None => match found::<Role>(tx, arn)? {
            Some(found) => Some(found),
            None => found::<Group>(tx, arn)?,
        },
    };
    found.ok_or_else(|| {
        let noun = arn.resource.split('/').next().unwrap_or_default();
        let name = arn.resource.rsplit('/').next().unwrap_or_default();
        ControlError::fault("NoSuchEntity", format!("The {noun} with name {name} cannot be found."))
    })
}

/// Policies were checked when they were put. One that cannot be read any more
/// stops the request: passing over it could pass over a Deny.
fn parse(text: &str, name: &str) -> Result<PolicyDocument> {
    PolicyDocument::parse(text, DocumentKind::Identity)
        .map_err(|error| ControlError::fault("InternalError", format!("stored policy {name}: {error}")))
}
