//! Logs Insights on DataFusion.
//!
//! ```text
//! Query ─ lower ─▶ logical plan ─▶ DataFusion ─▶ batches ─ output ─▶ Rows
//!                    ▲
//!   log store ─ scan ┘  columns of segments as they are, other events by their messages, on all cores
//! ```
//!
//! Every field is a text, as in the message, and where it is only reckoned with
//! the number that it is. What a function or a comparison makes of it is decided
//! value by value ([`value::Value`]), so that numbers,
//! texts and absent fields mix as they do in Insights.
//!
//! Not for: the language (`weir_logs::insights`), queries under way and their
//! results (`api`).

mod aggregate;
mod expr;
mod function;
mod kernel;
mod lower;
mod output;
mod pattern;
mod scan;
#[cfg(test)]
mod tests;
mod text;
mod value;

use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use futures_util::StreamExt;
use lower::{Input, Lowered};
use scan::{Events, EventsOfGroup, EventsTable, Newest};
use std::sync::Arc;
use weir_logs::Store;
use weir_logs::insights::{Command, Progress, Query, Request, Rows};

/// What a query may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory of sorts and groups, bytes; what is more goes to temporary files.
    pub memory_bytes: usize,
    /// Temporary files, bytes.
    pub disk_bytes: u64,
    /// Cores.
    pub parallelism: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let parallelism = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { memory_bytes: 1 << 30, disk_bytes: 8 << 30, parallelism }
    }
}

/// Why a query that was accepted failed.
#[derive(Debug, thiserror::Error)]
pub enum InsightsError {
    #[error("the query needs more memory or temporary disk space than it may have")]
    Resources(#[source] DataFusionError),
    #[error("the query failed")]
    Engine(#[source] DataFusionError),
}

impl From<DataFusionError> for InsightsError {
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::Resources(error),
            _ => Self::Engine(error),
        }
    }
}

/// Runs a query to its end. Drop the future to cancel it: reading stops within
/// a block.
pub async fn run(
    store: &Store,
    request: Request,
    limits: Limits,
    progress: Arc<Progress>,
) -> Result<Rows, InsightsError> {
    let parallelism = limits.parallelism.max(1);
    let config = SessionConfig::new().with_target_partitions(parallelism);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(limits.memory_bytes, 1.0)
        .with_max_temp_directory_size(limits.disk_bytes)
        .build_arc()?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    let run = Run { store, request: &request, context, parallelism, progress };
    let commands = &request.query.commands;
    let Some(at) = commands.iter().position(|command| matches!(command, Command::Pattern(_))) else {
        return run.events(&request.query, request.limit, (request.start, request.end)).await;
    };
    let (first, mut rest) = commands.split_at(at + 1);
    let first = Query { commands: first.to_vec(), ..Query::default() };
    let own = (request.start, request.end);
    let now = pattern::Counts::of(&run.events(&first, usize::MAX, own).await?);
    let mut before = None;
    if let Some((Command::Diff(earlier), behind)) = rest.split_first() {
        rest = behind;
        let span = text::earlier(own, *earlier);
        before = Some(pattern::Counts::of(&run.events(&first, usize::MAX, span).await?));
    }
    // Merging patterns takes a while and has no point where it could wait.
    let (table, columns) = tokio::task::spawn_blocking(move || pattern::table(now, before))
        .await
        .map_err(|error| DataFusionError::External(Box::new(error)))??;
    let rest = Query { commands: rest.to_vec(), ..Query::default() };
    let lowered = lower::lower(&rest, request.limit, request.now, Input::Rows { table, columns })?;
    run.rows(&lowered, &[], None).await
}

struct Run<'a> {
    store: &'a Store,
    request: &'a Request,
    context: SessionContext,
    parallelism: usize,
    progress: Arc<Progress>,
}

impl Run<'_> {
    /// A query over the events of some time.
    async fn events(&self, query: &Query, limit: usize, span: (i64, i64)) -> Result<Rows, InsightsError> {
        let (store, request) = (self.store.clone(), self.request.clone());
        let read = move || Events::of(&store, &request, span);
        let events = tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let fields = lower::fields(query);
        let table = Arc::new(EventsTable::new(events, &fields, self.parallelism, self.progress.clone()));
        let (groups, newest) = (table.groups(), table.newest());
        let lowered = lower::lower(query, limit, self.request.now, Input::Events { table, fields })?;
        self.rows(&lowered, &groups, Some(&newest)).await
    }

    async fn rows(
        &self,
        lowered: &Lowered,
        groups: &[EventsOfGroup],
        newest: Option<&Newest>,
    ) -> Result<Rows, InsightsError> {
        let plan = self.context.state().create_physical_plan(&lowered.plan).await?;
        let is_filtered = has_filter(&plan);
        if let (Some(newest), Some(rows), false) = (newest, lowered.newest, is_filtered) {
            newest.only(rows);
        }
        let mut batches = execute_stream(plan.clone(), self.context.task_ctx())?;
        let mut output = output::Output::new(lowered, groups);
        while let Some(batch) = batches.next().await {
            if !output.push(&batch?)? {
                break;
            }
        }
        if let Some(rows) = filtered(&plan).filter(|_| newest.is_some()) {
            self.progress.set_matched(rows);
        }
        Ok(output.finish())
    }
}

fn has_filter(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.name() == "FilterExec" || plan.children().into_iter().any(has_filter)
}

/// How many events came through the last filter before they became something
/// else, if the scan did not filter them itself.
fn filtered(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    match plan.name() {
        "FilterExec" if are_events(plan) => {
            plan.metrics()?.output_rows().and_then(|rows| u64::try_from(rows).ok())
        }
        _ => plan.children().into_iter().find_map(filtered),
    }
}

/// Whether a step's rows are events, one by one.
fn are_events(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let passes =
        ["FilterExec", "ProjectionExec", "RepartitionExec", "CoalesceBatchesExec", "StreamingTableExec"];
    passes.contains(&plan.name()) && plan.children().into_iter().all(are_events)
}
