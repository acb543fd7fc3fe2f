//! CreateDeliveryStream: a stream that is active at once.

use super::{destination, stream, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::delivery_stream::{self, CreateDeliveryStream, PER_REGION_LIMIT};

/// What suites for emulators count with.
const EMULATOR_LIMIT: usize = 50;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let name = stream::name(members)?;
    stream::check_name(name)?;
    let tags = tags::given(members)?;
    let arn = call.arn("firehose", format!("deliverystream/{name}"));
    tags::permit(call, "CreateDeliveryStream", &arn, &tags)?;
    let is_emulator = call.services.settings.emulator;
    let kind = members.text("DeliveryStreamType")?.unwrap_or("DirectPut");
    let (to, configuration) = destination::only(members, "Configuration")?;
    let source = members.object("KinesisStreamSourceConfiguration")?;
    if source.is_some() && kind != "KinesisStreamAsSource" {
        return Err(stream::invalid(
            "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type",
        ));
    }
    if kind != "DirectPut" && !is_emulator {
        return Err(stream::invalid(format!(
            "DeliveryStreamType {kind} is not supported by this version of Weir"
        )));
    }
    destination::check(call, to, configuration, &Value::Null)?;
    let source = source.map(|source| {
        let members: serde_json::Map<String, Value> =
            source.entries().map(|(key, value)| (key.to_owned(), value.clone())).collect();
        json!({"KinesisStreamSourceDescription": members})
    });
    let encryption = members.object("DeliveryStreamEncryptionConfigurationInput")?;
    let encryption = encryption.map(|given| {
        Value::Object(given.entries().map(|(key, value)| (key.to_owned(), value.clone())).collect())
    });
    let request = CreateDeliveryStream {
        name: name.to_owned(),
        kind: kind.to_owned(),
        destination: to.to_owned(),
        configuration: configuration.clone(),
        source,
        encryption,
        tags,
        limit: if is_emulator { EMULATOR_LIMIT } else { PER_REGION_LIMIT },
    };
    let made = call.transact(|cx| delivery_stream::create(cx, &request))?;
    Ok(Some(json!({"DeliveryStreamARN": made.arn.to_string()})))
}
