//! PutRecord: one record, on disk when it is answered.

use super::{put_record_batch as batch, stream};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Map, Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let stream = stream::permitted(call, "PutRecord", stream::name(members)?)?;
    let none = Map::new();
    let record = members.object("Record")?.unwrap_or(Members::new(&none));
    let data = batch::data(record)?;
    batch::keep(call, &stream, &[data])?;
    Ok(Some(json!({"RecordId": batch::record_id()?, "Encrypted": batch::is_encrypted(&stream)})))
}
