//! Whom temporary credentials stand for.

use super::user::User;
use crate::error::Result;
use crate::state::{Scope, Tx};
use serde::{Deserialize, Serialize};
use weir_iam::Principal;
use weir_types::arn::Arn;

/// Whom a session stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Subject {
    /// A role: AssumeRole.
    Role {
        role_arn: Arn,
        /// `AROA…`
        role_id: String,
    },
    /// Somebody under a name of their own, with permissions of a user or of the
    /// root user (`user_id` None): GetFederationToken.
    Federated { federated_arn: Arn, issuer_user_id: Option<String> },
    /// The user itself: GetSessionToken.
    User { account: String, user_id: String },
    /// The root user itself: GetSessionToken.
    Root { account: String },
}

impl Subject {
    /// The caller that a session of this name is. None if the user is gone; a
    /// role that is gone leaves a caller without permissions.
    pub fn principal(&self, tx: &Tx<'_>, session_name: &str) -> Result<Option<Principal>> {
        Ok(match self {
            Self::Role { role_arn, role_id } => {
                Some(Principal::assumed_role(role_arn.clone(), role_id, session_name))
            }
            Self::Federated { federated_arn, .. } => {
                Some(Principal::FederatedUser { arn: federated_arn.clone() })
            }
            Self::User { account, user_id } => {
                let user: Option<User> = tx.get(&Scope::new(account.clone(), Scope::GLOBAL), user_id)?;
                user.map(|user| user.principal())
            }
            Self::Root { account } => Some(Principal::Root { account: account.clone() }),
        })
    }

    pub fn account(&self) -> &str {
        match self {
            Self::Role { role_arn: arn, .. } | Self::Federated { federated_arn: arn, .. } => &arn.account,
            Self::User { account, .. } | Self::Root { account } => account,
        }
    }
}
