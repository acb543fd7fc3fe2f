//! An event as a document for OpenSearch: a flow-log record with typed fields,
//! any JSON message as it is, anything else as text.

use crate::envelope::Source;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use weir_flow::format::LogFormat;
use weir_flow::text::parse_line;
use weir_flow::value::Value as Field;
use weir_logs::SubscribedEvent;

/// The formats that a group's records may have, likeliest first.
#[derive(Debug, Clone)]
pub struct Documents {
    formats: Vec<LogFormat>,
}

impl Documents {
    /// `formats` of the flow logs that write to the group; the default one is
    /// always tried.
    pub fn new(mut formats: Vec<LogFormat>) -> Self {
        if !formats.contains(&LogFormat::default()) {
            formats.push(LogFormat::default());
        }
        Self { formats }
    }

    /// Fields by their column names (`srcaddr`, `bytes`, `log_status`); those that
    /// are `-` are left out.
    pub fn document(&self, source: &Source<'_>, event: &SubscribedEvent) -> Value {
        let mut document = self.fields(&event.message);
        for (name, value) in [
            ("@timestamp", json!(iso(event.timestamp.0))),
            ("@id", json!(event.id)),
            ("@message", json!(event.message)),
            ("@owner", json!(source.account)),
            ("@region", json!(source.region)),
            ("@log_group", json!(source.group)),
            ("@log_stream", json!(event.stream)),
        ] {
            document.insert(name.to_owned(), value);
        }
        Value::Object(document)
    }

    fn fields(&self, message: &str) -> Map<String, Value> {
        let line = message.trim_end_matches(['\r', '\n']);
        for format in &self.formats {
            let Ok(record) = parse_line(format, 1, line) else { continue };
            let fields = format.fields().iter().zip(&record.values);
            return fields
                .filter_map(|(field, value)| {
                    let value = match value {
                        Field::Null => return None,
                        Field::Int(number) => json!(number),
                        Field::Ip(address) => json!(address.to_string()),
                        Field::Text(text) => json!(text),
                    };
                    Some((field.column().to_owned(), value))
                })
                .collect();
        }
        match serde_json::from_str(message) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        }
    }
}

fn iso(millis: i64) -> String {
    let t = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
    let (hour, minute, second, milli) = (t.hour(), t.minute(), t.second(), t.millisecond());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_types::time::UnixMillis;

    #[test]
    fn records_have_typed_fields() {
        let custom = LogFormat::parse("${srcaddr} ${bytes}").unwrap();
        let documents = Documents::new(vec![custom]);
        let source = Source {
            account: "1",
            region: "r",
            group: "g",
            filter: "f",
            by_stream: true,
            system_fields: &[],
        };
        for (message, expected) in [
            (
                "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
                json!({"version": 2, "account_id": "123456789010", "interface_id": "eni-1235b8ca123456789",
                    "srcaddr": "172.31.16.139", "dstaddr": "172.31.16.21", "srcport": 20641, "dstport": 22,
                    "protocol": 6, "packets": 20, "bytes": 4249, "start": 1_418_530_010, "end": 1_418_530_070,
                    "action": "ACCEPT", "log_status": "OK"}),
            ),
            ("10.0.0.1 5", json!({"srcaddr": "10.0.0.1", "bytes": 5})),
            ("10.0.0.1 -", json!({"srcaddr": "10.0.0.1"})),
            ("{\"a\": {\"b\": 1}}", json!({"a": {"b": 1}})),
            ("some text", json!({})),
        ] {
            let event = SubscribedEvent {
                id: "7".into(),
                stream: "s".into(),
                timestamp: UnixMillis(1500),
                message: message.into(),
                sequence: 1,
            };
            let mut document = documents.document(&source, &event);
            let Value::Object(members) = &mut document else { panic!() };
            assert_eq!(members["@timestamp"], "1970-01-01T00:00:01.500Z");
            assert_eq!(members["@message"], message);
            members.retain(|name, _| !name.starts_with('@'));
            assert_eq!(document, expected, "{message}");
        }
    }
}
