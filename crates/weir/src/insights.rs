//! Runs Logs Insights queries for the service, on threads of its own, so that a
//! large query does not slow down requests.

use anyhow::Result;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use weir_api::insights::{Begun, Cancel, End, Ended, Insights};
use weir_logs::Store;
use weir_logs::insights::{Progress, Request};
use weir_query::insights::{Limits, run};

/// Queries that run at the same time; the others wait for their turn.
const AT_ONCE: usize = 4;
/// The longest that a query may run. Source: CloudWatch Logs quotas.
const LONGEST: Duration = Duration::from_secs(3600);

/// The engine of a server.
pub struct Engine {
    store: Store,
    /// Taken when the engine goes.
    runtime: Option<Runtime>,
    turns: Arc<Semaphore>,
    limits: Limits,
}

impl Engine {
    pub fn start(store: &Store) -> Result<Self> {
        let limits = Limits::default();
        let runtime = Builder::new_multi_thread()
            .worker_threads(limits.parallelism)
            .thread_name("insights")
            .enable_time()
            .build()?;
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { store: store.clone(), runtime: Some(runtime), turns, limits })
    }
}

impl Insights for Engine {
    fn start(&self, request: Request, progress: Arc<Progress>, begun: Begun, ended: Ended) -> Cancel {
        let Some(runtime) = &self.runtime else { return Box::new(|| {}) };
        let (store, turns, limits) = (self.store.clone(), self.turns.clone(), self.limits);
        let task = runtime.spawn(async move {
            let _turn = turns.acquire().await;
            begun();
            let end = match tokio::time::timeout(LONGEST, run(&store, request, limits, progress)).await {
                Ok(Ok(rows)) => End::Complete(rows),
                Ok(Err(error)) => End::Failed(weir_api::error::chain(&error)),
                Err(_) => End::TimedOut,
            };
            ended(end);
        });
        let task = task.abort_handle();
        Box::new(move || task.abort())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
