//! The three wire formats: which one a request has, its members as JSON
//! values, and answers and errors in the same format.
//!
//! | | action | members | instants |
//! |---|---|---|---|
//! | RPC v2 | path `/service/…/operation/NAME` | CBOR | tag 1, seconds |
//! | JSON 1.0 | `X-Amz-Target: ….NAME` | JSON | seconds |
//! | query | `Action=NAME` | `A.member.1.B=…` | ISO 8601 |

use super::{ACTIONS, NAMESPACE, TARGET, cbor, input::Input};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::{stamp, xml::Xml};
use crate::service::Answer;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use std::io::Read;
use weir_types::time::UnixMillis;

/// Members of answers that are instants, in seconds, or lists of them.
pub const INSTANTS: [&str; 5] = [
    "AlarmConfigurationUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "Timestamp",
    "Timestamps",
];

/// The largest body once it is unpacked, bytes. Source: PutMetricData: 1 MB.
const UNPACKED: u64 = 4 << 20;

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Cbor,
    Json,
    Query,
}

impl Wire {
    /// By the headers alone.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if text("smithy-protocol") == "rpc-v2-cbor" || text("content-type").starts_with("application/cbor") {
            return Self::Cbor;
        }
        if headers.contains_key("x-amz-target") { Self::Json } else { Self::Query }
    }

    /// The action that a path of RPC v2 names.
    pub fn action(path: &str) -> Option<&str> {
        path.strip_prefix("/service/")?.strip_prefix(TARGET)?.strip_prefix("/operation/")
    }

    /// Runs the action and renders its answer.
    pub fn run(
        self,
        call: &Call<'_>,
        action: &str,
        params: &Params,
        (headers, body): (&HeaderMap, &[u8]),
    ) -> Result<Answer, ApiError> {
        let members = match self {
            Self::Cbor => object(cbor::read(&unpacked(headers, body)?).unwrap_or_else(|| json!({})))?,
            Self::Json => object(serde_json::from_slice(&unpacked(headers, body)?).map_err(malformed)?)?,
            Self::Query => {
                params.check_members()?;
                tree(params)
            }
        };
        let found = ACTIONS.iter().find(|known| known.name == action).ok_or_else(|| match action {
            "" => ApiError::new("MissingAction", "The request is missing an action or a required parameter"),
            _ => ApiError::new(
                "InvalidAction",
                format!("Could not find operation {action} for version 2010-08-01"),
            ),
        })?;
        let answer = (found.run)(call, Input::new(&members))?;
        Ok(self.success(action, answer, &call.request_id))
    }

    fn success(self, action: &str, answer: Option<Value>, request_id: &str) -> Answer {
        let value = || answer.clone().unwrap_or_else(|| json!({}));
        let body = match self {
            Self::Cbor => cbor::write(&value()),
            Self::Json => value().to_string().into_bytes(),
            Self::Query => {
                let mut xml = Xml::new();
                if let Some(Value::Object(members)) = &answer {
                    xml.element(&format!("{action}Result"), |result| structure(result, members));
                }
                xml.element("ResponseMetadata", |meta| {
                    meta.text("RequestId", request_id);
                });
                Xml::document(&format!("{action}Response"), Some(NAMESPACE), &xml).into_bytes()
            }
        };
        self.answer(StatusCode::OK, body)
    }

    fn answer(self, status: StatusCode, body: Vec<u8>) -> Answer {
        let (content_type, headers) = match self {
            Self::Cbor => ("application/cbor", vec![("smithy-protocol", "rpc-v2-cbor".to_owned())]),
            Self::Json => ("application/x-amz-json-1.0", Vec::new()),
            Self::Query => ("text/xml;charset=UTF-8", Vec::new()),
        };
        Answer { status, content_type, body, error_type: None, headers, stream: None }
    }

    /// An error; the newer formats name the shape, and the code of the query
    /// protocol in a header.
    pub fn failure(self, error: &ApiError, request_id: &str) -> Answer {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = if error.status >= 500 { "Receiver" } else { "Sender" };
        let shape = shape(&error.code);
        let body = json!({"__type": shape, "message": error.message});
        let mut answer = match self {
            Self::Cbor => self.answer(status, cbor::write(&body)),
            Self::Json => self.answer(status, body.to_string().into_bytes()),
            Self::Query => {
                let mut xml = Xml::new();
                xml.element("Error", |e| {
                    e.text("Type", kind).text("Code", &error.code).text("Message", &error.message);
                })
                .text("RequestId", request_id);
                let body = Xml::document("ErrorResponse", Some(NAMESPACE), &xml);
                return self.answer(status, body.into_bytes());
            }
        };
        answer.error_type = Some(shape.to_owned());
        answer.headers.push(("x-amzn-query-error", format!("{};{kind}", error.code)));
        answer
    }
}

/// The exception's name in the model, by its code in the query protocol.
fn shape(code: &str) -> &str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "ValidationError" => "ValidationException",
        "LimitExceeded" => "LimitExceededFault",
        "InvalidFormat" => "InvalidFormatFault",
        "InternalServiceError" => "InternalServiceFault",
        other => other,
    }
}

fn malformed(_: impl std::fmt::Display) -> ApiError {
    ApiError::new("SerializationException", "The body is not in the form of its protocol")
}

fn object(value: Value) -> Result<Map<String, Value>, ApiError> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(malformed("")),
    }
}

/// SDKs compress large bodies of PutMetricData.
fn unpacked(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let is_packed = headers.get("content-encoding").is_some_and(|value| value.as_bytes() == b"gzip");
    if !is_packed {
        return Ok(if body.is_empty() { b"{}".to_vec() } else { body.to_vec() });
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(body).take(UNPACKED + 1).read_to_end(&mut out).map_err(malformed)?;
    if out.len() as u64 > UNPACKED {
        let message = format!("The unpacked body is larger than {UNPACKED} bytes");
        return Err(ApiError::new("RequestEntityTooLarge", message).with_status(413));
    }
    Ok(out)
}

/// The parameters of the query protocol as the tree that they mean; every leaf
/// is a text.
fn tree(params: &Params) -> Map<String, Value> {
    let mut root = Map::new();
    for name in params.names() {
        let Some(value) = params.raw(name) else { continue };
        let mut steps = name.split('.').filter(|step| *step != "member");
        let Some(first) = steps.next() else { continue };
        let mut at = root.entry(first).or_insert(Value::Null);
        for step in steps {
            if !at.is_object() {
                *at = json!({});
            }
            let Value::Object(members) = at else { break };
            at = members.entry(step).or_insert(Value::Null);
        }
        if at.is_null() && !value.is_empty() {
            *at = json!(value);
        }
    }
    root.into_iter().map(|(name, value)| (name, lists(value))).collect()
}

/// Objects whose names are all numbers are lists, in the order of these.
fn lists(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let numbers: Option<Vec<u64>> = members.keys().map(|name| name.parse().ok()).collect();
    match numbers {
        Some(numbers) if !numbers.is_empty() => {
            let mut items: Vec<(u64, Value)> =
                numbers.into_iter().zip(members.into_iter().map(|(_, value)| lists(value))).collect();
            items.sort_by_key(|(number, _)| *number);
            Value::Array(items.into_iter().map(|(_, value)| value).collect())
        }
        _ => Value::Object(members.into_iter().map(|(name, value)| (name, lists(value))).collect()),
    }
}

fn structure(xml: &mut Xml, members: &Map<String, Value>) {
    for (name, value) in members {
        element(xml, name, name, value);
    }
}

/// `of` is the member that says what the value is, also for the items of a list.
fn element(xml: &mut Xml, name: &str, of: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(truth) => _ = xml.text(name, truth),
        Value::String(text) => _ = xml.text(name, text),
        Value::Number(number) if INSTANTS.contains(&of) => {
            let millis = number.as_f64().unwrap_or_default() * 1000.0;
            xml.text(name, stamp::iso_millis(UnixMillis(millis.round() as i64)));
        }
        Value::Number(number) => _ = xml.text(name, number),
        Value::Array(items) => {
            xml.element(name, |list| items.iter().for_each(|item| element(list, "member", of, item)));
        }
        Value::Object(members) if of == "ExtendedStatistics" => {
            xml.element(name, |map| {
                for (key, value) in members {
                    map.element("entry", |entry| {
                        entry.text("key", key);
                        element(entry, "value", "", value);
                    });
                }
            });
        }
        Value::Object(members) => _ = xml.element(name, |inside| structure(inside, members)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_become_trees() {
        let form = "Action=X&D.member.2.Name=b&D.member.1.Name=a&D.member.1.V.member.1=1&S.Sum=2&E=";
        let params = Params::parse(form.as_bytes()).unwrap();
        let expected = json!({
            "Action": "X", "D": [{"Name": "a", "V": ["1"]}, {"Name": "b"}], "S": {"Sum": "2"}, "E": null,
        });
        assert_eq!(Value::Object(tree(&params)), expected);
    }

    #[test]
    fn answers_as_xml() {
        let answer = json!({
            "Datapoints": [{"Timestamp": 1.5, "Sum": 2.0, "ExtendedStatistics": {"p90": 3.5}}],
            "Label": "a<b", "None": [],
        });
        let body = Wire::Query.success("GetX", Some(answer), "id").body;
        let text = String::from_utf8(body).unwrap();
        for part in [
            "<GetXResult><Datapoints><member>",
            "<Timestamp>1970-01-01T00:00:01.500Z</Timestamp>",
            "<ExtendedStatistics><entry><key>p90</key><value>3.5</value></entry></ExtendedStatistics>",
            "<Label>a&lt;b</Label>",
            "<None/>",
            "<RequestId>id</RequestId>",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn errors_name_shape_and_code() {
        let error = ApiError::new("InvalidParameterValue", "m");
        let answer = Wire::Cbor.failure(&error, "id");
        let body = cbor::read(&answer.body).unwrap();
        assert_eq!(body, json!({"__type": "InvalidParameterValueException", "message": "m"}));
        assert!(answer.headers.contains(&("x-amzn-query-error", "InvalidParameterValue;Sender".to_owned())));
    }
}
