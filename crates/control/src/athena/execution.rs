//! Query executions: `QUEUED → RUNNING → SUCCEEDED | FAILED | CANCELLED`.
//!
//! Source: Athena API, `QueryExecution`.

use super::{invalid, work_group};
use crate::error::{ControlError, Result};
use crate::state::{Cx, Resource, Scope, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use weir_types::time::UnixMillis;

/// How long executions are listed. Source: Athena user guide, "View query history".
const HISTORY_MS: i64 = 45 * 24 * 60 * 60 * 1000;

/// More in one workgroup are forgotten, the oldest first.
const PER_GROUP: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl State {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultColumn {
    pub name: String,
    /// Trino's name of the type, such as `varchar`.
    pub data_type: String,
    pub precision: i64,
    pub scale: i64,
}

/// What went wrong. Source: Athena user guide, "Athena error catalog".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// 1 system, 2 user, 3 other.
    pub category: i64,
    pub kind: i64,
    pub message: String,
}

/// What an execution did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    pub scanned_bytes: u64,
    pub planning_ms: i64,
    pub engine_ms: i64,
    pub total_ms: i64,
    pub queue_ms: i64,
    pub input_rows: u64,
    pub output_rows: u64,
    pub output_bytes: u64,
    /// `s3://…-manifest.csv`
    pub manifest: Option<String>,
}

/// How an execution ended well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    pub columns: Vec<ResultColumn>,
    /// Rows written by INSERT and CREATE TABLE AS; 0 for what only reads.
    pub update_count: Option<i64>,
    pub statistics: Statistics,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryExecution {
    /// A UUID.
    pub id: String,
    pub query: String,
    /// `DDL`, `DML` or `UTILITY`.
    pub statement_type: String,
    pub substatement_type: String,
    pub database: Option<String>,
    pub catalog: Option<String>,
    pub work_group: String,
    /// The folder that was asked for, with a slash at its end.
    pub output_folder: String,
    /// The result's file.
    pub output_location: String,
    /// `ResultConfiguration` but for the location.
    pub result_configuration: Value,
    pub parameters: Vec<String>,
    pub client_token: Option<String>,
    pub state: State,
    pub reason: Option<String>,
    pub failure: Option<Failure>,
    pub submitted: UnixMillis,
    pub completed: Option<UnixMillis>,
    pub statistics: Statistics,
    pub columns: Vec<ResultColumn>,
    pub update_count: Option<i64>,
}

impl Resource for QueryExecution {
    const KIND: &'static str = "athena-query-execution";
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.work_group)
    }
}

impl QueryExecution {
    /// Whether the result has a line of names: that of queries has.
    pub fn has_header(&self) -> bool {
        self.output_location.ends_with(".csv")
    }
}

/// What StartQueryExecution asks for.
#[derive(Debug, Clone, Default)]
pub struct Start {
    pub query: String,
    pub statement_type: String,
    pub substatement_type: String,
    pub database: Option<String>,
    pub catalog: Option<String>,
    pub work_group: String,
    /// Of the caller; that of an enforcing workgroup takes its place.
    pub output_location: Option<String>,
    pub result_configuration: Value,
    pub parameters: Vec<String>,
    pub client_token: Option<String>,
}

pub(crate) fn mismatch() -> ControlError {
    ControlError::fault(
        "InvalidRequestException:IDEMPOTENT_PARAMETER_MISMATCH",
        "Idempotent parameters do not match",
    )
}

/// The folder for results, with a slash at its end.
///
/// Errors: `InvalidRequestException`.
pub fn output_folder(cx: Cx<'_>, group: &str, asked: Option<&str>) -> Result<String> {
    let group = work_group::get(cx, group)?;
    if !group.enabled {
        return Err(invalid(format!("WorkGroup {} is disabled.", group.name())));
    }
    let (own, enforced) = group.output();
    let location = match (own, enforced) {
        (Some(own), true) => own,
        (own, _) => asked.or(own).ok_or_else(|| {
            invalid(
                "No output location provided. An output location is required either through the Workgroup \
                 result configuration setting or as an API input.",
            )
        })?,
    };
    let bucket = location.strip_prefix("s3://").and_then(|path| path.split('/').next());
    match bucket {
        Some(bucket) if !bucket.is_empty() => {
            Ok(format!("{location}{}", if location.ends_with('/') { "" } else { "/" }))
        }
        _ => Err(invalid("outputLocation is not a valid S3 path.")),
    }
}

/// A new execution in the queue, and whether it is new: a token that was used
/// gives the one of then.
///
/// Errors: `InvalidRequestException`.
pub fn start(cx: Cx<'_>, start: &Start) -> Result<(QueryExecution, bool)> {
    let folder = output_folder(cx, &start.work_group, start.output_location.as_deref())?;
    let mut there: Vec<QueryExecution> = Vec::new();
    if start.client_token.is_some()
        || cx.tx.count_in::<QueryExecution>(cx.scope, &start.work_group)? >= PER_GROUP
    {
        there = cx.tx.list_in(cx.scope, &start.work_group)?;
    }
    if let Some(token) = &start.client_token
        && let Some(old) = there.iter().find(|old| old.client_token.as_ref() == Some(token))
    {
        let same = (&old.query, &old.database, &old.catalog, &old.output_folder)
            == (&start.query, &start.database, &start.catalog, &folder);
        return if same { Ok((old.clone(), false)) } else { Err(mismatch()) };
    }
    if there.len() >= PER_GROUP {
        there.sort_by_key(|old| old.submitted);
        for old in there.iter().filter(|old| old.state.is_final()).take(PER_GROUP / 10) {
            cx.tx.delete::<QueryExecution>(cx.scope, &old.id)?;
        }
    }
    let id = super::uuid()?;
    let is_query = matches!(start.substatement_type.as_str(), "SELECT");
    let suffix = match start.substatement_type.as_str() {
        _ if is_query => ".csv",
        "INSERT" | "UNLOAD" => "",
        "CREATE_TABLE_AS_SELECT" => "",
        _ => ".txt",
    };
    let execution = QueryExecution {
        output_location: format!("{folder}{id}{suffix}"),
        id,
        query: start.query.clone(),
        statement_type: start.statement_type.clone(),
        substatement_type: start.substatement_type.clone(),
        database: start.database.clone(),
        catalog: start.catalog.clone(),
        work_group: start.work_group.clone(),
        output_folder: folder,
        result_configuration: start.result_configuration.clone(),
        parameters: start.parameters.clone(),
        client_token: start.client_token.clone(),
        state: State::Queued,
        reason: None,
        failure: None,
        submitted: cx.now,
        completed: None,
        statistics: Statistics::default(),
        columns: Vec::new(),
        update_count: None,
    };
    cx.tx.put(cx.scope, &execution)?;
    Ok((execution, true))
}

/// Errors: `InvalidRequestException`.
pub fn get(cx: Cx<'_>, id: &str) -> Result<QueryExecution> {
    cx.tx.get(cx.scope, id)?.ok_or_else(|| {
        ControlError::fault(
            "InvalidRequestException:QUERY_EXECUTION_NOT_FOUND",
            format!("QueryExecution {id} was not found"),
        )
    })
}

/// Those of a workgroup, the newest first.
///
/// Errors: `InvalidRequestException`.
pub fn list(cx: Cx<'_>, group: &str) -> Result<Vec<QueryExecution>> {
    work_group::get(cx, group)?;
    let mut found: Vec<QueryExecution> = cx.tx.list_in(cx.scope, group)?;
    found.retain(|execution| cx.now.0 - execution.submitted.0 <= HISTORY_MS);
    found.sort_by(|a, b| b.submitted.cmp(&a.submitted).then_with(|| a.id.cmp(&b.id)));
    Ok(found)
}

/// It runs from now on; `false` if it was stopped before.
pub fn run(cx: Cx<'_>, id: &str) -> Result<bool> {
    let mut execution = get(cx, id)?;
    if execution.state != State::Queued {
        return Ok(false);
    }
    execution.state = State::Running;
    execution.statistics.queue_ms = cx.now.0 - execution.submitted.0;
    cx.tx.put(cx.scope, &execution)?;
    Ok(true)
}

/// It has ended. One that was stopped stays so.
pub fn finish(cx: Cx<'_>, id: &str, outcome: std::result::Result<&Outcome, &Failure>) -> Result<()> {
    let mut execution = get(cx, id)?;
    if execution.state.is_final() {
        return Ok(());
    }
    let queue_ms = execution.statistics.queue_ms;
    match outcome {
        Ok(outcome) => {
            execution.state = State::Succeeded;
            execution.columns.clone_from(&outcome.columns);
            execution.update_count = outcome.update_count;
            execution.statistics = outcome.statistics.clone();
        }
        Err(failure) => {
            execution.state = State::Failed;
            execution.reason = Some(failure.message.clone());
            execution.failure = Some(failure.clone());
        }
    }
    execution.statistics.queue_ms = queue_ms;
    execution.statistics.total_ms = cx.now.0 - execution.submitted.0;
    execution.completed = Some(cx.now);
    cx.tx.put(cx.scope, &execution)
}

/// Stops an execution; one that has ended stays as it is. Whether it was under way.
///
/// Errors: `InvalidRequestException`.
pub fn stop(cx: Cx<'_>, id: &str) -> Result<bool> {
    let mut execution = get(cx, id)?;
    if execution.state.is_final() {
        return Ok(false);
    }
    execution.state = State::Cancelled;
    execution.reason = Some("Query cancelled by user".to_owned());
    execution.completed = Some(cx.now);
    execution.statistics.total_ms = cx.now.0 - execution.submitted.0;
    cx.tx.put(cx.scope, &execution)?;
    Ok(true)
}

/// At a start of the server: what was under way when it stopped has failed.
pub fn fail_unfinished(tx: &Tx<'_>, now: UnixMillis) -> Result<()> {
    let all: Vec<(Scope, QueryExecution)> = tx.list_everywhere()?;
    for (scope, execution) in all.iter().filter(|(_, execution)| !execution.state.is_final()) {
        let message = "The server stopped while the query was under way.".to_owned();
        let failure = Failure { category: 1, kind: 9999, message };
        finish(Cx { tx, scope, now }, &execution.id, Err(&failure))?;
    }
    Ok(())
}
