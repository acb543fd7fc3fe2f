//! What SimulateCustomPolicy and SimulatePrincipalPolicy have in common: the
//! policies under test, the questions, and how the answers are rendered.
//!
//! Nothing of the caller's own request goes into a simulation but what the
//! caller gives: no address, no time.

use super::page;
use super::request::{one_of, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_iam::document::{Position, Statement, statement_spans};
use weir_iam::{
    Context, Decision, DocumentKind, Effect, NamedPolicy, Policies, PolicyDocument, Principal, Request,
    evaluate,
};
use weir_types::arn::Arn;

/// A policy under test.
pub struct Input {
    /// SourcePolicyId, such as `PolicyInputList.1`.
    pub id: String,
    /// SourcePolicyType, such as `IAM Policy` or `role`.
    pub kind: &'static str,
    pub text: String,
    pub document: PolicyDocument,
}

impl Input {
    /// Errors: `InvalidInput` for a document that is none.
    pub fn new(id: String, kind: &'static str, text: &str, form: DocumentKind) -> Result<Self, ApiError> {
        let document = PolicyDocument::parse(text, form)
            .map_err(|error| ApiError::new("InvalidInput", format!("Invalid Entity Template : {error}")))?;
        Ok(Self { id, kind, text: text.to_owned(), document })
    }

    fn named(&self) -> NamedPolicy<'_> {
        NamedPolicy::new(self.id.as_str(), &self.document)
    }
}

/// The policies that a simulation is about.
#[derive(Default)]
pub struct Inputs {
    pub identity: Vec<Input>,
    pub boundary: Vec<Input>,
    pub resource: Option<Input>,
}

/// The policies of a list parameter, such as `PolicyInputList`.
pub fn listed(params: &Params, name: &str) -> Result<Vec<Input>, ApiError> {
    let input = |(index, text): (usize, &&str)| {
        Input::new(format!("{name}.{}", index + 1), "IAM Policy", text, DocumentKind::Identity)
    };
    params.list(name).iter().enumerate().map(input).collect()
}

/// The resource's own policy, if one is given.
pub fn resource_policy(params: &Params) -> Result<Option<Input>, ApiError> {
    let input = |text| Input::new("ResourcePolicy".to_owned(), "resource", text, DocumentKind::Resource);
    params.get("ResourcePolicy").map(input).transpose()
}

/// Answers a simulation: one result for each action on each resource.
pub fn answer(
    call: &Call<'_>,
    params: &Params,
    inputs: &Inputs,
    principal: &Principal,
) -> Result<Xml, ApiError> {
    let actions = params.list("ActionNames");
    if actions.is_empty() {
        required(params, "ActionNames")?;
    }
    for action in &actions {
        if !action.contains(':') {
            let message = format!("Invalid Action Name: {action}. An action is written service:Name.");
            return Err(ApiError::new("InvalidInput", message));
        }
    }
    let mut resources = params.list("ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    let context = context(params)?;
    let owner = params.get("ResourceOwner").map(account).transpose()?;
    let mut results = Vec::new();
    for action in &actions {
        for resource in &resources {
            let request = Request {
                principal,
                action,
                resource,
                resource_account: Some(owner.as_deref().unwrap_or(&call.scope.account)),
                context: &context,
            };
            results.push((format!("{action} {resource}"), evaluated(&request, inputs)));
        }
    }
    let page = page::page_in_order(results, params, |(key, _)| key)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "EvaluationResults", |xml, (_, result)| render(xml, result));
    Ok(xml)
}

/// A statement that decided: policy, type, first and last character.
type Matched = (String, &'static str, Option<(Position, Position)>);

/// One action on one resource.
struct Outcome {
    action: String,
    resource: String,
    decision: Decision,
    matched: Vec<Matched>,
    missing: Vec<String>,
    /// Whether the boundary allows it, if there is one.
    by_boundary: Option<bool>,
}

fn evaluated(request: &Request<'_>, inputs: &Inputs) -> Outcome {
    let policies = Policies {
        identity: inputs.identity.iter().map(Input::named).collect(),
        boundary: inputs.boundary.first().map(Input::named),
        session: Vec::new(),
        resource: inputs.resource.iter().map(Input::named).collect(),
    };
    let decision = evaluate(request, &policies);
    let effect = match decision {
        Decision::Allowed(_) => Some(Effect::Allow),
        Decision::ExplicitDeny { .. } => Some(Effect::Deny),
        Decision::ImplicitDeny { .. } => None,
    };
    let all = || inputs.identity.iter().chain(&inputs.boundary).chain(&inputs.resource);
    let mut matched = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    for input in all() {
        let spans = statement_spans(&input.text);
        for (index, statement) in input.document.statements.iter().enumerate() {
            if !covers_principal(statement, request) || !statement.is_about_action(request.action) {
                continue;
            }
            for key in statement.context_keys() {
                let is_known = missing.iter().any(|known| known.eq_ignore_ascii_case(&key));
                if request.context.get(&key).is_none() && !is_known {
                    missing.push(key);
                }
            }
            if Some(statement.effect) == effect
                && statement.covers(request.action, request.resource, request.context)
            {
                matched.push((input.id.clone(), input.kind, spans.get(index).copied()));
            }
        }
    }
    let by_boundary = inputs.boundary.first().map(|input| {
        let covers = |effect| {
            input.document.statements.iter().any(|statement| {
                statement.effect == effect
                    && statement.covers(request.action, request.resource, request.context)
            })
        };
        covers(Effect::Allow) && !covers(Effect::Deny)
    });
    let (action, resource) = (request.action.to_owned(), request.resource.to_owned());
    Outcome { action, resource, decision, matched, missing, by_boundary }
}

fn covers_principal(statement: &Statement, request: &Request<'_>) -> bool {
    let element = statement.principal.as_ref();
    element.is_none_or(|element| element.matches(request.principal, statement.effect).is_some())
}

fn render(xml: &mut Xml, outcome: &Outcome) {
    let decision = outcome.decision.eval_decision();
    xml.text("EvalActionName", &outcome.action)
        .text("EvalResourceName", &outcome.resource)
        .text("EvalDecision", decision);
    render_reasons(xml, outcome);
    xml.element("ResourceSpecificResults", |list| {
        list.element("member", |xml| {
            xml.text("EvalResourceName", &outcome.resource).text("EvalResourceDecision", decision);
            render_reasons(xml, outcome);
        });
    });
}

fn render_reasons(xml: &mut Xml, outcome: &Outcome) {
    xml.list("MatchedStatements", "member", &outcome.matched, |xml, (id, kind, span)| {
        xml.text("SourcePolicyId", id).text("SourcePolicyType", kind);
        for (name, position) in [("StartPosition", span.map(|s| s.0)), ("EndPosition", span.map(|s| s.1))] {
            if let Some(Position { line, column }) = position {
                xml.element(name, |xml| {
                    xml.text("Line", line).text("Column", column);
                });
            }
        }
    });
    xml.element("MissingContextValues", |list| {
        for key in &outcome.missing {
            list.text("member", key);
        }
    });
    if let Some(is_allowed) = outcome.by_boundary {
        xml.element("PermissionsBoundaryDecisionDetail", |xml| {
            xml.text("AllowedByPermissionsBoundary", is_allowed);
        });
    }
}

/// `ContextEntries`
fn context(params: &Params) -> Result<Context, ApiError> {
    const TYPES: [&str; 12] = [
        "string",
        "stringList",
        "numeric",
        "numericList",
        "boolean",
        "booleanList",
        "ip",
        "ipList",
        "binary",
        "binaryList",
        "date",
        "dateList",
    ];
    let mut context = Context::default();
    for entry in params.structs("ContextEntries") {
        let name = required(&entry, "ContextKeyName")?.to_owned();
        let kind = one_of(&entry, "ContextKeyType", &TYPES)?.unwrap_or("string");
        let values = entry.list("ContextKeyValues");
        match values.as_slice() {
            [value] if !kind.ends_with("List") => context.set(&name, *value),
            values => context.set_many(&name, values.iter().copied()),
        };
    }
    Ok(context)
}

/// The principal that `CallerArn` names: a user, a role or the root user.
///
/// Errors: `InvalidInput`.
pub fn caller(text: &str) -> Result<Principal, ApiError> {
    let bad =
        || ApiError::new("InvalidInput", format!("Invalid CallerArn: {text} is no user, role or root user"));
    let arn: Arn = text.parse().map_err(|_| bad())?;
    let (kind, rest) = arn.resource.split_once('/').unwrap_or((&arn.resource, ""));
    match (arn.service.as_str(), kind) {
        ("iam", "root") => Ok(Principal::Root { account: arn.account }),
        ("iam", "user" | "group") => Ok(Principal::User { arn, user_id: String::new() }),
        ("iam", "role") => Ok(Principal::assumed_role(arn, "", "simulation")),
        ("sts", "federated-user") => Ok(Principal::FederatedUser { arn }),
        ("sts", "assumed-role") => {
            let (role, session) = rest.split_once('/').ok_or_else(bad)?;
            let resource = format!("role/{role}");
            let role = Arn { service: "iam".to_owned(), resource, ..arn.clone() };
            Ok(Principal::assumed_role(role, "", session))
        }
        _ => Err(bad()),
    }
}

/// The account in `arn:aws:iam::A:root`, or as it is.
fn account(text: &str) -> Result<String, ApiError> {
    let account = text.parse::<Arn>().map_or_else(|_| text.to_owned(), |arn| arn.account);
    match account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(account),
        false => Err(ApiError::new("InvalidInput", format!("Invalid ResourceOwner: {text}"))),
    }
}
