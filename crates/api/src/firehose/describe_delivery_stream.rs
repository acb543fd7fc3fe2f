//! DescribeDeliveryStream: the stream and its destination.

use super::stream;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::delivery_stream::{self, DeliveryStream};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let name = stream::name(members)?;
    let stream = stream::permitted(call, "DescribeDeliveryStream", name)?;
    let mut stream = stream;
    if !call.services.settings.emulator {
        fill(&mut stream);
    }
    let mut shown = json!({
        "DeliveryStreamName": stream.name,
        "DeliveryStreamARN": stream.arn.to_string(),
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": stream.kind,
        "VersionId": stream.version.to_string(),
        "CreateTimestamp": stream.created.0 as f64 / 1000.0,
        "LastUpdateTimestamp": stream.updated.0 as f64 / 1000.0,
        "Destinations": [delivery_stream::shown(&stream.destination)],
        "HasMoreDestinations": false,
    });
    if let Some(source) = stream.source {
        shown["Source"] = source;
    }
    if let Some(encryption) = stream.encryption {
        shown["DeliveryStreamEncryptionConfiguration"] = encryption;
    }
    Ok(Some(json!({"DeliveryStreamDescription": shown})))
}

/// What AWS shows of members that nobody gave.
fn fill(stream: &mut DeliveryStream) {
    for (name, description) in &mut stream.destination {
        let own = ["S3DestinationDescription", "ExtendedS3DestinationDescription"].contains(&name.as_str());
        let Some(members) = description.as_object_mut() else { continue };
        let set = |members: &mut serde_json::Map<String, Value>, name: &str, value: Value| {
            members.entry(name.to_owned()).or_insert(value);
        };
        let of_s3 = [
            ("BufferingHints", json!({"SizeInMBs": 5, "IntervalInSeconds": 300})),
            ("CompressionFormat", json!("UNCOMPRESSED")),
            ("EncryptionConfiguration", json!({"NoEncryptionConfig": "NoEncryption"})),
            ("CloudWatchLoggingOptions", json!({"Enabled": false})),
        ];
        if own {
            of_s3.into_iter().for_each(|(name, value)| set(members, name, value));
            if name == "ExtendedS3DestinationDescription" {
                set(members, "S3BackupMode", json!("Disabled"));
            }
        } else if let Some(nested) =
            members.get_mut("S3DestinationDescription").and_then(Value::as_object_mut)
        {
            of_s3.into_iter().for_each(|(name, value)| set(nested, name, value));
        }
    }
}
