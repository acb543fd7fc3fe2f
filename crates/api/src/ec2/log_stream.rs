//! The delivery stream of a flow log: whether records can be put there, and the
//! tag and the role that let them in.
//!
//! Source: VPC user guide, "Publish flow logs to Amazon Data Firehose"; CloudWatch
//! Logs user guide, "Logs sent to Firehose".

use super::log_bucket::{DELIVERY_SERVICE, Delivery, refused};
use crate::call::Call;
use crate::error::ApiError;
use weir_control::delivery_stream::{self, DeliveryStream};
use weir_control::flow_log::CreateFlowLogs;
use weir_control::principal::{Role, role, service_linked_role};
use weir_control::{Cx, Scope};
use weir_types::arn::Arn;

/// The tag that the policy of the service-linked role asks for.
const TAG: &str = "LogDeliveryEnabled";

/// Looks at the stream before flow logs are made. A stream of another account
/// is reached with roles, and is looked at when it is written to; so is one
/// outside.
///
/// Errors: `UnauthorizedOperation` without `logs:CreateLogDelivery`,
/// `firehose:TagDeliveryStream` or `iam:CreateServiceLinkedRole`.
pub(super) fn check(call: &Call<'_>, request: &CreateFlowLogs) -> Result<Delivery, ApiError> {
    let arn = request.log_destination.as_deref().and_then(|text| text.parse::<Arn>().ok());
    let is_firehose = request.log_destination_type.as_deref() == Some("kinesis-data-firehose");
    let Some(arn) = arn.filter(|_| is_firehose && !call.services.settings.emulator) else {
        return Ok(Delivery::Ready);
    };
    call.authorize("logs:CreateLogDelivery", "*", &[])?;
    if call.services.settings.outside.firehose {
        return Ok(Delivery::Ready);
    }
    if request.deliver_logs_permission_arn.is_some() || arn.account != call.scope.account {
        return Ok(Delivery::Ready);
    }
    let name = arn.resource.strip_prefix("deliverystream/").unwrap_or(&arn.resource);
    let scope = Scope::new(arn.account.clone(), arn.region.clone());
    let known: Option<DeliveryStream> = call.transact(|cx| cx.tx.get(&scope, name))?;
    let Some(stream) = known else {
        return Ok(refused(request, "400", format!("LogDestination: {name} does not exist.")));
    };
    if stream.kind != "DirectPut" {
        let message = format!("LogDestination {name} is undeliverable: its source is not Direct PUT");
        return Ok(refused(request, "400", message));
    }
    let is_tagged = stream.tags.iter().any(|(key, value)| key == TAG && value == "true");
    if !is_tagged {
        let context = [("aws:RequestTag/LogDeliveryEnabled", "true"), ("aws:TagKeys", TAG)];
        call.authorize("firehose:TagDeliveryStream", &arn.to_string(), &context)?;
    }
    let role = service_linked_role::arn_of(&arn.region, &arn.account, DELIVERY_SERVICE);
    let role = role.map(|role| role.to_string()).unwrap_or_default();
    let has_role = call.role_exists(&role)?;
    if !has_role {
        let context = [("iam:AWSServiceName", DELIVERY_SERVICE)];
        call.authorize("iam:CreateServiceLinkedRole", &role, &context)?;
    }
    Ok(match is_tagged && has_role {
        true => Delivery::Ready,
        false => Delivery::Prepare { scope, stream: name.to_owned() },
    })
}

/// Tags the stream and makes the service-linked role, where they are missing.
pub(super) fn prepare(call: &Call<'_>, scope: &Scope, stream: &str) -> Result<(), ApiError> {
    call.transact(|cx| {
        let there = Cx { scope, ..cx };
        delivery_stream::tag(there, stream, &[(TAG.to_owned(), "true".to_owned())])?;
        let arn = service_linked_role::arn_of(&scope.region, &scope.account, DELIVERY_SERVICE);
        let known: Option<Role> = arn.map(|arn| role::by_arn(cx.tx, &arn)).transpose()?.flatten();
        match known {
            Some(_) => Ok(()),
            None => service_linked_role::create(cx, DELIVERY_SERVICE, None, None).map(drop),
        }
    })
}
