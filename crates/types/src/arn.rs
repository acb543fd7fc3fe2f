//! Amazon Resource Names: `arn:partition:service:region:account:resource`.
//!
//! Source: IAM user guide, "Identify AWS resources with ARNs".

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An ARN split at its first five colons. The resource part is kept whole,
/// because services divide it differently (`role/name`, `log-group:name:*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn {
    pub partition: String,
    pub service: String,
    /// Empty for global services such as IAM.
    pub region: String,
    /// Twelve digits; empty for S3 buckets.
    pub account: String,
    pub resource: String,
}

/// A text that does not have the six parts of an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an ARN of the form arn:partition:service:region:account:resource")]
pub struct ParseArnError(pub String);

impl Arn {
    /// An ARN in the partition of `region` (`aws`, `aws-cn`, `aws-us-gov`).
    pub fn new(service: &str, region: &str, account: &str, resource: impl Into<String>) -> Self {
        Self {
            partition: partition_of(region).to_owned(),
            service: service.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            resource: resource.into(),
        }
    }
}

/// The partition that a region belongs to. Source: AWS regions, "Partitions".
pub fn partition_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

impl FromStr for Arn {
    type Err = ParseArnError;
    fn from_str(text: &str) -> Result<Self, ParseArnError> {
        let fail = || ParseArnError(text.to_owned());
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or_else(fail);
        if next()? != "arn" {
            return Err(fail());
        }
        let arn = Self {
            partition: next()?.to_owned(),
            service: next()?.to_owned(),
            region: next()?.to_owned(),
            account: next()?.to_owned(),
            resource: next()?.to_owned(),
        };
        if arn.partition.is_empty() || arn.service.is_empty() || arn.resource.is_empty() {
            return Err(fail());
        }
        Ok(arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl TryFrom<String> for Arn {
    type Error = ParseArnError;
    fn try_from(text: String) -> Result<Self, ParseArnError> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> String {
        arn.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_round_trip() {
        for text in [
            "arn:aws:iam::123456789012:role/path/name",
            "arn:aws:logs:us-east-1:123456789012:log-group:/a/b:log-stream:eni-1-all",
            "arn:aws-cn:s3:::bucket/prefix/",
        ] {
            assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "arn", "arn:aws:iam::1", "urn:aws:iam::1:x", "arn:aws:iam::1:", "arn::iam::1:x"] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }
}
