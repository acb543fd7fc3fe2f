//! Where a new flow log shall write: what the parameters about it mean
//! together.
//!
//! ```text
//!                        log group   bucket      Firehose
//! LogGroupName           or ARN      -           -
//! LogDestination         or name     ARN         ARN
//! DeliverLogsPermission  required    -           with the next one
//! DeliverCrossAccount    may be      -           for another account's stream
//! DestinationOptions     -           may be      -
//! ```
//!
//! Source: EC2 API, `CreateFlowLogs`; VPC user guide, "Publish flow logs to
//! Amazon S3", "Publish flow logs to Amazon Data Firehose".

use super::spec::{CreateFlowLogs, DestinationOptionsRequest, invalid, invalid_value};
use super::{DestinationOptions, FileFormat, LogDestination};
use crate::error::{ControlError, Result};
use crate::state::Scope;
use weir_types::arn::{Arn, partition_of};

/// How the name of a role begins that another account lends to flow logs.
/// Source: VPC user guide, "IAM roles for cross account delivery".
const CROSS_ACCOUNT_ROLE: &str = "AWSLogDeliveryFirehoseCrossAccountRole";

impl CreateFlowLogs {
    pub(super) fn destination(&self, scope: &Scope) -> Result<LogDestination> {
        let kind = self.log_destination_type.as_deref().unwrap_or("cloud-watch-logs");
        match kind {
            "cloud-watch-logs" => self.cloud_watch_logs(scope),
            "s3" => self.s3(scope),
            "kinesis-data-firehose" => self.firehose(scope),
            other => {
                let message = format!("Value ({other}) for parameter logDestinationType is invalid.");
                Err(invalid_value(message))
            }
        }
    }

    /// The ARN of a destination that is no log group.
    fn elsewhere(&self) -> Result<&str> {
        if self.log_group_name.is_some() {
            return Err(invalid("LogDestination type must be cloud-watch-logs if LogGroupName is provided."));
        }
        self.log_destination
            .as_deref()
            .ok_or_else(|| invalid("LogDestination can't be empty if LogGroupName is not provided."))
    }

    fn s3(&self, scope: &Scope) -> Result<LogDestination> {
        let text = self.elsewhere()?;
        for (given, parameter) in [
            (&self.deliver_logs_permission_arn, "DeliverLogsPermissionArn"),
            (&self.deliver_cross_account_role, "DeliverCrossAccountRole"),
        ] {
            if given.is_some() {
                return Err(invalid(format!("{parameter} is not applicable for s3 delivery")));
            }
        }
        let arn: Option<Arn> = text.parse().ok().filter(|arn: &Arn| arn.service == "s3");
        let place = arn.as_ref().map(|arn| arn.resource.split_once('/').unwrap_or((&arn.resource, "")));
        let (Some(arn), Some((_, folder))) = (&arn, place.filter(|(bucket, _)| is_bucket(bucket))) else {
            return Err(invalid(format!("LogDestination: {text} is not the ARN of a bucket")));
        };
        if !arn.region.is_empty() || !arn.account.is_empty() {
            return Err(invalid(format!(
                "LogDestination: {text} is not the ARN of a bucket: it has no region and no account"
            )));
        }
        if arn.partition != partition_of(&scope.region) {
            return Err(invalid(format!(
                "LogDestination: {text} is not in the partition {}",
                partition_of(&scope.region)
            )));
        }
        if folder.split('/').any(|part| part == "AWSLogs") {
            return Err(invalid(format!(
                "LogDestination: {text} names the folder AWSLogs, which is reserved"
            )));
        }
        let options = self.destination_options.as_ref().map(options).transpose()?;
        Ok(LogDestination::S3 { arn: text.to_owned(), options })
    }

    fn firehose(&self, scope: &Scope) -> Result<LogDestination> {
        let text = self.elsewhere()?;
        if self.destination_options.is_some() {
            return Err(only_for_s3());
        }
        let is_stream = |arn: &Arn| {
            let name = arn.resource.strip_prefix("deliverystream/");
            let is_name = name.is_some_and(|name| is_word(name, 1..=64, b"_.-"));
            arn.service == "firehose" && is_name && !arn.region.is_empty() && !arn.account.is_empty()
        };
        let arn: Option<Arn> = text.parse().ok().filter(is_stream);
        let Some(arn) = arn else {
            return Err(invalid(format!("LogDestination: {text} is not the ARN of a delivery stream")));
        };
        let role = self.deliver_logs_permission_arn.as_deref();
        let role = role.map(|text| role_of(text, "DeliverLogsPermissionArn", Some(scope))).transpose()?;
        let other = self.deliver_cross_account_role.as_deref();
        let other = other.map(|text| role_of(text, "DeliverCrossAccountRole", None)).transpose()?;
        let elsewhere = arn.account != scope.account;
        if role.is_some() != other.is_some() || (elsewhere && role.is_none()) {
            return Err(invalid(
                "When providing a role for cross-account delivery, both the DeliverLogsPermissionArn and \
                 DeliverCrossAccountRole fields must be set.",
            ));
        }
        if let Some(other) = &other {
            let name = other.resource.rsplit('/').next().unwrap_or_default();
            if !name.starts_with(CROSS_ACCOUNT_ROLE) || other.account != arn.account {
                return Err(invalid(format!(
                    "DeliverCrossAccountRole: '{other}' must be a role of account {} whose name starts with \
                     {CROSS_ACCOUNT_ROLE}",
                    arn.account
                )));
            }
        }
        Ok(LogDestination::KinesisDataFirehose { arn, role, cross_account_role: other })
    }

    fn cloud_watch_logs(&self, scope: &Scope) -> Result<LogDestination> {
        let (log_group, arn) = match (self.log_group_name.as_deref(), self.log_destination.as_deref()) {
            (None, None) => {
                return Err(invalid("LogDestination can't be empty if LogGroupName is not provided."));
            }
            (Some(_), Some(_)) => {
                return Err(invalid("Please only provide LogGroupName or only provide LogDestination."));
            }
            (Some(name), None) => (name.to_owned(), None),
            (None, Some(arn)) => (log_group_of(arn, scope)?, Some(arn.to_owned())),
        };
        // Source: CloudWatch Logs API, CreateLogGroup, `logGroupName`.
        if !is_word(&log_group, 1..=512, b"_-/.#") {
            return Err(invalid(format!(
                "LogGroupName '{log_group}' is invalid: use 1 to 512 of the characters a-z, A-Z, 0-9, _ - / . #"
            )));
        }
        let role = self.deliver_logs_permission_arn.as_deref().ok_or_else(|| {
            invalid("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
        })?;
        let role = role_of(role, "DeliverLogsPermissionArn", Some(scope))?;
        let cross_account_role = self.deliver_cross_account_role.as_deref();
        let cross_account_role =
            cross_account_role.map(|arn| role_of(arn, "DeliverCrossAccountRole", None)).transpose()?;
        if self.destination_options.is_some() {
            return Err(only_for_s3());
        }
        Ok(LogDestination::CloudWatchLogs { log_group, arn, role, cross_account_role })
    }
}

fn options(given: &DestinationOptionsRequest) -> Result<DestinationOptions> {
    let file_format = match given.file_format.as_deref() {
        None => FileFormat::default(),
        Some("plain-text") => FileFormat::PlainText,
        Some("parquet") => FileFormat::Parquet,
        Some(other) => {
            let message = format!("Value ({other}) for parameter fileFormat is invalid.");
            return Err(invalid_value(message));
        }
    };
    Ok(DestinationOptions {
        file_format,
        hive_compatible_partitions: given.hive_compatible_partitions.unwrap_or(false),
        per_hour_partition: given.per_hour_partition.unwrap_or(false),
    })
}

fn only_for_s3() -> ControlError {
    invalid("DestinationOptions can only be provided if LogDestinationType is s3.")
}

/// Source: S3 user guide, "Bucket naming rules".
fn is_bucket(text: &str) -> bool {
    let ends = [text.bytes().next(), text.bytes().last()];
    let lower = text.bytes().all(|b| !b.is_ascii_uppercase());
    lower
        && is_word(text, 3..=63, b".-")
        && ends.iter().all(|end| end.is_some_and(|b| b.is_ascii_alphanumeric()))
}

fn is_word(text: &str, length: std::ops::RangeInclusive<usize>, punctuation: &[u8]) -> bool {
    length.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || punctuation.contains(&b))
}

/// The group that an ARN names: `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`,
/// with or without the `:*` that DescribeLogGroups shows.
fn log_group_of(text: &str, scope: &Scope) -> Result<String> {
    let arn: Option<Arn> = text.parse().ok().filter(|arn: &Arn| arn.service == "logs");
    let named = arn.as_ref().and_then(|arn| arn.resource.strip_prefix("log-group:"));
    let (Some(arn), Some(name)) = (&arn, named) else {
        return Err(invalid(format!("LogDestination: {text} is not the ARN of a log group")));
    };
    if arn.region != scope.region || arn.account != scope.account {
        return Err(invalid(format!(
            "LogDestination: {text} is not a log group of account {} in {}",
            scope.account, scope.region
        )));
    }
    Ok(name.strip_suffix(":*").unwrap_or(name).to_owned())
}

/// `owner`: the account that the role must be of.
fn role_of(text: &str, parameter: &str, owner: Option<&Scope>) -> Result<Arn> {
    let arn: Option<Arn> = text.parse().ok();
    let is_role = |arn: &Arn| {
        arn.service == "iam" && arn.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
    };
    let Some(arn) = arn.filter(is_role) else {
        return Err(invalid(format!("{parameter}: '{text}' is not the ARN of a role")));
    };
    match owner {
        Some(scope) if arn.account != scope.account => {
            Err(invalid(format!("{parameter}: '{text}' is not a role of account {}", scope.account)))
        }
        _ => Ok(arn),
    }
}
