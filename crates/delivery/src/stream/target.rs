//! Where a stream delivers, read from the descriptions that the control plane
//! keeps, and what is done to its records before.

use super::buffer::Record;
use flate2::read::GzDecoder;
use serde_json::{Map, Value};
use std::io::Read;
use weir_types::arn::Arn;

/// A stream, as whoever delivers it must know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Names the buffer.
    pub key: String,
    pub name: String,
    pub arn: Arn,
    pub version: u64,
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    S3(S3Target),
    Http(HttpTarget),
}

/// Objects in a bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct S3Target {
    pub role: Option<Arn>,
    pub bucket: String,
    pub prefix: String,
    pub error_prefix: String,
    pub gzip: bool,
    pub extension: Option<String>,
    /// `AWSKMSKeyARN`
    pub kms_key: Option<String>,
    pub hints: Hints,
    pub processing: Processing,
    /// Gets the records as they came.
    pub source_backup: Option<Box<S3Target>>,
    /// Tells its keys from those of the stream's other bucket, which may be the same.
    pub seed: &'static str,
}

/// Requests to a URL; what fails goes to a bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpTarget {
    pub url: String,
    pub access_key: Option<String>,
    pub gzip: bool,
    /// `CommonAttributes`, names and values.
    pub attributes: Map<String, Value>,
    pub retry_ms: i64,
    pub hints: Hints,
    pub processing: Processing,
    pub backup: S3Target,
    /// All records go to the bucket too.
    pub backs_up_all: bool,
}

/// When a buffer is delivered: when either is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    pub bytes: u64,
    pub ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Processing {
    /// Put after each record.
    pub delimiter: Option<String>,
    /// Records are gunzipped.
    pub decompress: bool,
    /// Of records that subscriptions of log groups make only the messages.
    pub messages: bool,
}

impl Target {
    /// From descriptions by their names; `None` if nothing can be delivered there.
    pub fn of(descriptions: &Map<String, Value>) -> Option<Self> {
        if let Some(http) = descriptions.get("HttpEndpointDestinationDescription") {
            return http_target(http).map(Self::Http);
        }
        let s3 = ["ExtendedS3DestinationDescription", "S3DestinationDescription"];
        let s3 = s3.iter().find_map(|name| descriptions.get(*name))?;
        s3_target(s3).map(Self::S3)
    }

    pub fn hints(&self) -> Hints {
        match self {
            Self::S3(s3) => s3.hints,
            Self::Http(http) => http.hints,
        }
    }

    pub fn processing(&self) -> &Processing {
        match self {
            Self::S3(s3) => &s3.processing,
            Self::Http(http) => &http.processing,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Source: Firehose API, `BufferingHints`: 5 MB, 300 s.
fn hints(value: &Value) -> Hints {
    let number = |name: &str, default| value[name].as_i64().unwrap_or(default);
    Hints {
        bytes: u64::try_from(number("SizeInMBs", 5)).unwrap_or(5) << 20,
        ms: number("IntervalInSeconds", 300).saturating_mul(1000),
    }
}

fn s3_target(value: &Value) -> Option<S3Target> {
    let mut target = one_bucket(value, "")?;
    if value["S3BackupMode"] == "Enabled" {
        target.source_backup = one_bucket(&value["S3BackupDescription"], " source").map(Box::new);
    }
    Some(target)
}

fn one_bucket(value: &Value, seed: &'static str) -> Option<S3Target> {
    // An emulator's callers forget a colon.
    let bucket = value["BucketARN"].as_str()?.rsplit(':').next()?.to_owned();
    Some(S3Target {
        role: value["RoleARN"].as_str().and_then(|role| role.parse().ok()),
        bucket,
        prefix: text(&value["Prefix"]),
        error_prefix: text(&value["ErrorOutputPrefix"]),
        gzip: value["CompressionFormat"] == "GZIP",
        extension: value["FileExtension"].as_str().filter(|text| !text.is_empty()).map(str::to_owned),
        kms_key: value["EncryptionConfiguration"]["KMSEncryptionConfig"]["AWSKMSKeyARN"]
            .as_str()
            .map(str::to_owned),
        hints: hints(&value["BufferingHints"]),
        processing: processing(&value["ProcessingConfiguration"]),
        source_backup: None,
        seed,
    })
}

fn http_target(value: &Value) -> Option<HttpTarget> {
    let request = &value["RequestConfiguration"];
    let attributes = request["CommonAttributes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let attributes = attributes
        .iter()
        .filter_map(|one| Some((one["AttributeName"].as_str()?.to_owned(), one["AttributeValue"].clone())));
    Some(HttpTarget {
        url: value["EndpointConfiguration"]["Url"].as_str()?.to_owned(),
        access_key: value["weir:AccessKey"].as_str().map(str::to_owned),
        gzip: request["ContentEncoding"] == "GZIP",
        attributes: attributes.collect(),
        retry_ms: value["RetryOptions"]["DurationInSeconds"].as_i64().unwrap_or(300).saturating_mul(1000),
        hints: hints(&value["BufferingHints"]),
        processing: processing(&value["ProcessingConfiguration"]),
        backup: s3_target(&value["S3DestinationDescription"])?,
        backs_up_all: value["S3BackupMode"] == "AllData",
    })
}

fn processing(value: &Value) -> Processing {
    let mut found = Processing::default();
    if value["Enabled"] != Value::Bool(true) {
        return found;
    }
    for processor in value["Processors"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let parameters = processor["Parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let parameter = |name: &str| {
            let found = parameters.iter().find(|one| one["ParameterName"] == *name);
            found.and_then(|one| one["ParameterValue"].as_str())
        };
        match processor["Type"].as_str() {
            Some("AppendDelimiterToRecord") => {
                found.delimiter = Some(parameter("Delimiter").unwrap_or("\\n").replace("\\n", "\n"));
            }
            Some("Decompression") => found.decompress = true,
            Some("CloudWatchLogProcessing") => {
                found.messages =
                    parameter("DataMessageExtraction").is_some_and(|v| v.eq_ignore_ascii_case("true"));
            }
            _ => {}
        }
    }
    found
}

impl Processing {
    /// The records as they are delivered. One that cannot be processed is
    /// delivered as it came.
    pub(super) fn apply(&self, records: Vec<Record>) -> Vec<Record> {
        records.into_iter().filter_map(|record| self.apply_one(record)).collect()
    }

    fn apply_one(&self, mut record: Record) -> Option<Record> {
        if self.decompress && record.data.starts_with(&[0x1f, 0x8b]) {
            let mut data = Vec::new();
            // A record is small, what is in it may not be.
            let read = GzDecoder::new(record.data.as_slice()).take(64 << 20).read_to_end(&mut data);
            if read.is_ok() {
                record.data = data;
            }
        }
        if self.messages
            && let Ok(envelope) = serde_json::from_slice::<Value>(&record.data)
        {
            if envelope["messageType"] == "CONTROL_MESSAGE" {
                return None;
            }
            if let Some(events) = envelope["logEvents"].as_array() {
                let messages = events.iter().filter_map(|event| event["message"].as_str());
                record.data = messages.map(|message| format!("{message}\n")).collect::<String>().into_bytes();
            }
        }
        if let Some(delimiter) = &self.delimiter {
            record.data.extend_from_slice(delimiter.as_bytes());
        }
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::Write;

    #[test]
    fn targets_are_read_from_their_descriptions() {
        let of = |value: Value| Target::of(value.as_object().unwrap());
        assert_eq!(of(json!({"RedshiftDestinationDescription": {}})), None);
        let Some(Target::S3(s3)) = of(json!({
            "S3DestinationDescription": {"BucketARN": "arn:aws:s3:::old"},
            "ExtendedS3DestinationDescription": {"BucketARN": "arn:aws:s3:::b", "CompressionFormat": "GZIP",
                "RoleARN": "arn:aws:iam::123456789012:role/r", "FileExtension": ".jsonl",
                "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": "key"}},
                "S3BackupMode": "Enabled", "S3BackupDescription": {"BucketARN": "arn:aws:s3:::raw"},
                "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}},
        })) else {
            panic!()
        };
        assert_eq!(
            (s3.bucket.as_str(), s3.gzip, s3.hints),
            ("b", true, Hints { bytes: 1 << 20, ms: 60_000 })
        );
        let backup = s3.source_backup.unwrap();
        assert_eq!((s3.kms_key.as_deref(), backup.bucket.as_str()), (Some("key"), "raw"));
        assert!(backup.kms_key.is_none() && backup.seed != s3.seed);
        let Some(Target::Http(http)) = of(json!({"HttpEndpointDestinationDescription": {
            "EndpointConfiguration": {"Url": "http://x"}, "weir:AccessKey": "k",
            "RequestConfiguration": {"ContentEncoding": "GZIP", "CommonAttributes": [{"AttributeName": "a", "AttributeValue": "b"}]},
            "S3DestinationDescription": {"BucketARN": "arn:aws:s3:::b"}, "S3BackupMode": "AllData",
        }})) else {
            panic!()
        };
        assert_eq!((http.gzip, http.backs_up_all, http.retry_ms), (true, true, 300_000));
        assert_eq!((http.access_key.as_deref(), http.attributes["a"].as_str()), (Some("k"), Some("b")));
    }

    #[test]
    fn records_are_unpacked_and_ended() {
        let gzip = |text: &str| {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(text.as_bytes()).unwrap();
            out.finish().unwrap()
        };
        let all = Processing { delimiter: Some(";".into()), decompress: true, messages: true };
        let events = r#"{"messageType":"DATA_MESSAGE","logEvents":[{"message":"a"},{"message":"b"}]}"#;
        for (processing, data, expected) in [
            (Processing::default(), b"x".to_vec(), Some("x")),
            (all.clone(), gzip(events), Some("a\nb\n;")),
            (all.clone(), gzip(r#"{"messageType":"CONTROL_MESSAGE"}"#), None),
            (all, b"plain".to_vec(), Some("plain;")),
        ] {
            let found = processing.apply(vec![Record { arrived_ms: 0, data }]);
            let found = found.first().map(|record| String::from_utf8(record.data.clone()).unwrap());
            assert_eq!(found.as_deref(), expected);
        }
    }
}
