//! Sessions of DataFusion that share memory, spill files and settings.

use crate::pool::SharedPool;
use datafusion::error::Result;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

/// Of a thread's memory for each row of a batch.
const ROW_BYTES: usize = 16 << 10;

/// A thread has at least that much, or there are fewer of them: what merges the
/// rows of several threads holds batches of all of them.
const THREAD_BYTES: usize = 64 << 20;

/// With less, nothing can be sorted.
pub const LEAST_BYTES: usize = 16 << 20;

/// What sessions may use.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Memory of all queries together, in bytes; what needs more is written to
    /// `spill` for the time being.
    pub memory_bytes: usize,
    /// The folder for it; `None`: the system's for temporary files.
    pub spill: Option<PathBuf>,
    /// How many threads one query uses, if there are 64 MiB for each.
    pub partitions: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            spill: None,
            partitions: thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

/// Makes sessions.
#[derive(Debug, Clone)]
pub struct Engine {
    runtime: Arc<RuntimeEnv>,
    partitions: usize,
    memory_bytes: usize,
}

impl Engine {
    /// # Errors
    /// The folder for spilling is of no use.
    pub fn new(options: &EngineOptions) -> Result<Self> {
        let shown = NonZeroUsize::MIN.saturating_add(2);
        let pool = TrackConsumersPool::new(SharedPool::new(options.memory_bytes), shown);
        let mut runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool));
        if let Some(folder) = &options.spill {
            runtime = runtime.with_temp_file_path(folder);
        }
        Ok(Self {
            runtime: runtime.build_arc()?,
            partitions: options.partitions.min(options.memory_bytes / THREAD_BYTES).max(1),
            memory_bytes: options.memory_bytes,
        })
    }

    /// A session without tables. Names without quotes are lower case, nulls
    /// come last whatever the direction, as in Trino.
    pub fn session(&self) -> SessionContext {
        self.session_with(|config| config)
    }

    /// A session with settings of one's own on top of ours.
    pub fn session_with(&self, change: impl FnOnce(SessionConfig) -> SessionConfig) -> SessionContext {
        let mut config = SessionConfig::new().with_target_partitions(self.partitions);
        let options = config.options_mut();
        options.sql_parser.default_null_ordering = "nulls_last".to_owned();
        options.execution.listing_table_ignore_subdirectory = false;
        // The table asks for it where it pays: crate::table.
        options.execution.parquet.pushdown_filters = false;
        // Grouping first what is then grouped again pays only when most rows
        // fall into a group that is there already.
        options.execution.skip_partial_aggregation_probe_ratio_threshold = 0.5;
        options.execution.time_zone = Some("UTC".to_owned());
        // A thread that sorts must have room for a few batches of wide rows
        // beside what merging them takes, however little memory there is.
        let share = self.memory_bytes / self.partitions;
        let execution = &mut options.execution;
        execution.sort_spill_reservation_bytes = execution.sort_spill_reservation_bytes.min(share / 8);
        let rows = (share / ROW_BYTES).clamp(512, config.batch_size().max(512));
        let config = config.with_batch_size(rows);
        SessionContext::new_with_config_rt(change(config), Arc::clone(&self.runtime))
    }
}
