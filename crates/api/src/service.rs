//! The services of the endpoint, and how each writes answers and errors.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::{self, Members};
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use crate::{athena, cloudwatch, ec2, firehose, glue, iam, logs, sts, weir};
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use weir_iam::sigv4::ErrorProtocol;

/// A service, as the credential scope of a signature names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Ec2,
    Iam,
    Sts,
    Logs,
    CloudWatch,
    Athena,
    Glue,
    Firehose,
    Weir,
}

/// An action of a service that speaks a query protocol.
pub struct QueryAction {
    pub name: &'static str,
    /// Parse, authorize, apply, render: the members of the answer.
    pub run: fn(&Call<'_>, &Params) -> Result<Xml, ApiError>,
}

/// An action of a service that speaks JSON 1.1.
pub struct JsonAction {
    pub name: &'static str,
    /// Parse, authorize, apply, render: the answer, `None` for an empty body.
    pub run: fn(&Call<'_>, Members<'_>) -> Result<Option<serde_json::Value>, ApiError>,
}

/// An answer before it becomes HTTP.
pub struct Answer {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    /// The `x-amzn-ErrorType` header.
    pub error_type: Option<String>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// What comes instead of `body`, frame by frame.
    pub stream: Option<tokio::sync::mpsc::Receiver<axum::body::Bytes>>,
}

impl Answer {
    fn new(status: StatusCode, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            content_type,
            body: body.into_bytes(),
            error_type: None,
            headers: Vec::new(),
            stream: None,
        }
    }
}

const XML: &str = "text/xml;charset=UTF-8";
const JSON: &str = "application/x-amz-json-1.1";

impl Service {
    /// Every service under its name in credential scopes.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("ec2", Self::Ec2),
        ("iam", Self::Iam),
        ("sts", Self::Sts),
        ("logs", Self::Logs),
        ("monitoring", Self::CloudWatch),
        ("athena", Self::Athena),
        ("glue", Self::Glue),
        ("firehose", Self::Firehose),
        ("weir", Self::Weir),
    ];

    /// The service with this name in a credential scope.
    pub fn from_scope(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, service)| *service)
    }

    /// Whether clients of every region use it alike.
    pub fn is_global(self) -> bool {
        matches!(self, Self::Iam | Self::Sts)
    }

    /// For requests that are refused before their body is read: the service by
    /// the headers alone, and unverified.
    pub fn of_headers(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(target) = text("x-amz-target") {
            return Self::guess(Some(target), None).unwrap_or(Self::Logs);
        }
        let mut scope = text("authorization").unwrap_or_default().split('/');
        scope.find_map(Self::from_scope).unwrap_or(Self::Ec2)
    }

    /// A body in a form that the service's protocol cannot have. What simple
    /// clients send by default (none, a form, bytes) is read as what the protocol has.
    ///
    /// Errors: `UnsupportedMediaTypeException`, 415.
    pub fn check_content_type(self, headers: &HeaderMap, body: &[u8]) -> Result<(), ApiError> {
        let given = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let given = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_json = given.ends_with("json") || given.contains("json-");
        let wanted = match self {
            Self::Ec2 | Self::Iam | Self::Sts => "application/x-www-form-urlencoded",
            Self::Logs | Self::Athena | Self::Glue | Self::Firehose | Self::Weir => JSON,
            // Three formats, told apart by `cloudwatch::wire`.
            Self::CloudWatch => return Ok(()),
        };
        let is_foreign = given.starts_with("multipart/") || given.contains("xml") || given.contains("cbor");
        if body.is_empty() || !(is_foreign || (is_json && wanted != JSON)) {
            return Ok(());
        }
        let message = format!("The content type {given} is not supported; send {wanted}");
        Err(ApiError::new("UnsupportedMediaTypeException", message).with_status(415))
    }

    /// The action that a JSON request names. A target of another service, and
    /// none at all, is an unknown action.
    pub fn target_action(self, target: &str) -> &str {
        match target.split_once('.') {
            Some((_, action)) if Self::guess(Some(target), None) == Some(self) => action,
            _ => target,
        }
    }

    /// For unsigned requests: the service by the protocol's own marks.
    pub fn guess(target: Option<&str>, version: Option<&str>) -> Option<Self> {
        match (target.and_then(|t| t.split_once('.')).map(|(prefix, _)| prefix), version) {
            (Some(logs::TARGET), _) => Some(Self::Logs),
            (Some(firehose::TARGET), _) => Some(Self::Firehose),
            (Some(weir::TARGET), _) => Some(Self::Weir),
            (Some(athena::TARGET), _) => Some(Self::Athena),
            (Some(glue::TARGET), _) => Some(Self::Glue),
            (Some(cloudwatch::TARGET), _) | (None, Some(cloudwatch::VERSION)) => Some(Self::CloudWatch),
            (_, Some(ec2::VERSION)) => Some(Self::Ec2),
            (_, Some(iam::VERSION)) => Some(Self::Iam),
            (_, Some(sts::VERSION)) => Some(Self::Sts),
            _ => None,
        }
    }

    /// The family of error codes for failed sign-ins and denials.
    pub fn error_protocol(self) -> ErrorProtocol {
        match self {
            Self::Ec2 => ErrorProtocol::Ec2,
            Self::Iam | Self::Sts | Self::CloudWatch => ErrorProtocol::Query,
            Self::Logs | Self::Athena | Self::Glue | Self::Firehose | Self::Weir => ErrorProtocol::Json,
        }
    }

    /// Runs the action that the request names. The name is empty if the
    /// request names none.
    pub fn run(
        self,
        call: &Call<'_>,
        action: &str,
        params: &Params,
        (headers, body): (&HeaderMap, &[u8]),
    ) -> Result<Answer, ApiError> {
        if self == Self::CloudWatch {
            return cloudwatch::wire::Wire::of(headers).run(call, action, params, (headers, body));
        }
        if self == Self::Logs && action == logs::start_live_tail::NAME {
            let frames = logs::start_live_tail::run(call, Members::new(&json::parse(body)?))?;
            let answer = Answer::new(StatusCode::OK, logs::start_live_tail::CONTENT_TYPE, String::new());
            return Ok(Answer { stream: Some(frames), ..answer });
        }
        self.text(call, action, params, body).map(|text| self.success(text))
    }

    fn text(self, call: &Call<'_>, action: &str, params: &Params, body: &[u8]) -> Result<String, ApiError> {
        match self {
            Self::Ec2 => {
                ec2::parameters::check(action, params)?;
                let inside = run_query(ec2::ACTIONS, call, action, params).map_err(|error| {
                    if error.code == "InvalidAction" {
                        let message = format!("The action {action} is not valid for this web service.");
                        return ApiError::new("InvalidAction", message);
                    }
                    error
                })?;
                let mut xml = Xml::new();
                xml.text("requestId", &call.request_id).append(&inside);
                Ok(Xml::document(&format!("{action}Response"), Some(ec2::NAMESPACE), &xml))
            }
            Self::Iam => {
                query_answer(iam::ACTIONS, iam::NAMESPACE, call, action, params).map_err(iam::with_status)
            }
            Self::Sts => query_answer(sts::ACTIONS, sts::NAMESPACE, call, action, params),
            Self::Logs => {
                run_json(logs::ACTIONS, call, action, body).map_err(|error| match error.code.as_ref() {
                    "UnknownOperationException" => logs::refused::error(action).unwrap_or(error),
                    _ => error,
                })
            }
            Self::Athena => run_json(athena::ACTIONS, call, action, body),
            Self::Glue => run_json(glue::ACTIONS, call, action, body),
            Self::Firehose => run_json(firehose::ACTIONS, call, action, body),
            Self::Weir => run_json(weir::ACTIONS, call, action, body),
            Self::CloudWatch => Ok(String::new()),
        }
    }

    /// A successful answer.
    fn success(self, body: String) -> Answer {
        let content_type = match self {
            Self::Ec2 | Self::Iam | Self::Sts | Self::CloudWatch => XML,
            Self::Logs | Self::Athena | Self::Glue | Self::Firehose | Self::Weir => JSON,
        };
        Answer::new(StatusCode::OK, content_type, body)
    }

    /// An error in the service's own form, which may depend on the request's headers.
    pub fn failure(self, headers: &HeaderMap, error: &ApiError, request_id: &str) -> Answer {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            Self::Ec2 => {
                let mut xml = Xml::new();
                xml.element("Errors", |errors| {
                    errors.element("Error", |e| {
                        e.text("Code", &error.code).text("Message", &error.message);
                    });
                })
                .text("RequestID", request_id);
                let body = Xml::document("Response", None, &xml);
                Answer::new(status, XML, body)
            }
            Self::Iam | Self::Sts => {
                let namespace = if self == Self::Iam { iam::NAMESPACE } else { sts::NAMESPACE };
                let kind = if error.status >= 500 { "Receiver" } else { "Sender" };
                let mut xml = Xml::new();
                xml.element("Error", |e| {
                    e.text("Type", kind).text("Code", &error.code).text("Message", &error.message);
                })
                .text("RequestId", request_id);
                let body = Xml::document("ErrorResponse", Some(namespace), &xml);
                Answer::new(status, XML, body)
            }
            Self::Logs | Self::Firehose | Self::Weir => {
                let code = match error.code.as_ref() {
                    "ServiceUnavailable" => "ServiceUnavailableException",
                    code => code,
                };
                let mut body = serde_json::json!({"__type": code, "message": error.message});
                if let (Some(body), Some(Value::Object(details))) = (body.as_object_mut(), &error.details) {
                    body.extend(details.clone());
                }
                Answer { error_type: Some(code.to_owned()), ..Answer::new(status, JSON, body.to_string()) }
            }
            Self::Athena => {
                // `CODE:ATHENA_CODE`
                let (code, own) = error.code.split_once(':').unwrap_or((&error.code, ""));
                let mut body = serde_json::json!({"__type": code, "Message": error.message});
                if !own.is_empty() {
                    body["AthenaErrorCode"] = own.into();
                    body["ErrorCode"] = own.into();
                }
                let code = Some(code.to_owned());
                Answer { error_type: code, ..Answer::new(status, JSON, body.to_string()) }
            }
            Self::Glue => {
                let body = serde_json::json!({"__type": error.code, "Message": error.message}).to_string();
                let code = Some(error.code.to_string());
                Answer { error_type: code, ..Answer::new(status, JSON, body) }
            }
            Self::CloudWatch => cloudwatch::wire::Wire::of(headers).failure(error, request_id),
        }
    }
}

fn run_query(actions: &[QueryAction], call: &Call<'_>, name: &str, params: &Params) -> Result<Xml, ApiError> {
    if name.is_empty() {
        return Err(ApiError::new(
            "MissingAction",
            "The request is missing an action or a required parameter",
        ));
    }
    let action = actions.iter().find(|action| action.name == name);
    let action = action.ok_or_else(|| {
        let version = params.get("Version").unwrap_or_default();
        ApiError::new("InvalidAction", format!("Could not find operation {name} for version {version}"))
    })?;
    (action.run)(call, params)
}

/// The answer of IAM and STS; actions without output have no `Result` element,
/// but UpdateRole, whose output is a structure without members.
fn query_answer(
    actions: &[QueryAction],
    namespace: &str,
    call: &Call<'_>,
    name: &str,
    params: &Params,
) -> Result<String, ApiError> {
    params.check_members()?;
    let inside = run_query(actions, call, name, params)?;
    let mut xml = Xml::new();
    if !inside.as_str().is_empty() || name == "UpdateRole" {
        xml.element(&format!("{name}Result"), |result| {
            result.append(&inside);
        });
    }
    xml.element("ResponseMetadata", |meta| {
        meta.text("RequestId", &call.request_id);
    });
    Ok(Xml::document(&format!("{name}Response"), Some(namespace), &xml))
}

fn run_json(actions: &[JsonAction], call: &Call<'_>, name: &str, body: &[u8]) -> Result<String, ApiError> {
    let action = actions.iter().find(|action| action.name == name);
    let action = action
        .ok_or_else(|| ApiError::new("UnknownOperationException", format!("Unknown operation '{name}'")))?;
    let members = json::parse(body)?;
    let answer = (action.run)(call, Members::new(&members))?;
    Ok(answer.map(|value| value.to_string()).unwrap_or_default())
}
