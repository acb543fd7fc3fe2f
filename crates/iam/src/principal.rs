//! Who makes a request. Every part of Weir that asks "may they" passes one of these.
//!
//! Source: IAM user guide, "AWS JSON policy elements: Principal"; "IAM
//! identifiers" for the unique ids; the table of `aws:userid` values.

use std::borrow::Cow;
use weir_types::arn::Arn;

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The root user of an account.
    Root { account: String },
    /// An IAM user: `arn:aws:iam::A:user/path/NAME`, id `AIDA…`.
    User { arn: Arn, user_id: String },
    /// A role session; make it with [`Principal::assumed_role`].
    AssumedRole {
        /// `arn:aws:iam::A:role/path/NAME`
        role_arn: Arn,
        /// `AROA…`
        role_id: String,
        /// `arn:aws:sts::A:assumed-role/NAME/SESSION`, without the role's path.
        session_arn: Arn,
        session_name: String,
    },
    /// A user from GetFederationToken: `arn:aws:sts::A:federated-user/NAME`.
    FederatedUser { arn: Arn },
    /// An AWS service acting by itself, such as `vpc-flow-logs.amazonaws.com`.
    Service { name: String },
    /// An unsigned request.
    Anonymous,
}

impl Principal {
    /// A session of a role.
    pub fn assumed_role(role_arn: Arn, role_id: &str, session_name: &str) -> Self {
        let session_arn = Arn {
            service: "sts".to_owned(),
            resource: format!("assumed-role/{}/{session_name}", last_part(&role_arn.resource)),
            ..role_arn.clone()
        };
        let session_name = session_name.to_owned();
        Self::AssumedRole { role_arn, role_id: role_id.to_owned(), session_arn, session_name }
    }

    /// A service principal by its name, such as `logs.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::Service { name: name.to_owned() }
    }

    /// The ARN as GetCallerIdentity and denials show it: of a session the
    /// session's. A service has its name, an unsigned request `anonymous`.
    pub fn arn(&self) -> String {
        match self {
            Self::Root { account } => format!("arn:aws:iam::{account}:root"),
            Self::User { arn, .. } | Self::FederatedUser { arn } => arn.to_string(),
            Self::AssumedRole { session_arn, .. } => session_arn.to_string(),
            Self::Service { name } => name.clone(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }

    /// `aws:PrincipalArn`: of a session the role's. None without an ARN.
    pub fn principal_arn(&self) -> Option<String> {
        match self {
            Self::AssumedRole { role_arn, .. } => Some(role_arn.to_string()),
            Self::Service { .. } | Self::Anonymous => None,
            _ => Some(self.arn()),
        }
    }

    /// Twelve digits. None for services and unsigned requests.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account } => Some(account),
            Self::User { arn, .. } | Self::FederatedUser { arn } => Some(&arn.account),
            Self::AssumedRole { role_arn, .. } => Some(&role_arn.account),
            Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// `aws:userid`, and `UserId` of GetCallerIdentity.
    pub fn user_id(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Root { account } => Some(account.into()),
            Self::User { user_id, .. } => Some(user_id.into()),
            Self::AssumedRole { role_id, session_name, .. } => {
                Some(format!("{role_id}:{session_name}").into())
            }
            Self::FederatedUser { arn } => {
                Some(format!("{}:{}", arn.account, last_part(&arn.resource)).into())
            }
            Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// `aws:username`: of IAM users only.
    pub fn user_name(&self) -> Option<&str> {
        match self {
            Self::User { arn, .. } => Some(last_part(&arn.resource)),
            _ => None,
        }
    }

    /// `aws:PrincipalType`. None for services.
    pub fn principal_type(&self) -> Option<&'static str> {
        match self {
            Self::Root { .. } => Some("Account"),
            Self::User { .. } => Some("User"),
            Self::AssumedRole { .. } => Some("AssumedRole"),
            Self::FederatedUser { .. } => Some("FederatedUser"),
            Self::Service { .. } => None,
            Self::Anonymous => Some("Anonymous"),
        }
    }
}

/// The name in `role/path/name`.
fn last_part(resource: &str) -> &str {
    resource.rsplit('/').next().unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities() {
        let user = Principal::User {
            arn: "arn:aws:iam::123456789012:user/team/kim".parse().unwrap(),
            user_id: "AIDAEXAMPLE".to_owned(),
        };
        let role = Principal::assumed_role(
            "arn:aws-cn:iam::123456789012:role/team/flow".parse().unwrap(),
            "AROAEXAMPLE",
            "s1",
        );
        let root = Principal::Root { account: "123456789012".to_owned() };
        let federated =
            Principal::FederatedUser { arn: "arn:aws:sts::123456789012:federated-user/bo".parse().unwrap() };
        for (principal, arn, id, name) in [
            (&user, "arn:aws:iam::123456789012:user/team/kim", Some("AIDAEXAMPLE"), Some("kim")),
            (&role, "arn:aws-cn:sts::123456789012:assumed-role/flow/s1", Some("AROAEXAMPLE:s1"), None),
            (&root, "arn:aws:iam::123456789012:root", Some("123456789012"), None),
            (&federated, "arn:aws:sts::123456789012:federated-user/bo", Some("123456789012:bo"), None),
            (&Principal::service("logs.amazonaws.com"), "logs.amazonaws.com", None, None),
        ] {
            assert_eq!(principal.arn(), arn);
            assert_eq!(principal.user_id().as_deref(), id);
            assert_eq!(principal.user_name(), name);
        }
    }
}
