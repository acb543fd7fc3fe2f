//! Export tasks: what was asked for and how far it is. The service writes the
//! objects.
//!
//! Source: CloudWatch Logs API reference, CreateExportTask and its neighbours.

use serde::{Deserialize, Serialize};

use super::{Kind, all, get, gone, put};
use crate::describe::page_size;
use crate::error::LogsError;
use crate::limits::{Constraints, one_of};
use crate::store::{Scope, Store, lock};
use crate::token::{list_token, read_list_token};
use weir_types::time::UnixMillis;

/// Finished tasks that are kept; the oldest go.
const KEPT: usize = 1_000;

/// What becomes of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportStatus {
    Pending,
    Running,
    Completed,
    Failed,
    PendingCancel,
    Cancelled,
}

impl ExportStatus {
    const ALL: [Self; 6] =
        [Self::Cancelled, Self::Completed, Self::Failed, Self::Pending, Self::PendingCancel, Self::Running];

    /// AWS's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::PendingCancel => "PENDING_CANCEL",
            Self::Cancelled => "CANCELLED",
        }
    }

    fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Running | Self::PendingCancel)
    }
}

/// A log group on its way to a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportTask {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name_prefix: Option<String>,
    /// Milliseconds since 1970, both included.
    pub from: i64,
    pub to: i64,
    /// The bucket.
    pub destination: String,
    pub destination_prefix: String,
    pub status: ExportStatus,
    pub message: String,
    /// Milliseconds since 1970.
    pub created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<i64>,
}

/// A page, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportTasks {
    pub export_tasks: Vec<ExportTask>,
    pub next_token: Option<String>,
}

impl Kind for ExportTask {
    const KIND: &'static str = "export-task";

    fn id(&self) -> String {
        self.id.clone()
    }
}

const NO_TASK: LogsError = LogsError::ResourceNotFound("The specified export task does not exist.");

impl Store {
    /// The checks of CreateExportTask that need no bucket.
    pub fn check_export_task(&self, scope: &Scope, task: &ExportTask) -> Result<(), LogsError> {
        let mut constraints = Constraints::new();
        constraints.group_name(&task.group, "logGroupName");
        if let Some(name) = &task.name {
            constraints.length(name, "taskName", 1, 512);
        }
        if let Some(prefix) = &task.stream_name_prefix {
            constraints.stream_name(prefix, "logStreamNamePrefix");
        }
        constraints.range(Some(task.from), "from", 0, i64::MAX);
        constraints.range(Some(task.to), "to", 0, i64::MAX);
        constraints.length(&task.destination, "destination", 1, 512);
        constraints.finish()?;
        if task.from > task.to {
            let text = "The 'from' timestamp must not be later than the 'to' timestamp.";
            return Err(LogsError::InvalidParameter(text.into()));
        }
        let state = self.state();
        state.group(scope, &task.group)?;
        Ok(())
    }

    /// CreateExportTask: keeps the task, which this process now runs.
    /// `LimitExceeded` while another one of the account and region is active.
    pub fn create_export_task(&self, scope: &Scope, task: ExportTask) -> Result<(), LogsError> {
        self.check_export_task(scope, &task)?;
        let (of, id, inner) = (scope.clone(), task.id.clone(), self.inner.clone());
        lock(&inner.exports).insert(id.clone());
        let made = self.change(move |state| {
            let is_running =
                |other: &ExportTask| other.id != task.id && lock(&inner.exports).contains(&other.id);
            let mut known = all::<ExportTask>(state, &of);
            if known.iter().any(|other| other.status.is_active() && is_running(other)) {
                return Err(LogsError::LimitExceeded("Resource limit exceeded."));
            }
            let mut records = vec![put(&of, &task)];
            if known.len() >= KEPT {
                known.sort_by_key(|task| task.created);
                let old = known.iter().take(known.len() + 1 - KEPT);
                records.extend(old.map(|task| gone::<ExportTask>(&of, &task.id)));
            }
            Ok(records)
        });
        if made.is_err() {
            lock(&self.inner.exports).remove(&id);
        }
        made.map(drop)
    }

    /// Says how far a task is; whether it is to go on. A task that is to be
    /// cancelled becomes `Cancelled`, whatever `status` says, and one that has
    /// ended stays as it is. A task whose state cannot be kept does not go on.
    pub fn set_export_status(
        &self,
        scope: &Scope,
        id: &str,
        status: ExportStatus,
        message: &str,
        now: UnixMillis,
    ) -> Result<bool, LogsError> {
        let (of, task, message) = (scope.clone(), id.to_owned(), message.to_owned());
        let written = self.change(move |state| {
            let Some(mut task) = get::<ExportTask>(state, &of, &task) else { return Ok(Vec::new()) };
            if !task.status.is_active() {
                return Ok(Vec::new());
            }
            (task.status, task.message) = match task.status {
                ExportStatus::PendingCancel => (ExportStatus::Cancelled, "Cancelled by user".to_owned()),
                _ => (status, message),
            };
            task.completed = (!task.status.is_active()).then_some(now.0);
            Ok(vec![put(&of, &task)])
        });
        let is_active =
            || get::<ExportTask>(&self.state(), scope, id).is_some_and(|task| task.status.is_active());
        let goes_on = written.is_ok() && status.is_active() && is_active();
        if !goes_on {
            lock(&self.inner.exports).remove(id);
        }
        written.map(|_| goes_on)
    }

    /// Whether somebody has asked for the task to be cancelled, or it is gone.
    pub fn is_export_cancelled(&self, scope: &Scope, id: &str) -> bool {
        let task: Option<ExportTask> = get(&self.state(), scope, id);
        task.is_none_or(|task| !matches!(task.status, ExportStatus::Pending | ExportStatus::Running))
    }

    /// DescribeExportTasks: one, or those with a status. A task that was
    /// interrupted by the end of its process has failed.
    pub fn describe_export_tasks(
        &self,
        scope: &Scope,
        id: Option<&str>,
        status: Option<&str>,
        limit: Option<i64>,
        next_token: Option<&str>,
    ) -> Result<ExportTasks, LogsError> {
        const LIST: &str = "export tasks";
        let mut constraints = Constraints::new();
        let size = page_size(limit, &mut constraints);
        if let Some(id) = id {
            constraints.length(id, "taskId", 1, 512);
        }
        if let Some(status) = status {
            let names = ExportStatus::ALL.map(ExportStatus::name);
            constraints.that(names.contains(&status), status, "statusCode", one_of(names));
        }
        constraints.finish()?;
        let after = next_token.map(|token| read_list_token(token, LIST)).transpose()?;
        let key = |task: &ExportTask| format!("{:020} {}", i64::MAX - task.created, task.id);
        // A task is running before it is in the state, and active no more before it ends.
        let state = self.state();
        let running = lock(&self.inner.exports).clone();
        let mut found = all::<ExportTask>(&state, scope);
        drop(state);
        for task in found.iter_mut().filter(|task| task.status.is_active() && !running.contains(&task.id)) {
            task.status = ExportStatus::Failed;
            task.message = "The server was stopped before the task was done".to_owned();
        }
        found.retain(|task| {
            id.is_none_or(|id| task.id == id) && status.is_none_or(|status| task.status.name() == status)
        });
        if id.is_some() && status.is_none() && found.is_empty() {
            return Err(NO_TASK);
        }
        found.sort_by_cached_key(key);
        found.retain(|task| after.as_ref().is_none_or(|after| key(task) > *after));
        let more = found.len() > size;
        found.truncate(size);
        let next_token = found.last().filter(|_| more).map(|last| list_token(LIST, &key(last)));
        Ok(ExportTasks { export_tasks: found, next_token })
    }

    /// CancelExportTask.
    pub fn cancel_export_task(&self, scope: &Scope, id: &str) -> Result<(), LogsError> {
        Constraints::new().length(id, "taskId", 1, 512).finish()?;
        let (scope, id, inner) = (scope.clone(), id.to_owned(), self.inner.clone());
        self.change(move |state| {
            let mut task: ExportTask = get(state, &scope, &id).ok_or(NO_TASK)?;
            if !task.status.is_active() || !lock(&inner.exports).contains(&task.id) {
                return Err(LogsError::InvalidOperation("The specified export task has already finished"));
            }
            task.status = ExportStatus::PendingCancel;
            Ok(vec![put(&scope, &task)])
        })?;
        Ok(())
    }
}
