//! Which fields a message has.
//!
//! A message is a flow log record of a format that writes to the group, else
//! one of the default format, else JSON, else it has no fields of its own.
//! Fields of records have the names that AWS shows, such as `srcAddr`; those of
//! JSON are paths with dots, positions in lists being numbers.
//!
//! Source: CloudWatch Logs user guide, "Supported logs and discovered fields".

use super::value::number_text;
use serde_json::Value;
use std::borrow::Cow;

/// The most fields that are found in a JSON message.
pub const MAX_FIELDS: usize = 200;

const DEFAULT_NAMES: [&str; 14] = [
    "version",
    "accountId",
    "interfaceId",
    "srcAddr",
    "dstAddr",
    "srcPort",
    "dstPort",
    "protocol",
    "packets",
    "bytes",
    "startTime",
    "endTime",
    "action",
    "logStatus",
];

/// The fields of a flow log's format, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordFormat {
    names: Vec<String>,
}

impl Default for RecordFormat {
    fn default() -> Self {
        Self { names: DEFAULT_NAMES.map(str::to_owned).to_vec() }
    }
}

impl RecordFormat {
    /// Of a LogFormat such as `${interface-id} ${srcaddr}`.
    pub fn new(log_format: &str) -> Self {
        let name = |word: &str| {
            let word = word.strip_prefix("${").and_then(|word| word.strip_suffix('}')).unwrap_or(word);
            insights_name(word)
        };
        Self { names: log_format.split_whitespace().map(name).collect() }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a line can be a record: as many values as the format has
    /// fields, and those with few possible values have one of them.
    fn fits(&self, line: &str) -> bool {
        let mut values = line.split(' ');
        self.names.iter().all(|name| {
            values.next().is_some_and(|value| match check(name) {
                Some(check) => check(value),
                None => !value.is_empty(),
            })
        }) && values.next().is_none()
    }

    /// Which of the values of a record must be one of few, by their places. A
    /// line of as many tokens, with one blank between them, that passes is a record.
    pub fn checks(&self) -> impl Iterator<Item = (usize, fn(&str) -> bool)> {
        self.names.iter().enumerate().filter_map(|(place, name)| Some((place, check(name)?)))
    }
}

/// What a field's value must be.
fn check(name: &str) -> Option<fn(&str) -> bool> {
    match name {
        "logStatus" => Some(|value| matches!(value, "OK" | "NODATA" | "SKIPDATA")),
        "action" => Some(|value| matches!(value, "ACCEPT" | "REJECT" | "-")),
        "version" => {
            Some(|value| (1..=2).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit()))
        }
        _ => None,
    }
}

/// The name of a flow log field in Insights: `pkt-srcaddr` is `pktSrcAddr`.
pub fn insights_name(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    for (i, word) in field.split('-').enumerate() {
        let word = match word {
            "srcaddr" => "srcAddr",
            "dstaddr" => "dstAddr",
            "srcport" => "srcPort",
            "dstport" => "dstPort",
            "start" => "startTime",
            "end" => "endTime",
            other => other,
        };
        match (i, word.split_at_checked(1)) {
            (1.., Some((first, rest))) => {
                name.push_str(&first.to_ascii_uppercase());
                name.push_str(rest);
            }
            _ => name.push_str(word),
        }
    }
    name
}

/// Finds the fields of a group's messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Discovery {
    formats: Vec<RecordFormat>,
}

impl Discovery {
    /// With the formats of the flow logs that write to the group. The default
    /// one is always known.
    pub fn new(formats: impl IntoIterator<Item = RecordFormat>) -> Self {
        let mut all: Vec<RecordFormat> = Vec::new();
        for format in formats.into_iter().chain([RecordFormat::default()]) {
            if !all.contains(&format) {
                all.push(format);
            }
        }
        Self { formats: all }
    }

    /// The formats that are known, in the order in which they are tried.
    pub fn formats(&self) -> &[RecordFormat] {
        &self.formats
    }

    /// The format that a message is a record of.
    fn format(&self, message: &str) -> Option<&RecordFormat> {
        self.formats.iter().find(|format| format.fits(message))
    }

    /// All fields of a message with their values, in order.
    pub fn fields(&self, message: &str) -> Vec<(String, String)> {
        let line = message.trim_end_matches(['\r', '\n']);
        if let Some(format) = self.format(line) {
            return format.names.iter().cloned().zip(line.split(' ').map(str::to_owned)).collect();
        }
        let mut fields = Vec::new();
        if let Some(value) = json(message) {
            flatten(&value, &mut String::new(), &mut |name, value| {
                fields.push((name.to_owned(), value.into_owned()));
                fields.len() < MAX_FIELDS
            });
        }
        fields
    }

    /// The values of some fields. What knows the wanted names is kept from
    /// message to message in `wanted`.
    pub fn find<'m>(&self, message: &'m str, wanted: &mut Wanted, found: &mut [Option<Cow<'m, str>>]) {
        found.fill(None);
        if wanted.names.is_empty() {
            return;
        }
        let line = message.trim_end_matches(['\r', '\n']);
        let format = self.formats.iter().position(|format| format.fits(line));
        if let Some((number, format)) = format.and_then(|n| Some((n, self.formats.get(n)?))) {
            let places = wanted.places(number, format);
            for (value, place) in line.split(' ').zip(places) {
                if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
                    *slot = Some(Cow::Borrowed(value));
                }
            }
            return;
        }
        let Some(value) = json(message) else { return };
        let mut count = 0;
        flatten(&value, &mut String::new(), &mut |name, value| {
            if let Some(place) = wanted.names.iter().position(|wanted| wanted == name)
                && let Some(slot) = found.get_mut(place)
            {
                *slot = Some(Cow::Owned(value.into_owned()));
            }
            count += 1;
            count < MAX_FIELDS
        });
    }
}

/// Names to look for.
#[derive(Debug, Clone)]
pub struct Wanted {
    names: Vec<String>,
    /// For each format, by its number: where its values go.
    places: Vec<Option<Vec<Option<usize>>>>,
}

impl Wanted {
    pub fn new(names: Vec<String>) -> Self {
        Self { names, places: Vec::new() }
    }

    fn places(&mut self, number: usize, format: &RecordFormat) -> &[Option<usize>] {
        if self.places.len() <= number {
            self.places.resize(number + 1, None);
        }
        let names = &self.names;
        let place = |name: &String| names.iter().position(|wanted| wanted == name);
        match self.places.get_mut(number) {
            Some(places) => places.get_or_insert_with(|| format.names.iter().map(place).collect()),
            None => &[],
        }
    }
}

/// An object or a list that is the whole message.
fn json(message: &str) -> Option<Value> {
    let message = message.trim();
    if !message.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(message).ok()
}

/// Tells of every value that is neither object, list nor null, until told to stop.
fn flatten(value: &Value, path: &mut String, tell: &mut impl FnMut(&str, Cow<'_, str>) -> bool) -> bool {
    let mut step = |key: &str, value: &Value| {
        let length = path.len();
        if length > 0 {
            path.push('.');
        } else if key.starts_with('@') {
            // AWS: discovered names that begin so are shown with another one.
            path.push('@');
        }
        path.push_str(key);
        let goes_on = flatten(value, path, tell);
        path.truncate(length);
        goes_on
    };
    match value {
        Value::Object(map) => map.iter().all(|(key, value)| step(key, value)),
        Value::Array(list) => list.iter().enumerate().all(|(i, value)| step(&i.to_string(), value)),
        Value::Null => true,
        scalar => match (path.is_empty(), json_text(scalar)) {
            (false, Some(text)) => tell(path, text),
            _ => true,
        },
    }
}

/// A JSON value as a text: booleans are 1 and 0, objects and lists JSON.
pub fn json_text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(true) => "1".into(),
        Value::Bool(false) => "0".into(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(n) => number_text(n)?.into(),
            None => number.to_string().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(_) | Value::Object(_) => value.to_string().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "2 123456789012 eni-1 10.0.0.1 10.0.0.2 443 40000 6 10 840 1620000000 1620000060 ACCEPT OK";

    fn find(discovery: &Discovery, message: &str, names: &[&str]) -> Vec<Option<String>> {
        let mut wanted = Wanted::new(names.iter().map(|name| (*name).to_owned()).collect());
        let mut found = vec![None; names.len()];
        discovery.find(message, &mut wanted, &mut found);
        // What `fields` says is the same, field by field.
        let all = discovery.fields(message);
        for (name, value) in names.iter().zip(&found) {
            let other = all.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            assert_eq!(value.as_deref(), other, "{name} of {message}");
        }
        found.into_iter().map(|value| value.map(Cow::into_owned)).collect()
    }

    #[test]
    fn records() {
        let plain = Discovery::new([]);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            find(&plain, LINE, &["dstAddr", "bytes", "startTime", "nothing"]),
            [some("10.0.0.2"), some("840"), some("1620000000"), None]
        );
        assert_eq!(find(&plain, &format!("{LINE}\n"), &["logStatus"]), [some("OK")]);
        let none = "2 1 eni-1 - - - - - - - 1620000000 1620000060 - NODATA";
        assert_eq!(find(&plain, none, &["srcAddr", "action"]), [some("-"), some("-")]);
        for other in ["", "a b", &LINE.replace("OK", "FINE"), &LINE.replace(' ', "  "), &format!("{LINE} x")]
        {
            assert_eq!(find(&plain, other, &["srcAddr"]), [None], "{other}");
        }
        let custom =
            Discovery::new([RecordFormat::new("${pkt-srcaddr} ${flow-direction} ${bytes} ${vpc-id}")]);
        assert_eq!(
            find(&custom, "10.1.1.1 ingress 12 vpc-1", &["pktSrcAddr", "flowDirection", "vpcId"]),
            [some("10.1.1.1"), some("ingress"), some("vpc-1")]
        );
        assert_eq!(find(&custom, LINE, &["srcAddr"]), [some("10.0.0.1")]);
    }

    #[test]
    fn documents() {
        let plain = Discovery::new([]);
        let message =
            r#" {"a": {"b": [{"c": 1.50}, true, null]}, "@x": "y", "n": 1e3, "s": "é\n", "o": {}} "#;
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            find(&plain, message, &["a.b.0.c", "a.b.1", "a.b.2", "@@x", "n", "s", "o", "a"]),
            [some("1.5"), some("1"), None, some("y"), some("1000"), some("é\n"), None, None]
        );
        let many: Vec<String> = (0..300).map(|i| format!("\"k{i:03}\": {i}")).collect();
        let many = format!("{{{}}}", many.join(","));
        assert_eq!(find(&plain, &many, &["k199", "k200"]), [some("199"), None]);
        assert_eq!(find(&plain, "{\"a\":1} tail", &["a"]), [None]);
    }

    #[test]
    fn names() {
        for (field, name) in [
            ("srcaddr", "srcAddr"),
            ("pkt-dstaddr", "pktDstAddr"),
            ("vpc-id", "vpcId"),
            ("tcp-flags", "tcpFlags"),
            ("start", "startTime"),
            ("log-status", "logStatus"),
            ("pkt-src-aws-service", "pktSrcAwsService"),
            ("", ""),
            ("-", ""),
        ] {
            assert_eq!(insights_name(field), name);
        }
        let log_format = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";
        assert_eq!(RecordFormat::new(log_format), RecordFormat::default());
    }
}
