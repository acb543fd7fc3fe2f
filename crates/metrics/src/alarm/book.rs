//! Every alarm with its history, in memory and in one file that is written anew
//! at each change.

use super::{Alarm, State, StateValue};
use crate::point::Scope;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use weir_types::time::UnixMillis;

/// History items kept of one alarm, at most for [`KEPT_MS`].
const MAX_HISTORY: usize = 200;
/// Source: API reference, DescribeAlarmHistory: 30 days.
const KEPT_MS: i64 = 30 * 86_400_000;

/// `HistoryItemType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HistoryKind {
    ConfigurationUpdate,
    StateUpdate,
    Action,
}

impl HistoryKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigurationUpdate => "ConfigurationUpdate",
            Self::StateUpdate => "StateUpdate",
            Self::Action => "Action",
        }
    }
}

/// One thing that happened to an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub scope: Scope,
    pub alarm: String,
    /// Milliseconds since 1970.
    pub at: i64,
    pub kind: HistoryKind,
    pub summary: String,
    /// JSON.
    pub data: String,
}

/// An action that a change of state asks for and that is not done yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingAction {
    pub number: u64,
    /// As it was when the state changed.
    pub alarm: Alarm,
    pub old: State,
    pub action: String,
}

/// The alarms of a server.
pub struct Alarms {
    file: Option<PathBuf>,
    book: Mutex<Book>,
}

#[derive(Default, Serialize, Deserialize)]
struct Book {
    alarms: Vec<Alarm>,
    history: VecDeque<History>,
    #[serde(default)]
    pending: Vec<PendingAction>,
    #[serde(default)]
    next_action: u64,
}

impl Alarms {
    pub(crate) fn open(file: &Path) -> io::Result<Self> {
        let book = match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Book::default(),
            Err(error) => return Err(error),
        };
        Ok(Self { file: Some(file.to_owned()), book: Mutex::new(book) })
    }

    pub(crate) fn in_memory() -> Self {
        Self { file: None, book: Mutex::default() }
    }

    pub(crate) fn clear(&self) {
        *self.book() = Book::default();
    }

    /// In order of names.
    pub fn list(&self, scope: &Scope) -> Vec<Alarm> {
        let book = self.book();
        let mut found: Vec<Alarm> = book.alarms.iter().filter(|a| a.scope == *scope).cloned().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Of every account and region.
    pub fn all(&self) -> Vec<Alarm> {
        self.book().alarms.clone()
    }

    pub fn get(&self, scope: &Scope, name: &str) -> Option<Alarm> {
        self.book().find(scope, name).map(|alarm| alarm.clone())
    }

    /// Makes or replaces an alarm. One that is replaced keeps its state, until
    /// it is evaluated, and its tags.
    pub fn put(&self, mut alarm: Alarm, now: UnixMillis) -> io::Result<()> {
        let mut book = self.book();
        let name = alarm.name.clone();
        let scope = alarm.scope.clone();
        let is_new = match book.find(&scope, &name) {
            Some(old) => {
                alarm.state = old.state.clone();
                alarm.tags = old.tags.clone();
                *old = alarm;
                false
            }
            None => {
                book.alarms.push(alarm);
                true
            }
        };
        let did = if is_new { "created" } else { "updated" };
        let kind = if is_new { "Create" } else { "Update" };
        book.note(History {
            scope,
            summary: format!("Alarm \"{name}\" {did}"),
            alarm: name,
            at: now.0,
            kind: HistoryKind::ConfigurationUpdate,
            data: json!({"version": "1.0", "type": kind}).to_string(),
        });
        self.save(&book)
    }

    /// Removes alarms; names without one do not matter.
    pub fn delete(&self, scope: &Scope, names: &[String], now: UnixMillis) -> io::Result<()> {
        let mut book = self.book();
        for name in names {
            if book.find(scope, name).is_none() {
                continue;
            }
            book.alarms.retain(|alarm| alarm.scope != *scope || alarm.name != *name);
            book.pending.retain(|pending| pending.alarm.scope != *scope || pending.alarm.name != *name);
            book.note(History {
                scope: scope.clone(),
                alarm: name.clone(),
                at: now.0,
                kind: HistoryKind::ConfigurationUpdate,
                summary: format!("Alarm \"{name}\" deleted"),
                data: json!({"version": "1.0", "type": "Delete"}).to_string(),
            });
        }
        self.save(&book)
    }

    /// Changes alarms in place, those of the names that are there.
    pub fn update(&self, scope: &Scope, names: &[String], change: impl Fn(&mut Alarm)) -> io::Result<()> {
        let mut book = self.book();
        for name in names {
            if let Some(alarm) = book.find(scope, name) {
                change(alarm);
            }
        }
        self.save(&book)
    }

    /// Sets a state; if its value is another one, the actions of it are due.
    /// False: there is no such alarm.
    pub fn set_state(
        &self,
        scope: &Scope,
        name: &str,
        (value, reason, data): (StateValue, String, Option<String>),
        now: UnixMillis,
    ) -> io::Result<bool> {
        let mut book = self.book();
        let Some(alarm) = book.find(scope, name) else { return Ok(false) };
        let old = alarm.state.clone();
        let changed = old.value != value;
        let transitioned = if changed { now.0 } else { old.transitioned };
        alarm.state = State { value, reason, data, updated: now.0, transitioned };
        if !changed {
            self.save(&book)?;
            return Ok(true);
        }
        let alarm = alarm.clone();
        book.note(History {
            scope: scope.clone(),
            alarm: name.to_owned(),
            at: now.0,
            kind: HistoryKind::StateUpdate,
            summary: format!("Alarm updated from {} to {}", old.value.as_str(), value.as_str()),
            data: json!({"version": "1.0", "oldState": shown(&old), "newState": shown(&alarm.state)})
                .to_string(),
        });
        if alarm.actions_enabled {
            for action in alarm.actions(value) {
                let number = book.next_action;
                book.next_action += 1;
                let pending =
                    PendingAction { number, alarm: alarm.clone(), old: old.clone(), action: action.clone() };
                book.pending.push(pending);
            }
        }
        self.save(&book)?;
        Ok(true)
    }

    /// What is to be done, oldest first; each until [`Alarms::acted`].
    pub fn pending(&self) -> Vec<PendingAction> {
        self.book().pending.clone()
    }

    /// An action was carried out, or cannot be.
    pub fn acted(
        &self,
        done: &PendingAction,
        outcome: Result<(), String>,
        now: UnixMillis,
    ) -> io::Result<()> {
        let mut book = self.book();
        book.pending.retain(|pending| pending.number != done.number);
        let (state, action) = (done.alarm.state.value.as_str(), &done.action);
        let (summary, error) = match outcome {
            Ok(()) => (format!("Successfully executed action {action}"), Value::Null),
            Err(error) => (format!("Failed to execute action {action}"), json!(error)),
        };
        book.note(History {
            scope: done.alarm.scope.clone(),
            alarm: done.alarm.name.clone(),
            at: now.0,
            kind: HistoryKind::Action,
            summary,
            data: json!({"actionState": if error.is_null() { "Succeeded" } else { "Failed" },
                "stateUpdateTimestamp": done.alarm.state.updated, "notificationResource": action,
                "state": state, "error": error})
            .to_string(),
        });
        self.save(&book)
    }

    /// Newest first.
    pub fn history(&self, scope: &Scope) -> Vec<History> {
        self.book().history.iter().rev().filter(|item| item.scope == *scope).cloned().collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Written beside and renamed, so that there is always a whole file.
    fn save(&self, book: &Book) -> io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(book)?)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        match path.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Book {
    fn find(&mut self, scope: &Scope, name: &str) -> Option<&mut Alarm> {
        self.alarms.iter_mut().find(|alarm| alarm.scope == *scope && alarm.name == name)
    }

    fn note(&mut self, item: History) {
        let (scope, alarm, now) = (item.scope.clone(), item.alarm.clone(), item.at);
        self.history.push_back(item);
        let mut of_alarm = self.history.iter().filter(|i| i.scope == scope && i.alarm == alarm).count();
        self.history.retain(|item| {
            let same = item.scope == scope && item.alarm == alarm;
            let keep = item.at > now - KEPT_MS && !(same && of_alarm > MAX_HISTORY);
            of_alarm -= usize::from(same && !keep);
            keep
        });
    }
}

/// A state in history data.
fn shown(state: &State) -> Value {
    let data = state.data.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut shown = json!({"stateValue": state.value.as_str(), "stateReason": state.reason});
    if let Some(data) = data {
        shown["stateReasonData"] = data;
    }
    shown
}
