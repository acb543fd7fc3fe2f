//! Alarm actions: a web hook, or a command that the server's owner allows.
//!
//! | action | what happens |
//! |---|---|
//! | `http://…`, `https://…` | POST of the message, as Amazon SNS would send it |
//! | `exec:/path` | the command runs with the message on its input, if allowed |
//! | `arn:…` | nothing; the history says so |
//!
//! An action that fails is tried three times. One that a restart interrupts is
//! done again: at least once.
//!
//! Source of the message: CloudWatch user guide, the JSON of alarm notifications.

use ::http::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::task::JoinSet;
use weir_delivery::http::Http;
use weir_metrics::Metrics;
use weir_metrics::alarm::{Alarm, PendingAction};
use weir_types::time::UnixMillis;

/// How often an action is tried, and the pauses between.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// How long a command may run.
const COMMAND: Duration = Duration::from_secs(60);

/// Carries out actions.
#[derive(Clone)]
pub struct Actions {
    http: Http,
    /// Commands that `exec:` may name.
    allowed: Arc<[PathBuf]>,
    now: Arc<dyn Fn() -> UnixMillis + Send + Sync>,
}

impl Actions {
    pub fn new(http: Http, allowed: Vec<PathBuf>, now: Arc<dyn Fn() -> UnixMillis + Send + Sync>) -> Self {
        Self { http, allowed: allowed.into(), now }
    }

    /// Carries out everything that is pending, all at once.
    pub async fn run(&self, metrics: &Arc<Metrics>) {
        let mut running = JoinSet::new();
        for pending in metrics.alarms.pending() {
            let (actions, metrics) = (self.clone(), metrics.clone());
            running.spawn(async move {
                let outcome = actions.try_often(&pending).await;
                if let Err(error) = metrics.alarms.acted(&pending, outcome.clone(), (actions.now)()) {
                    tracing::error!(%error, "the alarms' file cannot be written");
                }
                // Said when the history has it.
                match &outcome {
                    Ok(()) => tracing::info!(alarm = pending.alarm.name, action = pending.action, "done"),
                    Err(error) => {
                        tracing::warn!(alarm = pending.alarm.name, action = pending.action, error, "failed");
                    }
                }
            });
        }
        while running.join_next().await.is_some() {}
    }

    async fn try_often(&self, pending: &PendingAction) -> Result<(), String> {
        let mut outcome = self.act(pending).await;
        for pause in PAUSES {
            match &outcome {
                Err(Failure::Passing(_)) => tokio::time::sleep(pause).await,
                _ => break,
            }
            outcome = self.act(pending).await;
        }
        outcome.map_err(|(Failure::Passing(text) | Failure::Lasting(text))| text)
    }

    async fn act(&self, pending: &PendingAction) -> Result<(), Failure> {
        let body = message(&pending.alarm, pending);
        let action = &pending.action;
        if let Some(path) = action.strip_prefix("exec:") {
            let path = PathBuf::from(path);
            if !self.allowed.contains(&path) {
                let hint = format!("weir serve --allow-alarm-command {}", path.display());
                return Err(Failure::Lasting(format!("the command is not allowed: {hint}")));
            }
            return self.command(&path, &pending.alarm, body.to_string()).await.map_err(Failure::Passing);
        }
        if action.starts_with("arn:") {
            return Err(Failure::Lasting("there is no such service here".into()));
        }
        let headers = [("content-type", "application/json"), ("user-agent", "weir")];
        let sent = self.http.send(Method::POST, action, &headers, body.to_string().into_bytes()).await;
        sent.map(|_| ()).map_err(|error| Failure::Passing(error.to_string()))
    }

    async fn command(&self, path: &PathBuf, alarm: &Alarm, body: String) -> Result<(), String> {
        let mut child = Command::new(path)
            .env("WEIR_ALARM_NAME", &alarm.name)
            .env("WEIR_ALARM_STATE", alarm.state.value.as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", path.display()))?;
        if let Some(mut input) = child.stdin.take()
            && let Err(error) = input.write_all(body.as_bytes()).await
        {
            tracing::debug!(%error, "the command does not read its input");
        }
        match tokio::time::timeout(COMMAND, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("{} ended with {status}", path.display())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("{} was ended after {} s", path.display(), COMMAND.as_secs())),
        }
    }
}

enum Failure {
    /// Another try may help.
    Passing(String),
    Lasting(String),
}

/// What a notification says.
fn message(alarm: &Alarm, pending: &PendingAction) -> Value {
    let mut trigger = json!({
        "Period": alarm.period(),
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm.unwrap_or(alarm.evaluation_periods),
        "ComparisonOperator": alarm.comparison.as_str(),
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data.as_deref().unwrap_or("missing"),
    });
    if let Some(metric) = alarm.watched().and_then(|query| query.metric.as_ref()) {
        trigger["MetricName"] = json!(metric.id.name);
        trigger["Namespace"] = json!(metric.id.namespace);
        trigger["Statistic"] = json!(metric.stat);
        trigger["Dimensions"] =
            metric.id.dimensions.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    }
    json!({
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": alarm.scope.account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured),
        "NewStateValue": alarm.state.value.as_str(),
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": stamp(alarm.state.updated),
        "Region": alarm.scope.region,
        "AlarmArn": alarm.arn,
        "OldStateValue": pending.old.value.as_str(),
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": trigger,
    })
}

fn stamp(millis: i64) -> String {
    let t = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
    let (hour, minute, second, milli) = (t.hour(), t.minute(), t.second(), t.millisecond());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}+0000")
}
