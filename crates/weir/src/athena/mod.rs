//! Athena's engine: statements of the catalog and queries on the objects of the
//! embedded S3, in the background and under their callers' permissions.
//!
//! ```text
//! StartQueryExecution ─▶ check: syntax ─▶ QUEUED ─▶ a turn ─▶ RUNNING
//!   ─▶ statement.rs: the catalog (weir_control), or a query (weir_query)
//!   ─▶ output.rs: result, metadata and manifest as objects ─▶ SUCCEEDED | FAILED
//! ```

mod catalog;
mod data;
mod ddl;
mod output;
mod show;
mod statement;

use futures_util::FutureExt;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tracing::{error, info};
use weir_api::Services;
use weir_api::athena::engine::{Job, QueryEngine};
use weir_control::Cx;
use weir_control::athena::execution::{self, Failure};
use weir_query::athena::QueryError;
use weir_query::ddl::{self as sql, Statement};

/// Statements that run at once.
const TURNS: usize = 4;

/// How long an emulator's clients wait for what they ask next.
const EMULATOR_PATIENCE: Duration = Duration::from_secs(10);

/// Runs statements.
pub struct Athena {
    services: Weak<Services>,
    runtime: Handle,
    turns: Arc<Semaphore>,
    running: Arc<Mutex<HashMap<String, AbortHandle>>>,
}

/// Gives the services their engine. What was under way at the last stop has failed.
///
/// # Errors
/// The state cannot be written.
pub fn serve(services: &Arc<Services>) -> anyhow::Result<()> {
    let now = (services.clock)();
    services.state.transact(|tx| execution::fail_unfinished(tx, now))?;
    let engine = Athena {
        services: Arc::downgrade(services),
        runtime: Handle::current(),
        turns: Arc::new(Semaphore::new(TURNS)),
        running: Arc::default(),
    };
    drop(services.queries.set(Arc::new(engine)));
    Ok(())
}

impl QueryEngine for Athena {
    fn check(&self, text: &str) -> Result<(&'static str, &'static str), String> {
        let statement = sql::parse(text).map_err(|error| error.to_string())?;
        let query = match &statement {
            Statement::Query(query)
            | Statement::CreateView { query, .. }
            | Statement::CreateTableAs { query, .. }
            | Statement::Unload { query, .. }
            | Statement::Insert { query, .. }
            | Statement::Prepare { query, .. } => Some(query),
            Statement::Explain { query, .. } => match sql::parse(query).map_err(|error| error.to_string())? {
                Statement::Query(_) => Some(query),
                _ => return Err("Queries of this type are not supported".to_owned()),
            },
            _ => None,
        };
        if let Some(query) = query {
            weir_query::athena::check(query)?;
        }
        let (kind, detail) = statement.kind();
        Ok((kind.as_str(), detail))
    }

    fn start(&self, job: Job) {
        let id = job.execution.id.clone();
        let Some(services) = self.services.upgrade() else { return };
        let emulator = services.settings.emulator;
        let (turns, running) = (self.turns.clone(), self.running.clone());
        let own = id.clone();
        let task = self.runtime.spawn(async move {
            let turn = turns.acquire().await;
            run(services, job).await;
            drop(turn);
            lock(&running).remove(&own);
        });
        let handle = task.abort_handle();
        if !task.is_finished() {
            lock(&self.running).insert(id, handle);
        }
        if emulator {
            let until = Instant::now() + EMULATOR_PATIENCE;
            while !task.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }

    fn cancel(&self, id: &str) {
        if let Some(task) = lock(&self.running).remove(id) {
            task.abort();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs something that uses the state or the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    tokio::task::spawn_blocking(work).await.map_err(QueryError::internal)?
}

async fn run(services: Arc<Services>, job: Job) {
    let job = Arc::new(job);
    let id = job.execution.id.clone();
    let (of, own) = (services.clone(), job.clone());
    let begun = blocking(move || {
        let call = own.caller.call(&of);
        call.transact(|cx| execution::run(cx, &own.execution.id)).map_err(|e| QueryError::internal(e.message))
    });
    match begun.await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => return error!(%error, id, "a query could not begin"),
    }
    // A panic must not leave it RUNNING.
    let done = AssertUnwindSafe(statement::execute(&services, &job)).catch_unwind().await;
    let done = done.unwrap_or_else(|_| Err(QueryError::internal("the engine panicked")));
    let outcome =
        done.map_err(|error| Failure { category: error.category, kind: error.kind, message: error.message });
    info!(id, failure = outcome.as_ref().err().map(|failure| failure.message.as_str()), "a query has ended");
    let finished = blocking(move || {
        let call = job.caller.call(&services);
        let finish = |cx: Cx<'_>| execution::finish(cx, &job.execution.id, outcome.as_ref());
        call.transact(finish).map_err(|error| QueryError::internal(error.message))
    });
    if let Err(error) = finished.await {
        error!(%error, id, "the end of a query could not be kept");
    }
}
