//! StartQueryExecution: queues a statement; its syntax, place for results and token are checked at once.

use super::{engine, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::{execution, work_group};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [query] = required::texts(members, ["QueryString"])?;
    let group = members.text("WorkGroup")?.unwrap_or(work_group::PRIMARY);
    permit::group(call, "StartQueryExecution", group)?;
    let emulator = call.services.settings.emulator;
    let token = members.text("ClientRequestToken")?;
    if token.is_some_and(|token| !(32..=128).contains(&token.len())) {
        return Err(required::invalid("clientRequestToken length must be between 32 and 128"));
    }
    if query.len() > LIMIT || query.trim().is_empty() {
        return Err(required::invalid(format!("QueryString must have 1 to {LIMIT} bytes")));
    }
    let result: Value = required::structure(members, "ResultConfiguration")?;
    let mut location = result.get("OutputLocation").and_then(Value::as_str).map(str::to_owned);
    if emulator {
        location = location.map(|text| if text.starts_with("s3://") { text } else { format!("s3://{text}") });
        location.get_or_insert_with(|| "s3://athena-results/".to_owned());
    }
    // The place for results is looked at before the syntax.
    call.transact(|cx| execution::output_folder(cx, group, location.as_deref()))?;
    let engine = call.services.queries.get();
    let engine = engine.ok_or_else(|| ApiError::internal("no engine for queries"))?;
    let (statement, substatement) = match engine.check(query) {
        Ok(kind) => kind,
        Err(_) if emulator => ("DML", "SELECT"),
        Err(message) => {
            return Err(ApiError::new("InvalidRequestException:MALFORMED_QUERY", message));
        }
    };
    let context = members.object("QueryExecutionContext")?;
    let in_context = |name: &str| -> Result<Option<String>, ApiError> {
        Ok(context.map(|context| context.text(name)).transpose()?.flatten().map(str::to_owned))
    };
    let mut result = result;
    if let Some(result) = result.as_object_mut() {
        result.remove("OutputLocation");
    }
    let start = execution::Start {
        query: query.to_owned(),
        statement_type: statement.to_owned(),
        substatement_type: substatement.to_owned(),
        database: in_context("Database")?,
        catalog: in_context("Catalog")?,
        work_group: group.to_owned(),
        output_location: location,
        result_configuration: result,
        parameters: members
            .texts("ExecutionParameters")?
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        client_token: token.map(str::to_owned),
    };
    let (execution, is_new) = call.transact(|cx| execution::start(cx, &start))?;
    let id = execution.id.clone();
    if is_new {
        engine.start(engine::Job { execution, caller: engine::OnBehalf::of(call) });
    }
    Ok(Some(json!({ "QueryExecutionId": id })))
}

/// The longest statement, in bytes. Source: Athena API, `QueryString`.
const LIMIT: usize = 262_144;
