//! Where a subscription's events go, as `destinationArn` names it.
//!
//! | destination | sent to |
//! |---|---|
//! | `arn:P:lambda:R:A:function:N` | Invoke (event) at the endpoint for `lambda` |
//! | `arn:P:kinesis:R:A:stream/N` | PutRecords at the endpoint for `kinesis` |
//! | `arn:P:firehose:R:A:deliverystream/N` | PutRecordBatch at the endpoint for `firehose`; without one, to this server's own stream |
//! | `weir:opensearch:URL/INDEX` | `_bulk` at the URL, one document an event |
//!
//! The endpoints are the server's settings. Requests are not signed; user and
//! password in the URL of OpenSearch are sent as basic authentication.

use crate::envelope::Envelope;
use ::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use weir_delivery::http::{Http, HttpError};

/// A destination that events can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    Lambda {
        endpoint: String,
        function: String,
    },
    Kinesis {
        endpoint: String,
        stream: String,
    },
    Firehose {
        endpoint: String,
        stream: String,
    },
    /// A stream of this server, by its ARN.
    OwnFirehose {
        stream: String,
    },
    OpenSearch {
        url: String,
        index: String,
        authorization: Option<String>,
    },
}

/// Why a text names no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    #[error(
        "'{0}' is not the ARN of a Lambda function, a Kinesis stream or a Firehose stream, nor weir:opensearch:URL/INDEX"
    )]
    Unknown(String),
    #[error("no endpoint for {0} is configured: weir serve --subscription-endpoint {0}=URL")]
    NoEndpoint(&'static str),
}

/// Base URLs for `lambda`, `kinesis` and `firehose`.
pub type Endpoints = BTreeMap<String, String>;

impl Destination {
    pub fn parse(text: &str, endpoints: &Endpoints) -> Result<Self, DestinationError> {
        let unknown = || DestinationError::Unknown(text.to_owned());
        if let Some(url) = text.strip_prefix("weir:opensearch:") {
            return open_search(url).ok_or_else(unknown);
        }
        let mut parts = text.splitn(6, ':');
        let service = parts.nth(2).unwrap_or_default();
        let resource = parts.nth(2).unwrap_or_default();
        let endpoint = |name: &'static str| {
            let url = endpoints.get(name).ok_or(DestinationError::NoEndpoint(name))?;
            Ok(url.trim_end_matches('/').to_owned())
        };
        let name = |prefix: &str| {
            let name = resource.strip_prefix(prefix).filter(|name| !name.is_empty());
            name.map(str::to_owned).ok_or_else(unknown)
        };
        match service {
            "lambda" => {
                let function = name("function:")?;
                Ok(Self::Lambda { function, endpoint: endpoint("lambda")? })
            }
            "kinesis" => {
                let stream = name("stream/")?;
                Ok(Self::Kinesis { stream, endpoint: endpoint("kinesis")? })
            }
            "firehose" => {
                let stream = name("deliverystream/")?;
                match endpoint("firehose") {
                    Ok(endpoint) => Ok(Self::Firehose { stream, endpoint }),
                    Err(_) => Ok(Self::OwnFirehose { stream: text.to_owned() }),
                }
            }
            _ => Err(unknown()),
        }
    }

    /// AWS's word, as in the dimension `DestinationType`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lambda { .. } => "Lambda",
            Self::Kinesis { .. } => "Kinesis",
            Self::Firehose { .. } | Self::OwnFirehose { .. } => "Firehose",
            Self::OpenSearch { .. } => "OpenSearch",
        }
    }

    /// Tests it as AWS does when a filter is made: a control message to
    /// streams, a dry run of a function, a question to OpenSearch.
    pub async fn test(&self, http: &Http) -> Result<(), HttpError> {
        match self {
            Self::Lambda { endpoint, function } => {
                let url = invocations(endpoint, function);
                http.send(Method::POST, &url, &[("x-amz-invocation-type", "DryRun")], b"{}".to_vec()).await?;
            }
            Self::OwnFirehose { stream } => return Err(not_here(stream)),
            Self::Kinesis { .. } | Self::Firehose { .. } => {
                self.send(http, &[Envelope::control(self.kind())]).await?;
            }
            Self::OpenSearch { url, authorization, .. } => {
                let headers: Vec<(&str, &str)> =
                    authorization.iter().map(|value| ("authorization", value.as_str())).collect();
                http.send(Method::GET, url, &headers, Vec::new()).await?;
            }
        }
        Ok(())
    }

    /// Sends envelopes. If it fails, some may have arrived.
    pub async fn send(&self, http: &Http, envelopes: &[Envelope]) -> Result<(), HttpError> {
        match self {
            Self::Lambda { endpoint, function } => {
                let url = invocations(endpoint, function);
                for envelope in envelopes {
                    let data = STANDARD.encode(envelope.gzip());
                    let body = json!({"awslogs": {"data": data}}).to_string();
                    let headers = [("content-type", "application/json"), ("x-amz-invocation-type", "Event")];
                    http.send(Method::POST, &url, &headers, body.into_bytes()).await?;
                }
            }
            Self::Kinesis { endpoint, stream } => {
                let record = |envelope: &Envelope| json!({"Data": STANDARD.encode(envelope.gzip()), "PartitionKey": envelope.partition_key()});
                let records: Vec<Value> = envelopes.iter().map(record).collect();
                let body = json!({"StreamName": stream, "Records": records});
                let answer = json_1_1(http, endpoint, "Kinesis_20131202.PutRecords", &body).await?;
                whole(&answer, "FailedRecordCount")?;
            }
            Self::Firehose { endpoint, stream } => {
                let record = |envelope: &Envelope| json!({"Data": STANDARD.encode(envelope.gzip())});
                let records: Vec<Value> = envelopes.iter().map(record).collect();
                let body = json!({"DeliveryStreamName": stream, "Records": records});
                let answer = json_1_1(http, endpoint, "Firehose_20150804.PutRecordBatch", &body).await?;
                whole(&answer, "FailedPutCount")?;
            }
            Self::OwnFirehose { stream } => return Err(not_here(stream)),
            Self::OpenSearch { url, index, authorization } => {
                let body: String = envelopes.iter().map(|envelope| envelope.bulk(index)).collect();
                let mut headers = vec![("content-type", "application/x-ndjson")];
                headers.extend(authorization.iter().map(|value| ("authorization", value.as_str())));
                let target = format!("{url}/_bulk");
                let answer = http.send(Method::POST, &target, &headers, body.into_bytes()).await?;
                let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
                if answer["errors"] == json!(true) {
                    return Err(bulk_error(&answer));
                }
            }
        }
        Ok(())
    }
}

/// Whoever sends to a stream of this server knows how: [`crate::subscription::OwnStreams`].
fn not_here(stream: &str) -> HttpError {
    HttpError::NoAnswer(format!("{stream} cannot be reached"))
}

/// `https://user:password@host:9200/index`; the index is `flow-logs` if none is named.
fn open_search(url: &str) -> Option<Destination> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))?;
    let (host, index) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = match host.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, host),
    };
    let index = if index.is_empty() { "flow-logs" } else { index };
    let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if host.is_empty() || !index.chars().all(named) {
        return None;
    }
    let authorization = user.map(|user| {
        let user = percent_encoding::percent_decode_str(user).collect::<Vec<u8>>();
        format!("Basic {}", STANDARD.encode(user))
    });
    Some(Destination::OpenSearch {
        url: format!("{scheme}://{host}"),
        index: index.to_owned(),
        authorization,
    })
}

fn invocations(endpoint: &str, function: &str) -> String {
    let name = percent_encoding::utf8_percent_encode(function, percent_encoding::NON_ALPHANUMERIC);
    format!("{endpoint}/2015-03-31/functions/{name}/invocations")
}

async fn json_1_1(http: &Http, endpoint: &str, target: &str, body: &Value) -> Result<Value, HttpError> {
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    let answer =
        http.send(Method::POST, &format!("{endpoint}/"), &headers, body.to_string().into_bytes()).await?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}

/// Some records may be refused although the request is answered well.
fn whole(answer: &Value, member: &str) -> Result<(), HttpError> {
    match answer[member].as_u64().unwrap_or_default() {
        0 => Ok(()),
        count => Err(HttpError::NoAnswer(format!("{count} records were not taken"))),
    }
}

fn bulk_error(answer: &Value) -> HttpError {
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    let reasons = items.iter().filter_map(|item| item["index"]["error"]["reason"].as_str());
    let reason = reasons.map(str::to_owned).next().unwrap_or_else(|| "unknown".into());
    HttpError::NoAnswer(format!("documents were not taken: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_by_their_names() {
        let endpoints: Endpoints = [("lambda".to_owned(), "http://127.0.0.1:9/".to_owned())].into();
        let lambda = "arn:aws:lambda:us-east-1:123456789012:function:f";
        let expected = Destination::Lambda { endpoint: "http://127.0.0.1:9".into(), function: "f".into() };
        assert_eq!(Destination::parse(lambda, &endpoints), Ok(expected));
        let kinesis = "arn:aws:kinesis:us-east-1:123456789012:stream/s";
        assert_eq!(Destination::parse(kinesis, &endpoints), Err(DestinationError::NoEndpoint("kinesis")));
        let search = |url: &str, index: &str, authorization: Option<&str>| {
            Ok(Destination::OpenSearch {
                url: url.into(),
                index: index.into(),
                authorization: authorization.map(str::to_owned),
            })
        };
        for (text, expected) in [
            ("weir:opensearch:http://127.0.0.1:9200/vpc", search("http://127.0.0.1:9200", "vpc", None)),
            ("weir:opensearch:https://search", search("https://search", "flow-logs", None)),
            (
                "weir:opensearch:https://a:b%40c@search/",
                search("https://search", "flow-logs", Some("Basic YTpiQGM=")),
            ),
        ] {
            assert_eq!(Destination::parse(text, &endpoints), expected);
        }
        for text in [
            "",
            "arn:aws:sns:us-east-1:123456789012:topic",
            "arn:aws:lambda:us-east-1:123456789012:function:",
            "weir:opensearch:ftp://x",
            "weir:opensearch:http://x/A B",
        ] {
            assert_eq!(Destination::parse(text, &endpoints), Err(DestinationError::Unknown(text.into())));
        }
    }
}
