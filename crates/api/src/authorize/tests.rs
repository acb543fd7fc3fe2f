use crate::protocol::query::Params;
use crate::service::Service;
use crate::testing::{World, allow, trust};

const ROLE: &str = "arn:aws:iam::123456789012:role/flow";

fn outcome(result: Result<(), crate::ApiError>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("{} {}: {}", error.code, error.status, error.message),
    }
}

#[test]
fn each_service_denies_in_its_own_words() {
    let world = World::new();
    world.role("flow", &allow("s3:*"));
    let session = world.root().assume("flow");
    let who = "User: arn:aws:sts::123456789012:assumed-role/flow/test is not authorized to perform:";
    let why = "because no identity-based policy allows the";
    for (service, action, resource, expected) in [
        (
            Service::Ec2,
            "ec2:CreateVpc",
            "arn:aws:ec2:us-east-1:123456789012:vpc/*",
            format!(
                "UnauthorizedOperation 403: You are not authorized to perform this operation. {who} ec2:CreateVpc on resource: arn:aws:ec2:us-east-1:123456789012:vpc/* {why} ec2:CreateVpc action"
            ),
        ),
        (
            Service::Logs,
            "logs:PutLogEvents",
            "*",
            format!("AccessDeniedException 400: {who} logs:PutLogEvents {why} logs:PutLogEvents action"),
        ),
        (
            Service::Weir,
            "weir:AttachInterface",
            "*",
            format!(
                "AccessDeniedException 400: {who} weir:AttachInterface {why} weir:AttachInterface action"
            ),
        ),
        (
            Service::Iam,
            "iam:GetRole",
            ROLE,
            format!("AccessDenied 403: {who} iam:GetRole on resource: {ROLE} {why} iam:GetRole action"),
        ),
        (Service::Logs, "s3:GetObject", "*", "ok".to_owned()),
    ] {
        let found = outcome(session.call(service).authorize(action, resource, &[]));
        let mut parts = found.split(". Encoded authorization failure message: ");
        assert_eq!(parts.next(), Some(expected.as_str()));
        assert_eq!(parts.next().is_some(), service == Service::Ec2);
        assert_eq!(outcome(world.root().call(service).authorize(action, resource, &[])), "ok");
    }
}

#[test]
fn conditions_read_the_request_and_the_caller() {
    let world = World::new();
    let condition = |condition: &str| {
        let policy =
            allow("ec2:*").replace("\"Effect\"", &format!("\"Condition\":{{{condition}}},\"Effect\""));
        let put = [("RoleName", "flow"), ("PolicyName", "inline"), ("PolicyDocument", policy.as_str())];
        world.root().query("iam", "PutRolePolicy", &put).ok();
    };
    world.role("flow", &allow("ec2:*"));
    let tag = [("RoleName", "flow"), ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "net")];
    world.root().query("iam", "TagRole", &tag).ok();
    let wish = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "s1"),
        ("Tags.member.1.Key", "Own"),
        ("Tags.member.1.Value", "1"),
    ];
    let session = world.root().assume_with(&wish);
    let mut call = session.call(Service::Ec2);
    call.source_ip = Some("::ffff:192.0.2.7".parse().unwrap());
    call.user_agent = Some("aws-cli/2".to_owned());
    let given = [("ec2:ResourceTag/a", "1"), ("aws:TagKeys", "a"), ("aws:TagKeys", "b")];
    for (text, expected) in [
        (r#""IpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"198.51.100.0/24"}"#, false),
        (r#""StringEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/flow"}"#, true),
        (r#""StringEquals":{"aws:PrincipalTag/Team":"net","aws:PrincipalTag/Own":"1"}"#, true),
        (r#""StringEquals":{"aws:PrincipalTag/Team":"web"}"#, false),
        (r#""StringEquals":{"aws:RequestedRegion":"us-east-1","ec2:Region":"us-east-1"}"#, true),
        (r#""StringEquals":{"aws:ResourceAccount":"123456789012"}"#, true),
        (r#""StringLike":{"aws:UserAgent":"aws-cli/*"}"#, true),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, false),
        (
            r#""DateLessThan":{"aws:CurrentTime":"2026-11-01T12:00:01Z","aws:TokenIssueTime":"2026-11-01T12:00:01Z"}"#,
            true,
        ),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2026-11-01T12:00:01Z"}"#, false),
        (r#""StringEquals":{"ec2:ResourceTag/a":"1"}"#, true),
        (r#""ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}"#, true),
        (r#""ForAllValues:StringEquals":{"aws:TagKeys":["a"]}"#, false),
        (r#""Null":{"aws:SourceAccount":"true"}"#, true),
    ] {
        condition(text);
        assert_eq!(call.authorize("ec2:CreateVpc", "*", &given).is_ok(), expected, "{text}");
    }
}

#[test]
fn every_resource_must_be_allowed_before_a_dry_run_says_it_would_succeed() {
    let world = World::new();
    let policy = allow("ec2:*").replace(r#""*"}"#, r#""arn:aws:ec2:*:*:vpc/*"}"#);
    world.role("flow", &policy);
    let session = world.root().assume("flow");
    let call = session.call(Service::Ec2);
    let (vpc, subnet) = (call.arn("ec2", "vpc/vpc-1"), call.arn("ec2", "subnet/subnet-1"));
    for (form, resources, expected) in [
        ("", vec![vpc.clone()], "ok"),
        ("DryRun=false", vec![vpc.clone()], "ok"),
        (
            "DryRun=true",
            vec![vpc.clone()],
            "DryRunOperation 412: Request would have succeeded, but DryRun flag is set.",
        ),
        ("DryRun=true", vec![vpc, subnet], "UnauthorizedOperation 403"),
        ("DryRun=true", vec!["*".to_owned()], "UnauthorizedOperation 403"),
    ] {
        let params = Params::parse(form.as_bytes()).unwrap();
        let found = outcome(call.authorize_ec2(&params, "ec2:CreateVpc", &resources, &[]));
        assert!(found.starts_with(expected), "{form} {resources:?}: {found}");
    }
}

#[test]
fn passing_a_role_is_a_permission() {
    let world = World::new();
    let policy = allow("iam:PassRole").replace(
        "\"Effect\"",
        r#""Condition":{"StringEquals":{"iam:PassedToService":"vpc-flow-logs.amazonaws.com"}},"Effect""#,
    );
    world.role("flow", &policy);
    let session = world.root().assume("flow");
    for (service, passed_to, expected) in [
        (Service::Ec2, "vpc-flow-logs.amazonaws.com", "ok"),
        (Service::Ec2, "firehose.amazonaws.com", "UnauthorizedOperation 403"),
        (Service::Logs, "firehose.amazonaws.com", "AccessDeniedException 400"),
    ] {
        let found = outcome(session.call(service).pass_role(ROLE, passed_to));
        assert!(found.starts_with(expected), "{found}");
    }
    let elsewhere = "arn:aws:iam::210987654321:role/flow";
    assert_ne!(outcome(world.root().call(Service::Ec2).pass_role(elsewhere, "ec2.amazonaws.com")), "ok");
}

#[test]
fn whether_a_role_exists_and_which_service_may_assume_it() {
    let world = World::new();
    let guard = r#""Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}},"Effect""#;
    let document = trust(r#"{"Service":"vpc-flow-logs.amazonaws.com"}"#).replace("\"Effect\"", guard);
    let create = [("RoleName", "flow"), ("AssumeRolePolicyDocument", document.as_str())];
    world.root().query("iam", "CreateRole", &create).ok();
    let root = world.root();
    let call = root.call(Service::Ec2);
    for (arn, expected) in [
        (ROLE, true),
        ("arn:aws:iam::123456789012:role/Flow", false),
        ("arn:aws:iam::1:role/flow", false),
        ("flow", false),
    ] {
        assert_eq!(call.role_exists(arn).unwrap(), expected, "{arn}");
    }
    let account = [("aws:SourceAccount", "123456789012")];
    for (arn, service, context, expected) in [
        (ROLE, "vpc-flow-logs.amazonaws.com", &account[..], true),
        (ROLE, "vpc-flow-logs.amazonaws.com", &[], false),
        (ROLE, "logs.amazonaws.com", &account[..], false),
        ("arn:aws:iam::123456789012:role/none", "vpc-flow-logs.amazonaws.com", &account[..], false),
    ] {
        assert_eq!(call.service_may_assume(arn, service, context).unwrap(), expected, "{arn} {service}");
    }
}
