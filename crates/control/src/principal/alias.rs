//! The alias of an account: one at most.
//!
//! Source: IAM API, `CreateAccountAlias`.

use crate::error::{ControlError, Result};
use crate::state::{Cx, Resource, Scope};
use serde::{Deserialize, Serialize};

/// An account's alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    pub name: String,
}

impl Resource for Alias {
    const KIND: &'static str = "account-alias";
    fn id(&self) -> &str {
        &self.name
    }
}

/// Gives the account an alias instead of the one it has.
///
/// Errors: `ValidationError`, `EntityAlreadyExists`.
pub fn create(cx: Cx<'_>, name: &str) -> Result<()> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_valid = (3..=63).contains(&name.len())
        && name.bytes().all(fits)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    if !is_valid {
        let message = format!(
            "1 validation error detected: Value '{name}' at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){{1,61}}[a-z0-9]$"
        );
        return Err(ControlError::fault("ValidationError", message));
    }
    let taken: Vec<(Scope, Alias)> = cx.tx.list_everywhere()?;
    if taken.iter().any(|(scope, alias)| alias.name == name && *scope != cx.scope.global()) {
        let message = format!("The account alias {name} already exists.");
        return Err(ControlError::fault("EntityAlreadyExists", message));
    }
    for old in list(cx)? {
        cx.tx.delete::<Alias>(&cx.scope.global(), &old)?;
    }
    cx.tx.put(&cx.scope.global(), &Alias { name: name.to_owned() })
}

/// Errors: `NoSuchEntity`.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<()> {
    if cx.tx.delete::<Alias>(&cx.scope.global(), name)? {
        return Ok(());
    }
    let message = format!("The account alias with name {name} cannot be found.");
    Err(ControlError::fault("NoSuchEntity", message))
}

/// The account's alias, if it has one.
pub fn list(cx: Cx<'_>) -> Result<Vec<String>> {
    let all: Vec<Alias> = cx.tx.list(&cx.scope.global())?;
    Ok(all.into_iter().map(|alias| alias.name).collect())
}
