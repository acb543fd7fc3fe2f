//! Where only so many of the newest rows are wanted: what is older than all of
//! them is not read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, OnceLock, PoisonError};
use weir_logs::scan::TypedEvents;

/// The timestamps of the newest rows so far. Until it is told how many are
/// wanted, all are.
#[derive(Default)]
pub struct Newest {
    wanted: OnceLock<usize>,
    times: Mutex<BinaryHeap<Reverse<i64>>>,
}

impl Newest {
    /// The rows that come out of the scan are not filtered any more, and of
    /// these only so many of the newest are wanted.
    pub fn only(&self, rows: usize) {
        // The first word counts.
        let _ = self.wanted.set(rows.max(1));
    }

    fn oldest(&self, wanted: usize) -> Option<i64> {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        (times.len() >= wanted).then(|| times.peek().map(|Reverse(time)| *time)).flatten()
    }

    /// Whether an event of that time is not one of the newest.
    pub fn is_behind(&self, time: i64) -> bool {
        self.wanted.get().and_then(|wanted| self.oldest(*wanted)).is_some_and(|oldest| time < oldest)
    }

    /// Keeps those that may be of the newest.
    pub fn retain(&self, events: &mut TypedEvents) {
        let Some(&wanted) = self.wanted.get() else { return };
        let mut times = events.timestamps();
        let mut known = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() > wanted {
            // Of these, too, no more than so many can be.
            let mut sorted = times.clone();
            let (_, oldest, _) = sorted.select_nth_unstable_by(wanted - 1, |a, b| b.cmp(a));
            let oldest = *oldest;
            events.retain(|i| times.get(i).is_some_and(|time| *time >= oldest));
            times.retain(|time| *time >= oldest);
        }
        for time in &times {
            if known.len() < wanted {
                known.push(Reverse(*time));
            } else if known.peek().is_some_and(|Reverse(oldest)| oldest < time) {
                known.pop();
                known.push(Reverse(*time));
            }
        }
        if known.len() >= wanted
            && let Some(Reverse(oldest)) = known.peek()
        {
            events.retain(|i| times.get(i).is_some_and(|time| time >= oldest));
        }
    }
}
