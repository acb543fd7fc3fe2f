//! What reading tables has cost and found so far, for progress bars, statistics
//! and tests.

use crate::files::meter::{Meter, WholeLimits};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Gzip objects as large as AWS writes them are inflated as a whole.
const WHOLE: WholeLimits = WholeLimits { file_bytes: 160 << 20, text_bytes: 512 << 20, all_bytes: 640 << 20 };
/// Problems that are kept; others are only counted.
const PROBLEMS_KEPT: usize = 20;

/// Shared by the tables of a query. Numbers only rise.
#[derive(Debug)]
pub struct Tally {
    meter: Arc<Meter>,
    /// Objects that would have been read without pruning.
    objects: AtomicU64,
    pruned_objects: AtomicU64,
    pruned_bytes: AtomicU64,
    planned_bytes: AtomicU64,
    lines: AtomicU64,
    malformed: AtomicU64,
    problems: Mutex<Problems>,
    opened: Mutex<Vec<String>>,
}

#[derive(Debug, Default)]
struct Problems {
    malformed: Vec<String>,
    unusable: Vec<Unusable>,
    unusable_count: u64,
}

/// An object that could not be read, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    pub name: String,
    /// The error and its causes.
    pub reason: String,
    pub hint: Option<&'static str>,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            meter: Arc::new(Meter::with_whole(WHOLE)),
            objects: AtomicU64::default(),
            pruned_objects: AtomicU64::default(),
            pruned_bytes: AtomicU64::default(),
            planned_bytes: AtomicU64::default(),
            lines: AtomicU64::default(),
            malformed: AtomicU64::default(),
            problems: Mutex::default(),
            opened: Mutex::default(),
        }
    }
}

impl Tally {
    /// Bytes of objects as they lie there that were read: Athena's
    /// `DataScannedInBytes`.
    pub fn scanned_bytes(&self) -> u64 {
        self.meter.read_bytes()
    }

    /// Bytes of the objects that are read once everything planned is done.
    pub fn planned_bytes(&self) -> u64 {
        self.planned_bytes.load(Ordering::Relaxed)
    }

    /// Objects that belong to the tables, and how many of them were passed over
    /// without being opened.
    pub fn objects(&self) -> (u64, u64) {
        (self.objects.load(Ordering::Relaxed), self.pruned_objects.load(Ordering::Relaxed))
    }

    /// Bytes of the objects that were passed over.
    pub fn pruned_bytes(&self) -> u64 {
        self.pruned_bytes.load(Ordering::Relaxed)
    }

    /// Lines of text that were looked at.
    pub fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }

    /// Lines that were no records.
    pub fn malformed(&self) -> u64 {
        self.malformed.load(Ordering::Relaxed)
    }

    /// The first malformed lines, each with its object's name.
    pub fn first_malformed(&self) -> Vec<String> {
        self.problems().malformed.clone()
    }

    /// Objects that could not be read: how many, and the first of them.
    pub fn unusable(&self) -> (u64, Vec<Unusable>) {
        let problems = self.problems();
        (problems.unusable_count, problems.unusable.clone())
    }

    /// Names of the objects that were opened, in the order of opening. An object
    /// that is read in parts stands there once a part.
    pub fn opened(&self) -> Vec<String> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    pub(crate) fn add_listed(&self, all: u64, pruned: u64, pruned_bytes: u64, planned_bytes: u64) {
        self.objects.fetch_add(all, Ordering::Relaxed);
        self.pruned_objects.fetch_add(pruned, Ordering::Relaxed);
        self.pruned_bytes.fetch_add(pruned_bytes, Ordering::Relaxed);
        self.planned_bytes.fetch_add(planned_bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_opened(&self, name: &str) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
    }

    pub(crate) fn add_lines(&self, lines: u64, malformed: u64) {
        self.lines.fetch_add(lines, Ordering::Relaxed);
        self.malformed.fetch_add(malformed, Ordering::Relaxed);
    }

    pub(crate) fn add_malformed(&self, text: impl FnOnce() -> String) {
        let mut problems = self.problems();
        if problems.malformed.len() < PROBLEMS_KEPT {
            problems.malformed.push(text());
        }
    }

    pub(crate) fn add_unusable(&self, unusable: Unusable) {
        let mut problems = self.problems();
        problems.unusable_count += 1;
        if problems.unusable.len() < PROBLEMS_KEPT {
            problems.unusable.push(unusable);
        }
    }

    fn problems(&self) -> std::sync::MutexGuard<'_, Problems> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
