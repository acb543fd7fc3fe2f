//! StartDeliveryStreamEncryption: kept and shown; what is on the disk is not encrypted.

use super::stream;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Map, Value, json};
use weir_control::delivery_stream;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let name = stream::name(members)?;
    stream::permit(call, "StartDeliveryStreamEncryption", name)?;
    let given = members.object("DeliveryStreamEncryptionConfigurationInput")?;
    let mut encryption: Map<String, Value> = given
        .map(|given| given.entries().map(|(key, value)| (key.to_owned(), value.clone())).collect())
        .unwrap_or_default();
    encryption.entry("KeyType").or_insert(json!("AWS_OWNED_CMK"));
    encryption.insert("Status".to_owned(), json!("ENABLED"));
    call.transact(|cx| delivery_stream::encrypt(cx, name, Some(Value::Object(encryption.clone()))))?;
    Ok(Some(json!({})))
}
