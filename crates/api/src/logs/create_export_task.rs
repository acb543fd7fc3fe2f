//! CreateExportTask: writes the events of a group to a bucket of this server, a
//! compressed object a stream.
//!
//! The bucket's policy must let `logs.amazonaws.com` read its access list and
//! write, as in AWS. A task runs when it was made; in an emulator it is done
//! when the action answers.
//!
//! Source: user guide, "Exporting log data to Amazon S3".

use super::{arn, export, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::{ExportStatus, ExportTask};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["logGroupName", "from", "to", "destination"])?;
    let [group, bucket] = required::texts(members, ["logGroupName", "destination"])?;
    let owned = |name| members.text(name).map(|text| text.map(str::to_owned));
    let prefix = owned("destinationPrefix")?.filter(|prefix| !prefix.is_empty());
    let task = ExportTask {
        id: super::random_id()?,
        name: owned("taskName")?,
        group: group.to_owned(),
        stream_name_prefix: owned("logStreamNamePrefix")?,
        from: members.integer("from")?.unwrap_or_default(),
        to: members.integer("to")?.unwrap_or_default(),
        destination: bucket.to_owned(),
        destination_prefix: prefix.clone().unwrap_or_else(|| "exportedlogs".to_owned()),
        status: ExportStatus::Pending,
        message: "Task is pending".to_owned(),
        created: call.now.0,
        completed: None,
    };
    permit::group(call, "CreateExportTask", group)?;
    let scope = arn::store_scope(&call.scope);
    call.services.logs.check_export_task(&scope, &task)?;
    let objects = export::bucket(call, &task)?;
    call.services.logs.create_export_task(&scope, task.clone())?;
    let id = task.id.clone();
    export::start(call, scope, task, prefix.as_deref(), objects)?;
    Ok(Some(json!({ "taskId": id })))
}
