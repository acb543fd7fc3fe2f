//! Names, paths and unique ids of IAM's resources.
//!
//! Source: IAM API reference, the parameters of CreateRole, CreateUser,
//! CreatePolicy; STS API, AssumeRole; IAM user guide, "IAM identifiers".

use thiserror::Error;

/// A rule for a name: which characters, how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRule {
    /// As AWS prints it in a ValidationError.
    pub pattern: &'static str,
    pub min: usize,
    pub max: usize,
    /// Allowed besides ASCII letters, digits and `_`.
    punctuation: &'static [u8],
}

impl NameRule {
    /// RoleName and UserName. Unique in the account ignoring case.
    pub const ENTITY: Self = Self::new(r"[\w+=,.@-]+", 1, 64, b"+=,.@-");
    /// GroupName and PolicyName.
    pub const LONG: Self = Self::new(r"[\w+=,.@-]+", 1, 128, b"+=,.@-");
    /// RoleSessionName and SourceIdentity.
    pub const SESSION: Self = Self::new(r"[\w+=,.@-]*", 2, 64, b"+=,.@-");
    /// Name of a federated user.
    pub const FEDERATED: Self = Self::new(r"[\w+=,.@-]*", 2, 32, b"+=,.@-");
    pub const EXTERNAL_ID: Self = Self::new(r"[\w+=,.@:\/-]*", 2, 1224, b"+=,.@:/-");

    const fn new(pattern: &'static str, min: usize, max: usize, punctuation: &'static [u8]) -> Self {
        Self { pattern, min, max, punctuation }
    }

    /// Refuses a text that breaks the rule; `member` is the parameter as AWS
    /// spells it in the message (`roleName`).
    pub fn check(self, member: &'static str, text: &str) -> Result<(), NameError> {
        let fail = |constraint: String| Err(NameError { member, value: text.to_owned(), constraint });
        let length = text.chars().count();
        if length > self.max {
            return fail(format!("Member must have length less than or equal to {}", self.max));
        }
        if length < self.min {
            return fail(format!("Member must have length greater than or equal to {}", self.min));
        }
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || self.punctuation.contains(&b);
        if !text.bytes().all(fits) {
            return fail(format!("Member must satisfy regular expression pattern: {}", self.pattern));
        }
        Ok(())
    }
}

/// A name that AWS would refuse with `ValidationError`; `Display` is its message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
)]
pub struct NameError {
    pub member: &'static str,
    pub value: String,
    pub constraint: String,
}

/// Whether `path` is `/` or `/…/`, printable ASCII, at most 512 characters.
pub fn is_path(path: &str) -> bool {
    path.len() <= 512
        && path.starts_with('/')
        && path.ends_with('/')
        && path.bytes().all(|b| (0x21..=0x7e).contains(&b))
}

/// Whether `path` is one that a managed policy may have: as [`is_path`], of
/// letters, digits and `.,+@=_-`, without empty parts.
pub fn is_policy_path(path: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"/.,+@=_-".contains(&b);
    is_path(path) && path.bytes().all(fits) && !path.contains("//")
}

/// The first four characters of a unique id, which say what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdPrefix {
    Role,
    User,
    Group,
    ManagedPolicy,
    InstanceProfile,
    /// A long-term access key.
    AccessKey,
    /// An access key of temporary credentials; needs its session token.
    TemporaryAccessKey,
}

impl IdPrefix {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "AROA",
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::ManagedPolicy => "ANPA",
            Self::InstanceProfile => "AIPA",
            Self::AccessKey => "AKIA",
            Self::TemporaryAccessKey => "ASIA",
        }
    }

    /// An id from random bits, of which the low 85 are used: the prefix and
    /// characters of the base-32 alphabet, 20 in all for access keys, else 21.
    pub fn id(self, random: u128) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut id = self.as_str().to_owned();
        let length = if matches!(self, Self::AccessKey | Self::TemporaryAccessKey) { 16 } else { 17 };
        for position in 0..length {
            let digit = (random >> (5 * position)) & 31;
            id.push(char::from(ALPHABET[digit as usize]));
        }
        id
    }
}

/// Whether an access key id is of temporary credentials, which have a session token.
pub fn is_temporary_access_key(access_key_id: &str) -> bool {
    access_key_id.starts_with(IdPrefix::TemporaryAccessKey.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (rule, text, ok) in [
            (NameRule::ENTITY, "flow-logs_role+=,.@1", true),
            (NameRule::ENTITY, "", false),
            (NameRule::ENTITY, "a b", false),
            (NameRule::ENTITY, "a/b", false),
            (NameRule::ENTITY, "é", false),
            (NameRule::ENTITY, &"x".repeat(64), true),
            (NameRule::ENTITY, &"x".repeat(65), false),
            (NameRule::LONG, &"x".repeat(128), true),
            (NameRule::SESSION, "s", false),
            (NameRule::SESSION, "s1", true),
            (NameRule::EXTERNAL_ID, "a:b/c", true),
        ] {
            assert_eq!(rule.check("name", text).is_ok(), ok, "{text}");
        }
        assert_eq!(
            NameRule::SESSION.check("roleSessionName", "Session1:2").unwrap_err().to_string(),
            r"1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*"
        );
    }

    #[test]
    fn paths() {
        for (path, ok) in
            [("/", true), ("/a/b/", true), ("", false), ("a/", false), ("/a", false), ("/a b/", false)]
        {
            assert_eq!(is_path(path), ok, "{path}");
        }
    }

    #[test]
    fn ids() {
        assert_eq!(IdPrefix::Role.id(0), "AROAAAAAAAAAAAAAAAAAA");
        assert_eq!(IdPrefix::AccessKey.id(u128::MAX), "AKIA7777777777777777");
        assert!(is_temporary_access_key(&IdPrefix::TemporaryAccessKey.id(1)));
    }
}
