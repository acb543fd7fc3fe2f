//! Why a policy document is refused, in IAM's words.
//!
//! The texts go to AWS clients as they are, so they begin and end as AWS's do.
//! Some of them say little ("Syntax errors in policy."); [`PolicyError::reason`]
//! has the place and the cause, for the log.

use thiserror::Error;

/// A document that IAM would not take. `Display` is the public message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    #[error("This policy contains invalid Json")]
    InvalidJson,
    /// Something is unknown, missing, doubled or of the wrong type; says what.
    #[error("Syntax errors in policy.")]
    Syntax(String),
    /// The version is older than managed policies may have.
    #[error("Policy document must be version 2012-10-17 or greater.")]
    OldVersion,
    /// What only the older of IAM's two parsers refuses: an effect in other
    /// letters, an ARN with too few parts, a value that is no date; says what.
    #[error("The policy failed legacy parsing")]
    Legacy(String),
    #[error("Policy statement must contain actions.")]
    NoActions,
    #[error("Policy statement must contain resources.")]
    NoResources,
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor(String),
    #[error("Actions/Condition can contain only one colon.")]
    Colons(String),
    #[error("Vendor {0} is not valid")]
    Vendor(String),
    #[error("Resource {0} must be in ARN format or \"*\".")]
    NoArn(String),
    #[error("Partition \"{partition}\" is not valid for resource \"{resource}\".")]
    Partition { partition: String, resource: String },
    #[error("Resource vendor must be fully qualified and cannot contain regexes.")]
    NoResourceVendor(String),
    #[error("IAM resource {0} cannot contain region information.")]
    IamRegion(String),
    #[error("Resource {0} can not contain region information.")]
    Region(String),
    #[error(
        "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."
    )]
    IamPath(String),
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    Sid(String),
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    SidTwice(String),
    #[error("Policy document should not specify a principal.")]
    PrincipalInIdentityPolicy,
    #[error("Missing required field Principal")]
    NoPrincipal,
    #[error("Has prohibited field Resource.")]
    ResourceInTrustPolicy,
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    NotAnStsAction(String),
    #[error(
        "Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,  and sts:AssumeRoleWithWebIdentity"
    )]
    NotATrustAction(String),
    /// A principal that can not exist: a wildcard within a name, a group, a bad account.
    #[error("Invalid principal in policy: \"{kind}\":\"{value}\"")]
    InvalidPrincipal { kind: String, value: String },
    /// More non-blank characters than the place allows.
    #[error("Cannot exceed quota for {}: {}", .quota.name(), .quota.limit())]
    TooLarge { quota: PolicyQuota, size: usize },
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

    /// What was wrong and where, if the message does not say it.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Syntax(text) | Self::Legacy(text) => Some(text.clone()),
            Self::NoVendor(text)
            | Self::Colons(text)
            | Self::Sid(text)
            | Self::SidTwice(text)
            | Self::NoResourceVendor(text)
            | Self::IamPath(text)
            | Self::NotAnStsAction(text)
            | Self::NotATrustAction(text) => Some(format!("'{text}'")),
            Self::TooLarge { size, .. } => Some(format!("the policy has {size} characters")),
            _ => None,
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

    /// As GetAccountSummary and faults call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Managed => "PolicySize",
            Self::UserInline => "UserPolicySize",
            Self::RoleInline => "RolePolicySize",
            Self::GroupInline => "GroupPolicySize",
            Self::Trust => "ACLSizePerRole",
        }
    }

    /// Refuses documents that are together larger than the quota.
    pub fn check<'a>(self, documents: impl IntoIterator<Item = &'a str>) -> Result<(), PolicyError> {
        let size = documents.into_iter().map(policy_size).sum();
        if size > self.limit() { Err(PolicyError::TooLarge { quota: self, size }) } else { Ok(()) }
    }
}

/// The size that quotas count: characters without white space.
pub fn policy_size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}
