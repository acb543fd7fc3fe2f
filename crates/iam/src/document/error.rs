//! Why a policy document is refused, in IAM's words where they are known, with
//! the place and the reason added where IAM says only "Syntax errors in policy."
//!
//! The texts go to AWS clients as they are, so they begin and end as AWS's do.

use thiserror::Error;

/// A document that IAM would not take. `Display` is the public message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    #[error("This policy contains invalid Json")]
    InvalidJson,
    /// Something is unknown, missing, doubled or of the wrong type; says what.
    #[error("Syntax errors in policy. {0}")]
    Syntax(String),
    #[error("Policy statement must contain actions.")]
    NoActions,
    #[error("Policy statement must contain resources.")]
    NoResources,
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. ('{0}' is not)")]
    NoVendor(String),
    #[error("Actions/Condition can contain only one colon. ('{0}' has more)")]
    Colons(String),
    #[error("Resource {0} must be in ARN format or \"*\".")]
    NoArn(String),
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]* ('{0}' does not)"
    )]
    Sid(String),
    #[error("Statement IDs (SID) in a single policy must be unique. ('{0}' is not)")]
    SidTwice(String),
    #[error("Policy document should not specify a principal.")]
    PrincipalInIdentityPolicy,
    #[error("Missing required field Principal")]
    NoPrincipal,
    #[error("Has prohibited field Resource")]
    ResourceInTrustPolicy,
    #[error("AssumeRole policy may only specify STS AssumeRole actions. ('{0}' is none)")]
    NotAnStsAction(String),
    /// A principal that can not exist: a wildcard within a name, a group, a bad account.
    #[error("Invalid principal in policy: \"{kind}\":\"{value}\"")]
    InvalidPrincipal { kind: String, value: String },
    /// More non-blank characters than the place allows.
    #[error("Maximum policy size of {limit} bytes exceeded (the policy has {size})")]
    TooLarge { limit: usize, size: usize },
}

impl PolicyError {
    /// `MalformedPolicyDocument` (400) or `LimitExceeded` (409).
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "LimitExceeded",
            _ => "MalformedPolicyDocument",
        }
    }

    /// The HTTP status of [`PolicyError::code`].
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } => 409,
            _ => 400,
        }
    }
}

/// Where a document goes, which decides how large it may be.
///
/// Source: IAM user guide, "IAM and AWS STS quotas".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyQuota {
    /// One version of a managed policy: 6,144.
    Managed,
    /// All inline policies of a user together: 2,048.
    UserInline,
    /// All inline policies of a role together: 10,240.
    RoleInline,
    /// All inline policies of a group together: 5,120.
    GroupInline,
    /// A role's trust policy: 2,048.
    Trust,
}

impl PolicyQuota {
    /// Characters that are not white space.
    pub fn limit(self) -> usize {
        match self {
            Self::Managed => 6_144,
            Self::UserInline | Self::Trust => 2_048,
            Self::RoleInline => 10_240,
            Self::GroupInline => 5_120,
        }
    }

    /// Refuses documents that are together larger than the quota.
    pub fn check<'a>(self, documents: impl IntoIterator<Item = &'a str>) -> Result<(), PolicyError> {
        let size = documents.into_iter().map(policy_size).sum();
        let limit = self.limit();
        if size > limit { Err(PolicyError::TooLarge { limit, size }) } else { Ok(()) }
    }
}

/// The size that quotas count: characters without white space.
pub fn policy_size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}
