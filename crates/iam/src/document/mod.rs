//! Policy documents: the typed form of what a user wrote, and its checks.
//!
//! ```text
//! {Version: "2012-10-17" | "2008-10-17", Id?, Statement: one | [many]}
//! Statement: Sid? Effect (Principal | NotPrincipal)? (Action | NotAction) (Resource | NotResource)? Condition?
//! ```
//!
//! Element names have exactly the spelling shown. An unknown element, or one
//! given twice, is refused: a policy must not mean less, or more, than it says.
//! A parsed document is ready to evaluate; keep it and do not parse per request.
//!
//! Source: IAM user guide, "Grammar of the IAM JSON policy language".

mod error;
mod fields;
mod json;
mod parse;
mod principal;
mod resource;
mod span;
#[cfg(test)]
mod tests;

pub use error::{PolicyError, PolicyQuota, policy_size};
pub use principal::{PrincipalElement, PrincipalEntry, PrincipalMatch};
pub use span::{Position, statement_spans};

use crate::condition::Condition;
use crate::context::Context;
use crate::pattern::{ActionPattern, ResourcePattern};

/// What a document is for; each kind has other elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// Attached to a user, group or role, a permissions boundary, or a session
    /// policy: no `Principal`.
    Identity,
    /// A managed policy: as an identity policy, of version 2012-10-17.
    Managed,
    /// A role's AssumeRolePolicyDocument: a `Principal`, no `Resource`.
    Trust,
    /// On a bucket, log destination or the like: both.
    Resource,
}

/// `Effect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// `Version`; a document without one has the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`: no policy variables.
    V2008,
    /// `2012-10-17`
    V2012,
}

/// A valid policy document.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDocument {
    pub version: Version,
    pub id: Option<String>,
    /// At least one.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    /// None in identity policies only.
    pub principal: Option<PrincipalElement>,
    pub action: ActionElement,
    /// None in trust policies only, where it stands for the role itself.
    pub resource: Option<ResourceElement>,
    /// All must hold.
    pub conditions: Vec<Condition>,
}

/// `Action`, or with `not` `NotAction`.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionElement {
    pub not: bool,
    pub patterns: Vec<ActionPattern>,
}

/// `Resource`, or with `not` `NotResource`.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceElement {
    pub not: bool,
    pub patterns: Vec<ResourcePattern>,
}

impl PolicyDocument {
    /// Reads and checks a document as IAM does when it is put.
    ///
    /// The size quota depends on where the document goes: [`PolicyQuota::check`].
    /// Whether the principals exist is for the caller to find out.
    pub fn parse(text: &str, kind: DocumentKind) -> Result<Self, PolicyError> {
        parse::document(text, kind)
    }
}

impl PolicyDocument {
    /// The condition keys that it reads, in conditions and as policy variables,
    /// as they are written; one of each.
    pub fn context_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for key in self.statements.iter().flat_map(Statement::context_keys) {
            if !keys.iter().any(|known| known.eq_ignore_ascii_case(&key)) {
                keys.push(key);
            }
        }
        keys
    }
}

impl Statement {
    /// The condition keys that it reads.
    pub fn context_keys(&self) -> Vec<String> {
        let conditions = self
            .conditions
            .iter()
            .flat_map(|condition| std::iter::once(condition.key().to_owned()).chain(condition.variables()));
        let resources = self.resource.iter().flat_map(|element| element.patterns.iter());
        conditions.chain(resources.flat_map(|pattern| pattern.variables())).collect()
    }

    /// Whether the action matches, whatever resource and conditions say.
    pub fn is_about_action(&self, action: &str) -> bool {
        self.action.patterns.iter().any(|pattern| pattern.matches(action)) != self.action.not
    }

    /// Whether action and resource match, whatever the conditions say.
    fn is_about(&self, action: &str, resource: &str, context: &Context) -> bool {
        self.is_about_action(action)
            && self.resource.as_ref().is_none_or(|element| {
                let on_resource = element.patterns.iter().any(|p| p.matches(resource, context));
                on_resource != element.not
            })
    }

    /// Whether action, resource and conditions match. The principal is not
    /// looked at: see [`PrincipalElement::matches`].
    pub fn covers(&self, action: &str, resource: &str, context: &Context) -> bool {
        self.is_about(action, resource, context)
            && self.conditions.iter().all(|condition| condition.holds(context))
    }
}
