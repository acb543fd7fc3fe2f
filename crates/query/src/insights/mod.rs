//! Logs Insights on DataFusion.
//!
//! ```text
//! Query ─ lower ─▶ logical plan ─▶ DataFusion ─▶ batches ─ output ─▶ Rows
//!                    ▲
//!   log store ─ scan ┘  pages of events, fields found on all cores
//! ```
//!
//! Every field is a text, as in the message. What a function or a comparison
//! makes of it is decided value by value ([`value::Value`]), so that numbers,
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
use std::sync::Arc;
use weir_logs::Store;
use weir_logs::insights::{Progress, Request, Rows};

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
/// a page.
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
    let lowered = lower::lower(&request, |fields, with_events| {
        scan::table(store, &request, fields, with_events, parallelism, progress.clone())
    })?;
    let plan = context.state().create_physical_plan(&lowered.plan).await?;
    let mut batches = execute_stream(plan.clone(), context.task_ctx())?;
    let mut output = output::Output::new(&lowered, &request.groups);
    while let Some(batch) = batches.next().await {
        if !output.push(&batch?)? {
            break;
        }
    }
    progress.set_matched(filtered(&plan).unwrap_or_else(|| progress.records()));
    Ok(output.finish())
}

/// How many rows came through the filter next to the events, if there is one.
fn filtered(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    if let Some(found) = plan.children().into_iter().find_map(filtered) {
        return Some(found);
    }
    if plan.name() != "FilterExec" {
        return None;
    }
    plan.metrics()?.output_rows().and_then(|rows| u64::try_from(rows).ok())
}
