//! Writing a log group to a bucket: `PREFIX/TASK/STREAM/000000.gz`, a line an
//! event (`2026-11-01T12:00:00.000Z message`), streams without events left out.
//! A slash in a stream's name becomes a dash.

use super::arn;
use super::error::invalid;
use crate::call::Call;
use crate::error::{ApiError, chain};
use crate::protocol::stamp::iso_millis;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use weir_iam::{DocumentKind, NamedPolicy, PolicyDocument};
use weir_logs::{DescribeLogStreams, ExportStatus, ExportTask, GetLogEvents};
use weir_objects::Store;
use weir_types::arn::partition_of;

/// Who writes, as bucket policies name it.
const SERVICE: &str = "logs.amazonaws.com";

/// Compressed bytes at which the next object of a stream is begun.
const OBJECT_BYTES: u64 = 64 << 20;

/// The store with the task's bucket.
///
/// Errors: `InvalidParameterException`, in AWS's words, if there is no such
/// bucket or the service may not write to it.
pub fn bucket(call: &Call<'_>, task: &ExportTask) -> Result<Arc<Store>, ApiError> {
    let missing = || invalid("The given bucket does not exist. Please make sure the bucket is valid.");
    let objects = call.services.objects.get().ok_or_else(missing)?;
    let bucket = objects.bucket(&task.destination).map_err(ApiError::internal)?.ok_or_else(missing)?;
    if call.services.settings.emulator {
        return Ok(objects.store().clone());
    }
    let policy = bucket.policy.as_deref();
    let policy = policy.and_then(|text| PolicyDocument::parse(text, DocumentKind::Resource).ok());
    let bucket_arn = format!("arn:{}:s3:::{}", partition_of(&call.scope.region), task.destination);
    let service = call.as_service(SERVICE);
    let group = arn::group_and_streams(&call.scope, &task.group);
    let object = format!("{bucket_arn}/{}/{}/stream/000000.gz", task.destination_prefix, task.id);
    for (action, resource) in [("GetBucketAcl", &bucket_arn), ("PutObject", &object)] {
        let policies = policy.iter().map(|document| NamedPolicy::new(&bucket_arn, document)).collect();
        let context = [
            ("s3:x-amz-acl", "bucket-owner-full-control"),
            ("aws:SourceAccount", call.scope.account.as_str()),
            ("aws:SourceArn", group.as_str()),
        ];
        let refused = service.decide_on(
            &format!("s3:{action}"),
            resource,
            Some(&bucket.account),
            policies,
            &context,
        )?;
        if refused.is_some() {
            return Err(invalid(format!(
                "{action} call on the given bucket failed. Please check if CloudWatch Logs has been granted \
                 permission to perform this operation."
            )));
        }
    }
    Ok(objects.store().clone())
}

/// Runs a task that was kept, on a thread of its own. `prefix` is what was asked for.
pub fn start(
    call: &Call<'_>,
    scope: weir_logs::Scope,
    task: ExportTask,
    prefix: Option<&str>,
    objects: Arc<Store>,
) -> Result<(), ApiError> {
    let test = prefix.map_or_else(String::new, |prefix| format!("{prefix}/")) + "aws-logs-write-test";
    let export =
        Export { logs: call.services.logs.clone(), objects, scope, now: call.services.clock.clone(), task };
    export.object(&test, b"Permission Check Successful").map_err(|error| {
        export.tell(ExportStatus::Failed, &error);
        ApiError::internal(error)
    })?;
    let (logs, scope, id, now) =
        (export.logs.clone(), export.scope.clone(), export.task.id.clone(), (export.now)());
    let thread = std::thread::Builder::new().name("weir-export".into()).spawn(move || export.run());
    let thread = thread.map_err(|error| {
        if let Err(error) = logs.set_export_status(&scope, &id, ExportStatus::Failed, &error.to_string(), now)
        {
            tracing::error!(error = chain(&error), "the status of an export cannot be kept");
        }
        ApiError::internal(error)
    })?;
    if call.services.settings.emulator && thread.join().is_err() {
        return Err(ApiError::internal("an export panicked"));
    }
    Ok(())
}

struct Export {
    logs: Arc<weir_logs::Store>,
    objects: Arc<Store>,
    scope: weir_logs::Scope,
    now: crate::call::Clock,
    task: ExportTask,
}

type Written = Result<(), String>;

impl Export {
    fn run(self) {
        if !self.tell(ExportStatus::Running, "Task is active") {
            return;
        }
        match self.streams() {
            // If it was cancelled meanwhile, the store says that.
            Ok(()) => self.tell(ExportStatus::Completed, "Completed successfully"),
            Err(error) => {
                tracing::error!(task = self.task.id, group = self.task.group, error, "an export failed");
                self.tell(ExportStatus::Failed, &error)
            }
        };
    }

    /// Whether the task is to go on.
    fn tell(&self, status: ExportStatus, message: &str) -> bool {
        let now = (self.now)();
        let goes_on = self.logs.set_export_status(&self.scope, &self.task.id, status, message, now);
        goes_on.unwrap_or_else(|error| {
            tracing::error!(error = chain(&error), "the status of an export cannot be kept");
            false
        })
    }

    fn streams(&self) -> Written {
        let mut request = DescribeLogStreams {
            group: self.task.group.clone(),
            name_prefix: self.task.stream_name_prefix.clone(),
            ..Default::default()
        };
        let mut numbers = HashMap::new();
        loop {
            let page = self.logs.describe_log_streams(&self.scope, &request, (self.now)());
            let page = page.map_err(|error| chain(&error))?;
            for stream in page.log_streams {
                self.stream(&stream.name, &mut numbers)?;
            }
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                return Ok(());
            }
        }
    }

    /// `numbers` has the number of the next object of each folder: streams whose
    /// names differ in a slash and a dash share one.
    fn stream(&self, stream: &str, numbers: &mut HashMap<String, u32>) -> Written {
        let mut request = GetLogEvents {
            group: self.task.group.clone(),
            stream: stream.to_owned(),
            start_time: Some(self.task.from),
            // Excluded there, included here.
            end_time: Some(self.task.to.saturating_add(1)),
            start_from_head: true,
            ..Default::default()
        };
        let ExportTask { id, destination, destination_prefix, .. } = &self.task;
        let folder = format!("{destination_prefix}/{id}/{}", stream.replace('/', "-"));
        let mut open: Option<GzEncoder<weir_objects::store::Writing<'_>>> = None;
        let number = numbers.entry(folder.clone()).or_default();
        let finish = |out: GzEncoder<weir_objects::store::Writing<'_>>, number: &mut u32| {
            let file = out.finish().map_err(|error| error.to_string())?;
            let key = format!("{folder}/{number:06}.gz");
            *number += 1;
            file.finish(destination, &key, "application/x-gzip", (self.now)().0)
                .map_err(|error| chain(&error))
        };
        loop {
            if self.logs.is_export_cancelled(&self.scope, id) {
                return Ok(());
            }
            let page = self.logs.get_log_events(&self.scope, &request, (self.now)());
            let page = page.map_err(|error| chain(&error))?;
            if page.events.is_empty() {
                return open.map_or(Ok(()), |out| finish(out, number));
            }
            let mut out = match open.take() {
                Some(out) => out,
                None => {
                    let file = self.objects.write().map_err(|error| chain(&error))?;
                    GzEncoder::new(file, Compression::default())
                }
            };
            for event in page.events {
                writeln!(out, "{} {}", iso_millis(event.timestamp), event.message)
                    .map_err(|error| error.to_string())?;
            }
            if out.get_ref().size() >= OBJECT_BYTES {
                finish(out, number)?;
            } else {
                open = Some(out);
            }
            request.next_token = Some(page.next_forward_token);
        }
    }

    fn object(&self, key: &str, bytes: &[u8]) -> Written {
        let mut out = self.objects.write().map_err(|error| chain(&error))?;
        out.write_all(bytes).map_err(|error| error.to_string())?;
        let done = out.finish(&self.task.destination, key, "text/plain", (self.now)().0);
        done.map_err(|error| chain(&error))
    }
}
