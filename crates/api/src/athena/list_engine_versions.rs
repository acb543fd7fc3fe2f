//! ListEngineVersions: the versions of the engine that a workgroup may choose.

use super::permit;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    permit::all(call, "ListEngineVersions")?;
    members.text("NextToken")?;
    let version = |selected: &str| json!({ "SelectedEngineVersion": selected, "EffectiveEngineVersion": "Athena engine version 3" });
    Ok(Some(json!({ "EngineVersions": [version("AUTO"), version("Athena engine version 3")] })))
}
