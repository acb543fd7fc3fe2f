//! CreateLogGroup: a group of streams, with its tags and class.

use super::{arn, permit, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_logs::CreateLogGroup;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let request = parse(members)?;
    permit::create(call, &request.name, &request.tags)?;
    call.services.logs.create_log_group(&arn::store_scope(&call.scope), request, call.now)?;
    Ok(None)
}

fn parse(members: Members<'_>) -> Result<CreateLogGroup, ApiError> {
    Ok(CreateLogGroup {
        name: required::group_name(members)?.to_owned(),
        class: members.text("logGroupClass")?.map(str::parse).transpose()?.unwrap_or_default(),
        kms_key_id: members.text("kmsKeyId")?.map(str::to_owned),
        tags: tags::map(members, "tags")?,
        deletion_protection: members.boolean("deletionProtectionEnabled")?.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use weir_logs::LogGroupClass;

    #[test]
    fn requests() {
        let given = json!({
            "logGroupName": "/vpc/flow",
            "logGroupClass": "INFREQUENT_ACCESS",
            "kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k",
            "tags": {"team": "net"},
            "deletionProtectionEnabled": true,
            "membersOfTomorrow": [1, 2],
        });
        let wanted = CreateLogGroup {
            name: "/vpc/flow".into(),
            class: LogGroupClass::InfrequentAccess,
            kms_key_id: Some("arn:aws:kms:us-east-1:123456789012:key/k".into()),
            tags: [("team".into(), "net".into())].into(),
            deletion_protection: true,
        };
        assert_eq!(parse(Members::new(given.as_object().unwrap())).unwrap(), wanted);
        let given = json!({"logGroupName": "g", "kmsKeyId": null});
        let wanted = CreateLogGroup { name: "g".into(), ..Default::default() };
        assert_eq!(parse(Members::new(given.as_object().unwrap())).unwrap(), wanted);
    }

    #[test]
    fn faults() {
        for (given, code, message) in [
            (
                json!({}),
                "InvalidParameterException",
                "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: \
                 Member must not be null",
            ),
            (
                json!({"logGroupName": 7}),
                "SerializationException",
                "The member logGroupName must be a string",
            ),
            (
                json!({"logGroupName": "g", "logGroupClass": "COLD"}),
                "InvalidParameterException",
                "1 validation error detected: Value 'COLD' at 'logGroupClass' failed to satisfy constraint: \
                 Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]",
            ),
        ] {
            let error = parse(Members::new(given.as_object().unwrap())).unwrap_err();
            assert_eq!((error.code.as_ref(), error.message.as_str(), error.status), (code, message, 400));
        }
    }
}
