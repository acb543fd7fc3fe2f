//! What is sent: AWS's JSON of one stream's events, gzip around it, or the lines
//! of OpenSearch's `_bulk`.
//!
//! Source: CloudWatch Logs user guide, "Real-time processing of log data with
//! subscriptions".

use crate::document::Documents;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;
use weir_logs::SubscribedEvent;
use weir_logs::pattern::Pattern;

/// Some events of one stream.
#[derive(Debug, Clone)]
pub struct Envelope {
    json: Value,
    /// Id and document of each event.
    documents: Vec<(String, Value)>,
    /// One for all of a stream, or another one each time.
    partition_key: String,
}

/// Of whom the events are.
pub struct Source<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub group: &'a str,
    pub filter: &'a str,
    pub by_stream: bool,
    /// `@aws.account` and `@aws.region`, where the filter asks for them.
    pub system_fields: &'a [String],
}

impl Envelope {
    /// `events` are of one stream and match the pattern.
    pub fn new(
        source: &Source<'_>,
        pattern: &Pattern,
        documents: &Documents,
        events: &[SubscribedEvent],
    ) -> Self {
        let stream = events.first().map(|event| event.stream.as_str()).unwrap_or_default();
        let shown = events.iter().map(|event| {
            let mut shown = json!({"id": event.id, "timestamp": event.timestamp.0, "message": event.message});
            let mut extracted = pattern.extract(&event.message).unwrap_or_default();
            extracted.extend(source.system_fields.iter().map(|field| {
                let value = if field == "@aws.account" { source.account } else { source.region };
                (field.clone(), value.to_owned())
            }));
            if !extracted.is_empty() {
                let fields = extracted
                    .into_iter()
                    .map(|(name, value)| (name.trim_start_matches('$').to_owned(), Value::from(value)));
                shown["extractedFields"] = Value::Object(fields.collect());
            }
            shown
        });
        let json = json!({
            "messageType": "DATA_MESSAGE",
            "owner": source.account,
            "logGroup": source.group,
            "logStream": stream,
            "subscriptionFilters": [source.filter],
            "logEvents": shown.collect::<Vec<_>>(),
        });
        let documents =
            events.iter().map(|event| (event.id.clone(), documents.document(source, event))).collect();
        let partition_key = match (source.by_stream, events.first()) {
            (false, Some(event)) => event.id.clone(),
            _ => stream.to_owned(),
        };
        Self { json, documents, partition_key }
    }

    /// What AWS sends to test a stream.
    pub fn control(kind: &str) -> Self {
        let what = if kind == "Kinesis" { "Kinesis stream" } else { "Firehose" };
        let text = format!("CWL CONTROL MESSAGE: Checking health of destination {what}.");
        let json = json!({
            "messageType": "CONTROL_MESSAGE",
            "owner": "CloudwatchLogs",
            "logGroup": "",
            "logStream": "",
            "subscriptionFilters": [],
            "logEvents": [{"id": "", "timestamp": 0, "message": text}],
        });
        Self { json, documents: Vec::new(), partition_key: "control".into() }
    }

    pub fn partition_key(&self) -> &str {
        // Kinesis takes 1 to 256 characters.
        let end = self.partition_key.char_indices().nth(256).map_or(self.partition_key.len(), |(at, _)| at);
        &self.partition_key[..end]
    }

    pub fn json(&self) -> &Value {
        &self.json
    }

    pub fn gzip(&self) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::new(6));
        // A Vec takes everything.
        let written = out.write_all(self.json.to_string().as_bytes()).and_then(|()| out.finish());
        written.unwrap_or_default()
    }

    /// Two lines an event; the event's id is the document's, so that one that is
    /// sent twice is there once.
    pub fn bulk(&self, index: &str) -> String {
        let mut out = String::new();
        for (id, document) in &self.documents {
            let head = json!({"index": {"_index": index, "_id": id}});
            out.push_str(&format!("{head}\n{document}\n"));
        }
        out
    }
}
