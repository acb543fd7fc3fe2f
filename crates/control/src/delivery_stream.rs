//! Delivery streams of Firehose: creation, description, changes, tags.
//!
//! A destination is kept as the caller described it, by the name that
//! DescribeDeliveryStream gives it (`ExtendedS3DestinationDescription`); who
//! delivers reads it from there. A stream that is made again under an old name
//! is another one and has another [`DeliveryStream::key`].
//!
//! Source: Amazon Data Firehose API reference.

use crate::error::{ControlError, Result};
use crate::state::{Cx, Resource};
use crate::{random, region};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// Source: Firehose developer guide, "Amazon Data Firehose Quota", us-east-1.
pub const PER_REGION_LIMIT: usize = 5000;

/// The only destination of a stream.
pub const DESTINATION_ID: &str = "destinationId-000000000001";

/// Tags of a stream. Source: Firehose API, `TagDeliveryStream`.
pub const TAGS_LIMIT: usize = 50;

/// What a description of S3 has of one of extended S3.
const OF_S3: [&str; 8] = [
    "RoleARN",
    "BucketARN",
    "Prefix",
    "ErrorOutputPrefix",
    "BufferingHints",
    "CompressionFormat",
    "EncryptionConfiguration",
    "CloudWatchLoggingOptions",
];

/// A delivery stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryStream {
    pub name: String,
    pub arn: Arn,
    /// Names its buffer: never used again.
    pub key: String,
    /// `DirectPut`, ...
    pub kind: String,
    pub version: u64,
    pub created: UnixMillis,
    pub updated: UnixMillis,
    /// Descriptions by their names.
    pub destination: Map<String, Value>,
    /// `Source`, of streams that read from another one.
    pub source: Option<Value>,
    pub encryption: Option<Value>,
    /// In the order in which they were set.
    pub tags: Vec<(String, String)>,
}

impl Resource for DeliveryStream {
    const KIND: &'static str = "delivery-stream";
    fn id(&self) -> &str {
        &self.name
    }
}

/// What a new stream shall be.
#[derive(Debug, Clone)]
pub struct CreateDeliveryStream {
    pub name: String,
    pub kind: String,
    /// The word before `DestinationConfiguration`: `ExtendedS3`.
    pub destination: String,
    pub configuration: Value,
    pub source: Option<Value>,
    pub encryption: Option<Value>,
    pub tags: Vec<(String, String)>,
    pub limit: usize,
}

/// Makes a stream; it is active at once.
///
/// Errors: `ResourceInUseException`, `LimitExceededException`.
pub fn create(cx: Cx<'_>, request: &CreateDeliveryStream) -> Result<DeliveryStream> {
    region::ensure(cx)?;
    let CreateDeliveryStream { name, kind, .. } = request;
    if cx.tx.get::<DeliveryStream>(cx.scope, name)?.is_some() {
        let message = format!("Firehose {name} under accountId {} already exists", cx.scope.account);
        return Err(ControlError::fault("ResourceInUseException", message));
    }
    if cx.tx.list::<DeliveryStream>(cx.scope)?.len() >= request.limit {
        let message = format!(
            "You have already consumed your firehose quota of {} hoses. Delete or increase quota.",
            request.limit
        );
        return Err(ControlError::fault("LimitExceededException", message));
    }
    let mut destination = Map::new();
    describe(&mut destination, &request.destination, &request.configuration);
    let stream = DeliveryStream {
        name: name.clone(),
        arn: cx.scope.arn("firehose", format!("deliverystream/{name}")),
        key: format!("{:032x}", random::bits()?),
        kind: kind.clone(),
        version: 1,
        created: cx.now,
        updated: cx.now,
        destination,
        source: request.source.clone(),
        encryption: request.encryption.clone(),
        tags: request.tags.clone(),
    };
    cx.tx.put(cx.scope, &stream)?;
    Ok(stream)
}

/// Errors: `ResourceNotFoundException`.
pub fn find(cx: Cx<'_>, name: &str) -> Result<DeliveryStream> {
    cx.tx.get(cx.scope, name)?.ok_or_else(|| {
        let message = format!("Firehose {name} under account {} not found.", cx.scope.account);
        ControlError::fault("ResourceNotFoundException", message)
    })
}

/// Removes a stream; its key says which buffer goes with it.
///
/// Errors: `ResourceNotFoundException`.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<DeliveryStream> {
    let stream = find(cx, name)?;
    cx.tx.delete::<DeliveryStream>(cx.scope, name)?;
    Ok(stream)
}

/// Changes the destination; `kind` is the word before `DestinationUpdate`.
///
/// Errors: `ResourceNotFoundException`, `ConcurrentModificationException`,
/// `InvalidArgumentException`.
pub fn update(cx: Cx<'_>, name: &str, version: &str, id: &str, kind: &str, update: &Value) -> Result<()> {
    let Some(mut stream) = cx.tx.get::<DeliveryStream>(cx.scope, name)? else {
        let message = format!("Firehose {name} under accountId {} not found.", cx.scope.account);
        return Err(ControlError::fault("ResourceNotFoundException", message));
    };
    if stream.version.to_string() != version {
        let message = format!(
            "Cannot update firehose: {name} since the current version id: {} and specified version id: {version} do not match",
            stream.version
        );
        return Err(ControlError::fault("ConcurrentModificationException", message));
    }
    let invalid = |message: String| ControlError::fault("InvalidArgumentException", message);
    if id != DESTINATION_ID {
        return Err(invalid(format!("Destination Id {id} not found")));
    }
    let is_s3 = |kind: &str| kind == "S3" || kind == "ExtendedS3";
    let has = |kind: &str| stream.destination.contains_key(&description_of(kind));
    if !has(kind) && !(is_s3(kind) && (has("S3") || has("ExtendedS3"))) {
        let known =
            stream.destination.keys().find(|name| !is_s3(name.trim_end_matches("DestinationDescription")));
        let other = if is_s3(kind) {
            known.map_or(kind, |name| name.trim_end_matches("DestinationDescription"))
        } else {
            kind
        };
        return Err(invalid(format!(
            "Changing the destination type to or from {other} is not supported at this time."
        )));
    }
    describe(&mut stream.destination, kind, update);
    stream.version += 1;
    stream.updated = cx.now;
    cx.tx.put(cx.scope, &stream)
}

/// Sets what changes in encryption.
///
/// Errors: `ResourceNotFoundException`.
pub fn encrypt(cx: Cx<'_>, name: &str, encryption: Option<Value>) -> Result<()> {
    let mut stream = find(cx, name)?;
    stream.encryption = encryption;
    cx.tx.put(cx.scope, &stream)
}

/// Sets tags; those with the same keys are replaced.
///
/// Errors: `ResourceNotFoundException`, `LimitExceededException`.
pub fn tag(cx: Cx<'_>, name: &str, tags: &[(String, String)]) -> Result<()> {
    let mut stream = find(cx, name)?;
    for (key, value) in tags {
        match stream.tags.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => known.clone_from(value),
            None => stream.tags.push((key.clone(), value.clone())),
        }
    }
    if stream.tags.len() > TAGS_LIMIT {
        let message = format!("You have exceeded the limit of {TAGS_LIMIT} tags for {name}");
        return Err(ControlError::fault("LimitExceededException", message));
    }
    cx.tx.put(cx.scope, &stream)
}

/// Removes tags.
///
/// Errors: `ResourceNotFoundException`.
pub fn untag(cx: Cx<'_>, name: &str, keys: &[&str]) -> Result<()> {
    let mut stream = find(cx, name)?;
    stream.tags.retain(|(key, _)| !keys.contains(&key.as_str()));
    cx.tx.put(cx.scope, &stream)
}

fn description_of(kind: &str) -> String {
    format!("{kind}DestinationDescription")
}

/// Puts a configuration, or an update, into the descriptions.
fn describe(all: &mut Map<String, Value>, kind: &str, given: &Value) {
    let Some(given) = given.as_object() else { return };
    let (s3, extended) = (description_of("S3"), description_of("ExtendedS3"));
    let name = description_of(kind);
    // A stream to S3 may become one to extended S3, with what it has.
    let base = if name == extended && !all.contains_key(&name) { &s3 } else { &name };
    let mut described = all.get(base).and_then(Value::as_object).cloned().unwrap_or_default();
    for (member, value) in given {
        match member.as_str() {
            "S3Configuration" | "S3Update" => {
                let known = described.get("S3DestinationDescription").and_then(Value::as_object);
                let mut nested = known.cloned().unwrap_or_default();
                nested.extend(value.as_object().cloned().unwrap_or_default());
                described.insert("S3DestinationDescription".to_owned(), Value::Object(nested));
            }
            // Secrets are not shown; who delivers reads them apart.
            "S3BackupConfiguration" | "S3BackupUpdate" => {
                let known = described.get("S3BackupDescription").and_then(Value::as_object);
                let mut backup = known.cloned().unwrap_or_default();
                backup.extend(value.as_object().cloned().unwrap_or_default());
                described.insert("S3BackupDescription".to_owned(), Value::Object(backup));
            }
            "EndpointConfiguration" => {
                let mut endpoint = value.as_object().cloned().unwrap_or_default();
                if let Some(key) = endpoint.remove("AccessKey") {
                    described.insert(ACCESS_KEY.to_owned(), key);
                }
                described.insert(member.clone(), Value::Object(endpoint));
            }
            _ => {
                described.insert(member.clone(), value.clone());
            }
        }
    }
    if name == extended || (name == s3 && all.contains_key(&extended)) {
        let of_s3 = described.iter().filter(|(member, _)| OF_S3.contains(&member.as_str()));
        let of_s3: Map<String, Value> =
            of_s3.map(|(member, value)| (member.clone(), value.clone())).collect();
        if name == s3
            && let Some(whole) = all.get_mut(&extended).and_then(Value::as_object_mut)
        {
            whole.extend(of_s3.clone());
        }
        all.insert(s3.clone(), Value::Object(of_s3));
    }
    if name != s3 || !all.contains_key(&extended) {
        all.insert(name, Value::Object(described));
    }
}

/// Where the access key of an HTTP endpoint is kept, beside the description.
pub const ACCESS_KEY: &str = "weir:AccessKey";

/// A destination as DescribeDeliveryStream shows it.
pub fn shown(destination: &Map<String, Value>) -> Value {
    let mut shown = destination.clone();
    for description in shown.values_mut() {
        if let Some(members) = description.as_object_mut() {
            members.remove(ACCESS_KEY);
            // AWS names the user and never the password.
            members.remove("Password");
        }
    }
    shown.insert("DestinationId".to_owned(), json!(DESTINATION_ID));
    Value::Object(shown)
}
