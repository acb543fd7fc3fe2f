//! The bucket of a flow log: whether records can be delivered there, and the
//! statements of its policy that let them in.
//!
//! AWS's service replaces a bucket's policy, or appends a statement for each
//! flow log until the policy has no room. Here the policy is only ever added
//! to, and one statement serves all flow logs of an account.
//!
//! Source: VPC user guide, "Amazon S3 bucket permissions for flow logs"; S3 user
//! guide, "Bucket policies" (20 KB).

mod policy;

use crate::call::Call;
use crate::error::ApiError;
use policy::{Grant, TooLarge, merged};

use weir_control::Scope;
use weir_control::flow_log::{CreateFlowLogs, Created, Unsuccessful};
use weir_iam::{DocumentKind, NamedPolicy, PolicyDocument};
use weir_types::arn::partition_of;

/// Who delivers, as bucket policies name it.
pub(super) const DELIVERY_SERVICE: &str = "delivery.logs.amazonaws.com";

/// Why nothing can be delivered: the error of each resource's item.
struct Unready {
    code: &'static str,
    message: String,
}

/// What is to be done once there is a flow log.
pub(super) enum Delivery {
    /// Nothing: it is no bucket, or deliveries are let in already.
    Ready,
    /// To let deliveries into this bucket.
    Permit { bucket: String, grant: Grant },
    /// To tag this stream and to make the role that writes to it.
    Prepare { scope: Scope, stream: String },
    /// The answer: all resources are unsuccessful.
    Refused(Created),
}

/// Looks at the bucket before flow logs are made, unless it is outside.
///
/// Errors: `UnauthorizedOperation` without `logs:CreateLogDelivery`.
pub(super) fn check(call: &Call<'_>, request: &CreateFlowLogs) -> Result<Delivery, ApiError> {
    let Some((bucket, prefix)) = place(request) else { return Ok(Delivery::Ready) };
    let refused = |Unready { code, message }: Unready| refused(request, code, message);
    let Some(objects) = call.services.objects.get() else { return Ok(Delivery::Ready) };
    let is_emulator = call.services.settings.emulator;
    if !is_emulator {
        call.authorize("logs:CreateLogDelivery", "*", &[])?;
    }
    if call.services.settings.outside.s3 {
        return Ok(Delivery::Ready);
    }
    let Some(known) = objects.bucket(bucket).map_err(ApiError::internal)? else {
        let message = format!("LogDestination: {bucket} does not exist.");
        return Ok(refused(Unready { code: "400", message }));
    };
    if is_emulator {
        return Ok(Delivery::Ready);
    }
    let grant = grant(call, request, bucket, prefix);
    let policy =
        known.policy.as_deref().and_then(|text| PolicyDocument::parse(text, DocumentKind::Resource).ok());
    if may_deliver(call, &grant, &known.account, policy.as_ref())? {
        return Ok(Delivery::Ready);
    }
    let arn = format!("arn:{}:s3:::{bucket}", partition_of(&call.scope.region));
    let may = |action| call.decide_on(action, &arn, Some(&known.account), named(&arn, policy.as_ref()), &[]);
    let denied = || {
        let message =
            format!("Access Denied for LogDestination: {bucket}. Please check LogDestination permission");
        refused(Unready { code: "400", message })
    };
    if may("s3:GetBucketPolicy")?.is_some() || may("s3:PutBucketPolicy")?.is_some() {
        return Ok(denied());
    }
    match merged(known.policy.as_deref(), &grant) {
        // A statement that denies counts more than those that are added.
        Ok(text)
            if let Ok(policy) = PolicyDocument::parse(&text, DocumentKind::Resource)
                && !may_deliver(call, &grant, &known.account, Some(&policy))? =>
        {
            Ok(denied())
        }
        Ok(_) => Ok(Delivery::Permit { bucket: bucket.to_owned(), grant }),
        Err(TooLarge) => {
            let message = format!(
                "LogDestination: the policy of {bucket} has no room for log delivery: a bucket policy is limited to 20 KB"
            );
            Ok(refused(Unready { code: "LogDestinationPermissionIssueException", message }))
        }
    }
}

/// All resources are unsuccessful, for the same reason.
pub(super) fn refused(request: &CreateFlowLogs, code: &str, message: String) -> Delivery {
    let item = |id: &String| Unsuccessful {
        resource_id: id.clone(),
        code: code.to_owned(),
        message: message.clone(),
    };
    let unsuccessful = request.resource_ids.iter().map(item).collect();
    Delivery::Refused(Created { flow_log_ids: Vec::new(), unsuccessful })
}

/// Lets deliveries in, beside whatever the policy says by now.
pub(super) fn permit(call: &Call<'_>, bucket: &str, grant: &Grant) -> Result<(), ApiError> {
    let Some(objects) = call.services.objects.get() else { return Ok(()) };
    loop {
        let Some(known) = objects.bucket(bucket).map_err(ApiError::internal)? else { return Ok(()) };
        let was = known.policy.as_deref();
        let Ok(policy) = merged(was, grant) else {
            tracing::warn!(bucket, "the bucket's policy has no room for log delivery any more");
            return Ok(());
        };
        if was == Some(policy.as_str())
            || objects.replace_policy(bucket, was, &policy).map_err(ApiError::internal)?
        {
            tracing::info!(bucket, "the bucket's policy lets log delivery in");
            return Ok(());
        }
    }
}

/// The bucket and the folder (empty, or with a slash at its end).
fn place(request: &CreateFlowLogs) -> Option<(&str, String)> {
    if request.log_destination_type.as_deref() != Some("s3") {
        return None;
    }
    let (_, place) = request.log_destination.as_deref()?.split_once(":s3:::")?;
    let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
    let folder = folder.trim_end_matches('/');
    Some((bucket, if folder.is_empty() { String::new() } else { format!("{folder}/") }))
}

fn grant(call: &Call<'_>, request: &CreateFlowLogs, bucket: &str, prefix: String) -> Grant {
    let (account, region) = (&call.scope.account, &call.scope.region);
    let partition = partition_of(region);
    let options = request.destination_options.as_ref();
    let is_hive = options.and_then(|options| options.hive_compatible_partitions).unwrap_or(false);
    let of_account = if is_hive { format!("aws-account-id={account}") } else { account.clone() };
    Grant {
        bucket: format!("arn:{partition}:s3:::{bucket}"),
        objects: format!("arn:{partition}:s3:::{bucket}/{prefix}AWSLogs/{of_account}/*"),
        account: account.clone(),
        source: format!("arn:{partition}:logs:{region}:{account}:*"),
    }
}

/// Whether the delivery service could write an object now.
fn may_deliver(
    call: &Call<'_>,
    grant: &Grant,
    owner: &str,
    policy: Option<&PolicyDocument>,
) -> Result<bool, ApiError> {
    let service = call.as_service(DELIVERY_SERVICE);
    let object = grant.objects.replace('*', "vpcflowlogs/object.log.gz");
    let source = grant.source.replace('*', "delivery:flow-log");
    let mut context = vec![
        ("s3:x-amz-acl", "bucket-owner-full-control"),
        ("aws:SourceAccount", grant.account.as_str()),
        ("aws:SourceArn", source.as_str()),
    ];
    let own = &call.services.settings.delivery_context;
    context.extend(own.iter().map(|(key, value)| (*key, value.as_str())));
    Ok(service
        .decide_on("s3:PutObject", &object, Some(owner), named(&grant.bucket, policy), &context)?
        .is_none())
}

fn named<'a>(bucket: &'a str, policy: Option<&'a PolicyDocument>) -> Vec<NamedPolicy<'a>> {
    policy.map(|document| NamedPolicy::new(bucket, document)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{ACCOUNT, World};
    use serde_json::{Value, json};
    use std::sync::Arc;

    #[test]
    fn a_bucket_whose_policy_denies_delivery_is_refused() {
        let service = json!({"Service": "delivery.logs.amazonaws.com"});
        let deny = |principal: &Value, condition: Value| {
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": principal,
                "Action": "s3:PutObject", "Resource": "arn:aws:s3:::kept/*", "Condition": condition}})
        };
        let unless_kms = json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}});
        let kms = vec![("s3:x-amz-server-side-encryption", "aws:kms".to_owned())];
        for (name, policy, context, is_ready) in [
            ("none", None, Vec::new(), true),
            ("denied", Some(deny(&service, json!({}))), Vec::new(), false),
            ("without encryption", Some(deny(&json!("*"), unless_kms.clone())), Vec::new(), false),
            ("with encryption", Some(deny(&json!("*"), unless_kms)), kms, true),
        ] {
            let mut world = World::new();
            Arc::get_mut(&mut world.services).unwrap().settings.delivery_context = context;
            let folder = tempfile::tempdir().unwrap();
            let store = weir_objects::Store::open(folder.path()).unwrap();
            let bucket = weir_objects::store::Bucket {
                name: "kept".to_owned(),
                account: ACCOUNT.to_owned(),
                region: "us-east-1".to_owned(),
                created_ms: 0,
                policy: None,
                tags: None,
            };
            store.create_bucket(&bucket).unwrap();
            store.set_policy("kept", policy.map(|policy| policy.to_string()).as_deref()).unwrap();
            let store = Arc::new(store);
            crate::objects::serve(&world.services, store.clone());
            let root = world.root();
            let vpc = root.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok();
            let members = [
                ("ResourceType", "VPC"),
                ("ResourceId.1", &vpc.text("vpcId")),
                ("TrafficType", "ALL"),
                ("LogDestinationType", "s3"),
                ("LogDestination", "arn:aws:s3:::kept"),
            ];
            let made = root.query("ec2", "CreateFlowLogs", &members).ok();
            let has_grant = store.policy("kept").unwrap_or_default().contains("AWSLogDeliveryWrite");
            assert_eq!(has_grant, is_ready, "{name}");
            if !is_ready {
                let expected =
                    "Access Denied for LogDestination: kept. Please check LogDestination permission";
                assert_eq!(made.text("message"), expected, "{name}");
            }
        }
    }
}
