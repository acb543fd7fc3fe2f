//! Runs Logs Insights queries for the service, on threads of its own, so that a
//! large query does not slow down requests.

use anyhow::Result;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use weir_api::insights::{Begun, Cancel, End, Ended, Insights};
use weir_logs::Store;
use weir_logs::insights::{Progress, Request, Rows};
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
            ended(end_of(run(&store, request, limits, progress)).await);
        });
        let task = task.abort_handle();
        Box::new(move || task.abort())
    }
}

/// Whatever happens to the work, the query has an end: of a panic, too.
async fn end_of<E: std::error::Error>(work: impl Future<Output = Result<Rows, E>>) -> End {
    let work = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(LONGEST, work).await {
        Ok(Ok(Ok(rows))) => End::Complete(rows),
        Ok(Ok(Err(error))) => End::Failed(weir_api::error::chain(&error)),
        Ok(Err(_)) => End::Failed("the engine panicked".to_owned()),
        Err(_) => End::TimedOut,
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_query_that_panics_has_failed() {
        let work = async { panic!("a fault of the engine") };
        let end = end_of::<std::io::Error>(work).await;
        assert!(matches!(&end, End::Failed(reason) if reason == "the engine panicked"), "{end:?}");
    }
}
