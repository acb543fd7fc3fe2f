//! Where a stream delivers: which configuration a request has, and whether it
//! can be delivered to here.
//!
//! Delivered to are S3, extended S3 and HTTP endpoints. An emulator takes and
//! shows every other type, and drops its records.

use super::stream::invalid;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::delivery_stream;
use weir_types::arn::Arn;

/// The words before `DestinationConfiguration` and `DestinationUpdate`.
const KINDS: [&str; 11] = [
    "ExtendedS3",
    "S3",
    "HttpEndpoint",
    "Redshift",
    "Elasticsearch",
    "Amazonopensearchservice",
    "AmazonOpenSearchServerless",
    "Splunk",
    "Snowflake",
    "Iceberg",
    "Database",
];

const COMPRESSIONS: [&str; 5] = ["UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"];

/// The one destination of a request; `ending` is `Configuration` or `Update`.
///
/// Errors: `InvalidArgumentException`.
pub fn only<'a>(members: Members<'a>, ending: &str) -> Result<(&'static str, &'a Value), ApiError> {
    let given: Vec<(&'static str, &Value)> = members
        .entries()
        .filter(|(_, value)| !value.is_null())
        .filter_map(|(name, value)| {
            let kind = name.strip_suffix(ending)?.strip_suffix("Destination")?;
            Some((*KINDS.iter().find(|known| **known == kind)?, value))
        })
        .collect();
    match given.as_slice() {
        [one] => Ok(*one),
        _ => Err(invalid("Exactly one destination configuration is supported for a Firehose")),
    }
}

/// What an update changes: the description that is there.
///
/// Errors: those of the state.
pub fn described(call: &Call<'_>, name: &str, kind: &str) -> Result<Value, ApiError> {
    let stream = call.transact(|cx| delivery_stream::find(cx, name))?;
    // A stream to S3 may become one to extended S3.
    let names = [format!("{kind}DestinationDescription"), "S3DestinationDescription".to_owned()];
    Ok(names.iter().find_map(|name| stream.destination.get(name)).cloned().unwrap_or_default())
}

/// Checks a configuration, or an update of what is `before` (null for a new
/// stream). An emulator takes anything.
///
/// Errors: `InvalidArgumentException`, `AccessDeniedException` for a role that
/// the caller may not pass.
pub fn check(call: &Call<'_>, kind: &str, given: &Value, before: &Value) -> Result<(), ApiError> {
    let is_new = before.is_null();
    let is_emulator = call.services.settings.emulator;
    let s3 = match kind {
        "S3" | "ExtendedS3" => Some(given),
        "HttpEndpoint" => given.get("S3Configuration").or_else(|| given.get("S3Update")),
        other if is_emulator => {
            tracing::debug!(other, "records of this destination are dropped");
            None
        }
        other => {
            return Err(invalid(format!("{other} destinations are not supported by this version of Weir")));
        }
    };
    if is_emulator {
        return Ok(());
    }
    match s3 {
        Some(s3) if kind == "HttpEndpoint" => check_s3(call, s3, &before["S3DestinationDescription"])?,
        Some(s3) => check_s3(call, s3, before)?,
        None if is_new => return Err(invalid("S3Configuration is required")),
        None => {}
    }
    if kind == "HttpEndpoint" {
        let url = given["EndpointConfiguration"]["Url"].as_str();
        if is_new && url.is_none() {
            return Err(invalid("EndpointConfiguration with a Url is required"));
        }
        if url.is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            return Err(invalid("Url must begin with https:// or http://"));
        }
        hints(&given["BufferingHints"], 64)?;
    }
    processors(&given["ProcessingConfiguration"])?;
    for (member, what) in [
        ("DynamicPartitioningConfiguration", "Dynamic partitioning"),
        ("DataFormatConversionConfiguration", "Conversion of the data format"),
    ] {
        if given[member]["Enabled"] == Value::Bool(true) {
            return Err(invalid(format!("{what} is not supported by this version of Weir")));
        }
    }
    Ok(())
}

/// The bucket that gets an extended S3 stream's records as they came.
fn check_backup(call: &Call<'_>, given: &Value, before: &Value) -> Result<(), ApiError> {
    let known = &before["S3BackupDescription"];
    let backup = ["S3BackupConfiguration", "S3BackupUpdate"].iter().find_map(|name| given.get(*name));
    match backup {
        Some(backup) => check_s3(call, backup, known),
        None if given["S3BackupMode"] == "Enabled" && known.is_null() => {
            Err(invalid("S3BackupConfiguration is required when S3BackupMode is Enabled"))
        }
        None => Ok(()),
    }
}

/// What the caller's update leaves as it is, or what it sets.
fn resulting<'a>(given: &'a Value, before: &'a Value, name: &str) -> &'a str {
    given[name].as_str().or_else(|| before[name].as_str()).unwrap_or_default()
}

fn check_s3(call: &Call<'_>, given: &Value, before: &Value) -> Result<(), ApiError> {
    let is_new = before.is_null();
    let text = |name: &str| given[name].as_str();
    for (name, service) in [("RoleARN", "iam"), ("BucketARN", "s3")] {
        match text(name) {
            None if is_new => return Err(invalid(format!("{name} is required"))),
            None => {}
            Some(arn) if !arn.parse::<Arn>().is_ok_and(|arn| arn.service == service) => {
                return Err(invalid(format!(
                    "{name} '{arn}' is not the ARN of a {}",
                    if service == "s3" { "bucket" } else { "role" }
                )));
            }
            Some(_) => {}
        }
    }
    if let Some(role) = text("RoleARN") {
        call.pass_role(role, "firehose.amazonaws.com")?;
        if !call.role_exists(role)? {
            return Err(invalid(format!(
                "Firehose is unable to assume role {role}. Please check the role provided."
            )));
        }
    }
    hints(&given["BufferingHints"], 128)?;
    match text("CompressionFormat") {
        None | Some("UNCOMPRESSED" | "GZIP") => {}
        Some(known) if COMPRESSIONS.contains(&known) => {
            return Err(invalid(format!(
                "CompressionFormat {known} is not supported by this version of Weir"
            )));
        }
        Some(other) => return Err(invalid(format!("CompressionFormat '{other}' is invalid"))),
    }
    match text("CustomTimeZone") {
        None | Some("UTC") => {}
        Some(other) => {
            return Err(invalid(format!(
                "CustomTimeZone {other} is not supported by this version of Weir: timestamps are in UTC"
            )));
        }
    }
    let encryption = &given["EncryptionConfiguration"]["KMSEncryptionConfig"];
    if !encryption.is_null() && encryption["AWSKMSKeyARN"].as_str().is_none() {
        return Err(invalid("KMSEncryptionConfig needs an AWSKMSKeyARN"));
    }
    check_backup(call, given, before)?;
    prefixes(resulting(given, before, "Prefix"), resulting(given, before, "ErrorOutputPrefix"))
}

/// Source: Firehose developer guide, "Understand custom prefixes for Amazon S3 objects".
fn prefixes(prefix: &str, error: &str) -> Result<(), ApiError> {
    for (name, text) in [("Prefix", prefix), ("ErrorOutputPrefix", error)] {
        for expression in text.split("!{").skip(1) {
            let Some((inside, _)) = expression.split_once('}') else {
                return Err(invalid(format!("{name}: an expression without an end: !{{{expression}")));
            };
            let is_right = match inside.split_once(':') {
                Some(("timestamp", pattern)) => !pattern.is_empty(),
                Some(("firehose", "random-string")) => true,
                Some(("firehose", "error-output-type")) => name == "ErrorOutputPrefix",
                _ => false,
            };
            if !is_right {
                return Err(invalid(format!(
                    "{name}: !{{{inside}}} is not an expression that can be used here"
                )));
            }
        }
    }
    if prefix.contains("!{") && !error.contains("!{firehose:error-output-type}") {
        return Err(invalid(
            "ErrorOutputPrefix with !{firehose:error-output-type} is required when Prefix has expressions",
        ));
    }
    Ok(())
}

fn hints(hints: &Value, largest_mb: i64) -> Result<(), ApiError> {
    let (size, interval) = (hints["SizeInMBs"].as_i64(), hints["IntervalInSeconds"].as_i64());
    if size.is_some() != interval.is_some() {
        return Err(invalid("BufferingHints need both SizeInMBs and IntervalInSeconds"));
    }
    if size.is_some_and(|size| !(1..=largest_mb).contains(&size)) {
        return Err(invalid(format!("SizeInMBs must be from 1 to {largest_mb}")));
    }
    if interval.is_some_and(|interval| !(0..=900).contains(&interval)) {
        return Err(invalid("IntervalInSeconds must be from 0 to 900"));
    }
    Ok(())
}

fn processors(processing: &Value) -> Result<(), ApiError> {
    if processing["Enabled"] != Value::Bool(true) {
        return Ok(());
    }
    let known = ["AppendDelimiterToRecord", "Decompression", "CloudWatchLogProcessing"];
    let all = processing["Processors"].as_array().map(Vec::as_slice).unwrap_or_default();
    match all.iter().find_map(|one| one["Type"].as_str().filter(|kind| !known.contains(kind))) {
        Some(kind) => Err(invalid(format!("The processor {kind} is not supported by this version of Weir"))),
        None => Ok(()),
    }
}
