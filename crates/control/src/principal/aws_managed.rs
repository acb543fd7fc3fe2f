//! The managed policies of AWS that people attach around networks, logs, storage
//! and permissions. Their documents allow what AWS's do, as far as services here
//! have it, written more briefly.
//!
//! Source: AWS managed policy reference guide.

use super::managed_policy::ManagedPolicy;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;
use weir_iam::names::IdPrefix;
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// The account in their ARNs.
pub const ACCOUNT: &str = "aws";

const POLICIES: &str = include_str!("aws_managed.json");

#[derive(Deserialize)]
struct Entry {
    name: String,
    path: String,
    description: String,
    /// Seconds since 1970.
    created: i64,
    document: serde_json::Value,
}

/// All of them, by name.
pub fn all() -> &'static [ManagedPolicy] {
    static ALL: LazyLock<Vec<ManagedPolicy>> = LazyLock::new(|| {
        let entries: Vec<Entry> = serde_json::from_str(POLICIES).unwrap_or_default();
        entries.into_iter().map(policy).collect()
    });
    &ALL
}

fn policy(entry: Entry) -> ManagedPolicy {
    let hash = Sha256::digest(entry.name.as_bytes());
    let number = hash.iter().take(16).fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    let created = UnixMillis::from_seconds(entry.created);
    let document = format!("{:#}", entry.document);
    let id = IdPrefix::ManagedPolicy.id(number);
    ManagedPolicy::of_aws(id, &entry.name, &entry.path, &entry.description, document, created)
}

/// The one with this ARN, in the ARN's partition.
pub fn find(arn: &Arn) -> Option<ManagedPolicy> {
    let found = all().iter().find(|policy| policy.arn.resource == arn.resource)?;
    let mut policy = found.clone();
    policy.arn = arn.clone();
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_iam::{DocumentKind, PolicyDocument, PolicyQuota};

    #[test]
    fn every_document_is_a_valid_policy_within_the_quota() {
        assert!(all().len() >= 40);
        for policy in all() {
            let document = policy.document();
            assert!(PolicyDocument::parse(document, DocumentKind::Managed).is_ok(), "{}", policy.name);
            assert_eq!(PolicyQuota::Managed.check([document]), Ok(()), "{}", policy.name);
            assert_eq!(find(&policy.arn).as_ref(), Some(policy));
        }
        assert!(all().is_sorted_by(|a, b| a.name.to_lowercase() < b.name.to_lowercase()));
    }
}
