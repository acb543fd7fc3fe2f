//! How far each subscription has come, kept over restarts.
//!
//! One small JSON file, written anew at each step. If it is behind (a crash
//! between sending and writing), events are sent again: at least once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

pub struct Progress {
    /// `None`: nothing is kept.
    file: Option<PathBuf>,
    /// Sequences by subscription.
    read_to: BTreeMap<String, u64>,
}

impl Progress {
    pub fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let read_to = match file.as_ref().map(fs::read) {
            None => BTreeMap::new(),
            Some(Ok(text)) => serde_json::from_slice(&text)?,
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Some(Err(error)) => return Err(error),
        };
        Ok(Self { file, read_to })
    }

    pub fn get(&self, subscription: &str) -> Option<u64> {
        self.read_to.get(subscription).copied()
    }

    pub fn set(&mut self, subscription: &str, read_to: u64) -> io::Result<()> {
        self.read_to.insert(subscription.to_owned(), read_to);
        self.save()
    }

    /// Forgets all but these.
    pub fn keep(&mut self, known: &[String]) -> io::Result<()> {
        let before = self.read_to.len();
        self.read_to.retain(|subscription, _| known.contains(subscription));
        if self.read_to.len() == before { Ok(()) } else { self.save() }
    }

    fn save(&self) -> io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(&self.read_to)?)?;
        file.sync_data()?;
        fs::rename(&beside, path)
    }
}
