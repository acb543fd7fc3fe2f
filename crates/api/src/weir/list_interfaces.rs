//! ListInterfaces: what is attached to this host, and whether it works.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::attachment;

pub fn run(call: &Call<'_>, _: Members<'_>) -> Result<Option<Value>, ApiError> {
    call.authorize("weir:ListInterfaces", "*", &[])?;
    let attachments = call.transact(attachment::list)?;
    let interfaces: Vec<Value> = attachments
        .into_iter()
        .map(|attachment| {
            let problem = call.services.host.problem(&attachment.interface);
            json!({
                "Interface": attachment.interface.as_str(),
                "Device": attachment.device,
                "NetworkNamespace": attachment.netns,
                "Mode": attachment.mode.as_str(),
                "Side": attachment.side.as_str(),
                "Status": if problem.is_none() { "attached" } else { "failed" },
                "Problem": problem,
            })
        })
        .collect();
    Ok(Some(json!({ "Interfaces": interfaces })))
}
