//! How queries share memory.
//!
//! DataFusion's fair pool gives each operator that can spill the same share of
//! all memory from the beginning, whether the others need theirs or not: a
//! grouping of some million keys sorted and spilled them with three quarters of
//! the memory free. Here an operator may take more than its share as long as
//! that leaves a quarter of the pool to the others.
//!
//! The merge of a sort's spilled files takes memory for each file, as many files
//! as it gets memory for, and then has none left for what reads it. Here the
//! merges together have half of the pool, and what they have no room for they
//! merge in another round.
//!
//! Invariant: never more than the pool's size for what asks before it takes.

use datafusion::common::DataFusionError;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug)]
pub struct SharedPool {
    bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Operators that can spill.
    spillers: usize,
    /// Merges of spilled files.
    mergers: usize,
    spillable: usize,
    unspillable: usize,
}

impl SharedPool {
    /// A pool of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { bytes, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an operator with `own` bytes may take `more`.
    fn is_allowed(&self, state: &State, consumer: &MemoryConsumer, own: usize, more: usize) -> bool {
        let all = (state.spillable + state.unspillable).saturating_add(more);
        if is_merge(consumer) {
            // Two files are the least that can be merged.
            let share = (self.bytes / 2 / state.mergers.max(1)).max(more.saturating_mul(2));
            return own.saturating_add(more) <= share && all <= self.bytes;
        }
        if !consumer.can_spill() || all <= self.bytes / 4 * 3 {
            return all <= self.bytes;
        }
        let share = self.bytes.saturating_sub(state.unspillable) / state.spillers.max(1);
        own.saturating_add(more) <= share && all <= self.bytes
    }
}

/// Whether it merges the spilled files of a sort: DataFusion says so in the name only.
fn is_merge(consumer: &MemoryConsumer) -> bool {
    consumer.name().starts_with("ExternalSorterMerge")
}

impl fmt::Display for SharedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(pool size: {} bytes)", self.name(), self.bytes)
    }
}

impl MemoryPool for SharedPool {
    fn name(&self) -> &'static str {
        "shared"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        let mut state = self.state();
        state.spillers += usize::from(consumer.can_spill());
        state.mergers += usize::from(is_merge(consumer));
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut state = self.state();
        state.spillers = state.spillers.saturating_sub(usize::from(consumer.can_spill()));
        state.mergers = state.mergers.saturating_sub(usize::from(is_merge(consumer)));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let mut state = self.state();
        if reservation.consumer().can_spill() {
            state.spillable += additional;
        } else {
            state.unspillable += additional;
        }
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut state = self.state();
        if reservation.consumer().can_spill() {
            state.spillable = state.spillable.saturating_sub(shrink);
        } else {
            state.unspillable = state.unspillable.saturating_sub(shrink);
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state();
        if !self.is_allowed(&state, reservation.consumer(), reservation.size(), additional) {
            let used = state.spillable + state.unspillable;
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} has {} bytes and cannot have {additional} more: {used} of {} are used",
                reservation.consumer().name(),
                reservation.size(),
                self.bytes
            )));
        }
        if reservation.consumer().can_spill() {
            state.spillable += additional;
        } else {
            state.unspillable += additional;
        }
        Ok(())
    }

    fn reserved(&self) -> usize {
        let state = self.state();
        state.spillable + state.unspillable
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}
