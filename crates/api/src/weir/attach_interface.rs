//! AttachInterface: a network interface of the VPC on a device of this host.
//!
//! The attachment is state like any other: it is written, the agent follows,
//! and if the agent cannot attach, the attachment is taken back and the answer
//! says why.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use std::time::Duration;
use weir_control::attachment;
use weir_types::id::EniId;
use weir_types::orders::{Attachment, Mode, Side};

/// Attaching may compile and load programs.
const PATIENCE: Duration = Duration::from_secs(15);

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let attachment = parse(members)?;
    let id = attachment.interface.clone();
    let resource = call.arn("ec2", format!("network-interface/{id}"));
    call.authorize("weir:AttachInterface", &resource, &[])?;
    call.services.host.ready().map_err(|reason| ApiError::new("HostCannotCapture", reason))?;
    let before = call.transact(|cx| {
        let before = attachment::get(cx, &id)?;
        attachment::put(cx, &attachment)?;
        Ok(before)
    })?;
    let generation = call.services.state.generation()?;
    let applied = call.services.host.wait_applied(generation, PATIENCE);
    let problem = match call.services.host.problem(&id) {
        None if applied => None,
        None => Some("the agent did not answer in time; see the log of weir serve".to_owned()),
        problem => problem,
    };
    if let Some(problem) = problem {
        // What was before the call goes on.
        call.transact(|cx| match &before {
            Some(before) => attachment::put(cx, before),
            None => attachment::delete(cx, &id).map(|_| ()),
        })?;
        return Err(ApiError::new("AttachFailed", problem));
    }
    Ok(Some(json!({ "Interface": id.as_str() })))
}

fn parse(members: Members<'_>) -> Result<Attachment, ApiError> {
    let invalid = |message: String| ApiError::new("InvalidParameterValue", message);
    let required = |name: &str| members.text(name)?.ok_or_else(|| ApiError::missing_parameter(name));
    let interface: EniId = required("Interface")?.parse().map_err(|e| invalid(format!("{e}")))?;
    let device = required("Device")?.to_owned();
    // IFNAMSIZ with its terminating zero is 16: netdevice(7).
    if device.is_empty() || device.len() > 15 || device.contains(['/', ' ']) {
        return Err(invalid(format!(
            "'{device}' is not a device name: 1 to 15 bytes without '/' and blanks"
        )));
    }
    Ok(Attachment {
        interface,
        device,
        netns: members.text("NetworkNamespace")?.map(str::to_owned),
        mode: members.text("Mode")?.unwrap_or(Mode::Evaluate.as_str()).parse().map_err(invalid)?,
        side: members.text("Side")?.unwrap_or(Side::Instance.as_str()).parse().map_err(invalid)?,
    })
}
