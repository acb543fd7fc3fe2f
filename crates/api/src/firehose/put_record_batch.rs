//! PutRecordBatch: up to 500 records, all on disk when they are answered, or none.

use super::stream;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use weir_control::delivery_stream::DeliveryStream;

/// Source: Firehose API, `PutRecordBatch`, `Record`.
const MAX_RECORDS: usize = 500;
const MAX_BATCH_BYTES: usize = 4 << 20;
const MAX_RECORD_BYTES: usize = 1_024_000;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let stream = stream::permitted(call, "PutRecordBatch", stream::name(members)?)?;
    let given = members.list("Records")?.unwrap_or_default();
    if !(1..=MAX_RECORDS).contains(&given.len()) {
        return Err(validation(format!(
            "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length less than or equal to {MAX_RECORDS}, and greater than or equal to 1"
        )));
    }
    let none = Map::new();
    let records = given.iter().map(|record| data(Members::new(record.as_object().unwrap_or(&none))));
    let records = records.collect::<Result<Vec<Vec<u8>>, ApiError>>()?;
    if records.iter().map(Vec::len).sum::<usize>() > MAX_BATCH_BYTES {
        return Err(stream::invalid("Records size exceeds 4 MB limit"));
    }
    keep(call, &stream, &records)?;
    let answers = records.iter().map(|_| Ok(json!({"RecordId": record_id()?})));
    let answers = answers.collect::<Result<Vec<Value>, ApiError>>()?;
    let encrypted = is_encrypted(&stream);
    Ok(Some(json!({"FailedPutCount": 0, "Encrypted": encrypted, "RequestResponses": answers})))
}

fn validation(message: String) -> ApiError {
    ApiError::new("ValidationException", message)
}

/// The bytes of a record.
///
/// Errors: `ValidationException`, `SerializationException`.
pub fn data(record: Members<'_>) -> Result<Vec<u8>, ApiError> {
    let text = stream::required(record, "Data")?;
    let data = STANDARD
        .decode(text)
        .map_err(|_| ApiError::new("SerializationException", "The member Data must be base64"))?;
    if data.len() > MAX_RECORD_BYTES {
        return Err(validation(format!(
            "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than or equal to {MAX_RECORD_BYTES}"
        )));
    }
    Ok(data)
}

/// Keeps records until they are delivered. Those for destinations that only an
/// emulator has are dropped.
///
/// Errors: `InvalidArgumentException` for a stream that reads from another one,
/// `ServiceUnavailableException`.
pub fn keep(call: &Call<'_>, stream: &DeliveryStream, records: &[Vec<u8>]) -> Result<(), ApiError> {
    if stream.kind != "DirectPut" {
        let message = format!("This operation is not permitted on {} delivery stream type.", stream.kind);
        return Err(stream::invalid(message));
    }
    let delivered = ["S3DestinationDescription", "HttpEndpointDestinationDescription"];
    if !delivered.iter().any(|name| stream.destination.contains_key(*name)) {
        return Ok(());
    }
    let full = |reason: String| {
        tracing::warn!(stream = stream.name, reason, "records of a delivery stream were not taken");
        ApiError::new("ServiceUnavailableException", "Slow down.").with_status(500)
    };
    let Some(intake) = call.services.intake.get() else {
        return Err(full("this server delivers no streams".to_owned()));
    };
    intake.put(&stream.key, records).map_err(full)?;
    if call.services.settings.emulator {
        intake.flush(&stream.key);
    }
    Ok(())
}

/// A record's id, unique and opaque.
///
/// Errors: no randomness.
pub fn record_id() -> Result<String, ApiError> {
    let mut bytes = [0; 168];
    getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
    Ok(STANDARD.encode(bytes))
}

pub fn is_encrypted(stream: &DeliveryStream) -> bool {
    stream.encryption.as_ref().is_some_and(|encryption| encryption["Status"] == "ENABLED")
}
