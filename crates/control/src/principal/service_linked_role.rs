//! Service-linked roles: named, trusted and permitted as their service has them,
//! and changed by nobody else.
//!
//! Their permissions are not modelled, but for those that deliver logs: no
//! service here acts with one.
//!
//! Source: IAM API, `CreateServiceLinkedRole`; IAM user guide, "AWS services
//! that work with IAM".

use super::identity::{self, Identity};
use super::role::{self, CreateRole, Role};
use crate::error::{ControlError, Result};
use crate::random;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use weir_types::arn::Arn;

/// Service, the end of the role's name, and the policy that AWS attaches.
const SERVICES: [(&str, &str, Option<&str>); 25] = [
    ("autoscaling", "AutoScaling", None),
    ("batch", "Batch", None),
    ("custom-resource.application-autoscaling", "ApplicationAutoScaling_CustomResource", None),
    ("delivery.logs", "LogDelivery", Some("AWSServiceRoleForLogDeliveryPolicy")),
    ("ec2.application-autoscaling", "ApplicationAutoScaling_EC2SpotFleetRequest", None),
    ("dynamodb.application-autoscaling", "ApplicationAutoScaling_DynamoDBTable", None),
    ("ecs.application-autoscaling", "ApplicationAutoScaling_ECSService", None),
    ("ecs", "ECS", None),
    ("eks", "AmazonEKS", None),
    ("eks-nodegroup", "AmazonEKSNodegroup", None),
    ("elasticache", "ElastiCache", None),
    ("elasticbeanstalk", "ElasticBeanstalk", None),
    ("elasticloadbalancing", "ElasticLoadBalancing", None),
    ("elasticmapreduce", "EMRCleanup", None),
    ("es", "AmazonElasticsearchService", None),
    ("opensearchservice", "AmazonOpenSearchService", None),
    ("guardduty", "AmazonGuardDuty", None),
    ("lex", "LexBots", None),
    ("logs", "CloudWatchLogs", None),
    ("ops.apigateway", "APIGateway", None),
    ("organizations", "Organizations", None),
    ("rds", "RDS", None),
    ("spot", "EC2Spot", None),
    ("support", "Support", None),
    ("transitgateway", "VPCTransitGateway", None),
];

/// A deletion that was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeletionTask {
    /// `task/aws-service-role/SERVICE/ROLE/UUID`
    pub id: String,
}

impl Resource for DeletionTask {
    const KIND: &'static str = "service-linked-role-deletion";
    fn id(&self) -> &str {
        &self.id
    }
}

/// The name and the path that the role of a service has.
///
/// Errors: `InvalidInput` for a service without such roles.
pub fn naming(service: &str, suffix: Option<&str>) -> Result<(String, String)> {
    let (_, name, _) = known(service)?;
    let suffix = suffix.map(|text| format!("_{text}")).unwrap_or_default();
    Ok((format!("AWSServiceRoleFor{name}{suffix}"), format!("/aws-service-role/{service}/")))
}

/// The ARN of the role that a service has in an account, whether it is there or not.
pub fn arn_of(region: &str, account: &str, service: &str) -> Option<Arn> {
    let (name, path) = naming(service, None).ok()?;
    let arn = Arn::new("iam", region, account, format!("role{path}{name}"));
    Some(Arn { region: String::new(), ..arn })
}

fn known(service: &str) -> Result<(&'static str, &'static str, Option<&'static str>)> {
    let short = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    let found = SERVICES.iter().find(|(known, ..)| *known == short).copied();
    found.ok_or_else(|| {
        let message =
            format!("Service {service} does not have a service-linked role, or Weir does not know it");
        ControlError::fault("InvalidInput", message)
    })
}

/// Makes the role of a service.
///
/// Errors: `InvalidInput`, `ValidationError`.
pub fn create(cx: Cx<'_>, service: &str, suffix: Option<&str>, description: Option<&str>) -> Result<Role> {
    let (name, path) = naming(service, suffix)?;
    if identity::find::<Role>(cx.tx, &cx.scope.global(), &name)?.is_some() {
        let message = format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        );
        return Err(ControlError::fault("InvalidInput", message));
    }
    let trust_policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":["{service}"]}},"Action":["sts:AssumeRole"]}}]}}"#
    );
    let request = CreateRole {
        name,
        trust_policy,
        path: Some(path),
        description: description.map(str::to_owned),
        ..CreateRole::default()
    };
    let mut role = role::create(cx, &request)?;
    let partition = role.identity.arn.partition.clone();
    let policy = known(service)?.2;
    role.identity.attached = policy
        .map(|name| format!("arn:{partition}:iam::aws:policy/aws-service-role/{name}"))
        .into_iter()
        .collect();
    role.linked_service = Some(service.to_owned());
    cx.tx.put(&cx.scope.global(), &role)?;
    Ok(role)
}

/// Removes a service-linked role at once, and answers the task's id.
///
/// Errors: `NoSuchEntity`, `InvalidInput` for another role.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<String> {
    let role = role::get(cx, name)?;
    let Some(service) = &role.linked_service else {
        let message = format!("The role {name} is not a service-linked role");
        return Err(ControlError::fault("InvalidInput", message));
    };
    let Identity { name, id, .. } = &role.identity;
    let hex = format!("{:032x}", random::bits()?);
    let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    let task = DeletionTask { id: format!("task/aws-service-role/{service}/{name}/{uuid}") };
    cx.tx.delete::<Role>(&cx.scope.global(), id)?;
    cx.tx.put(&cx.scope.global(), &task)?;
    Ok(task.id)
}

/// Whether there was such a deletion; all of them have succeeded.
pub fn deletion(cx: Cx<'_>, task_id: &str) -> Result<DeletionTask> {
    cx.tx.get(&cx.scope.global(), task_id)?.ok_or_else(|| {
        ControlError::fault("NoSuchEntity", format!("Deletion task {task_id} cannot be found."))
    })
}
