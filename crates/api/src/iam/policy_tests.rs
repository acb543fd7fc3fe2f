//! Managed policies, attachments and permissions boundaries.

use crate::testing::{Client, World, allow, trust};

const POLICY: &str = "arn:aws:iam::123456789012:policy/team/p";
const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

fn create(world: &World) {
    let document = allow("logs:*");
    let wish = [("PolicyName", "p"), ("Path", "/team/"), ("PolicyDocument", document.as_str())];
    world.root().query("iam", "CreatePolicy", &wish).ok();
}

/// Action, parameters, and the fault or `ok 200`.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

fn run(client: &Client<'_>, rows: &[Row<'_>]) {
    for (action, params, expected) in rows {
        let answer = client.query("iam", action, params);
        assert_eq!(answer.fault(), *expected, "{action} {params:?}: {}", answer.body);
    }
}

#[test]
fn the_life_of_a_managed_policy() {
    let world = World::new();
    create(&world);
    let root = world.root();
    let arn = ("PolicyArn", POLICY);
    let other = allow("s3:*");
    let document = ("PolicyDocument", other.as_str());
    let v = |id| ("VersionId", id);
    run(
        &root,
        &[
            ("CreatePolicy", &[("PolicyName", "P"), document], "EntityAlreadyExists 409"),
            ("CreatePolicy", &[("PolicyName", "a b"), document], "ValidationError 400"),
            ("CreatePolicy", &[("PolicyName", "q"), ("Path", "q"), document], "ValidationError 400"),
            ("CreatePolicy", &[("PolicyName", "q"), ("PolicyDocument", "{}")], "MalformedPolicyDocument 400"),
            ("CreatePolicyVersion", &[arn, document, ("SetAsDefault", "true")], "ok 200"),
            ("DeletePolicy", &[arn], "DeleteConflict 409"),
            ("DeletePolicyVersion", &[arn, v("v2")], "DeleteConflict 409"),
            ("SetDefaultPolicyVersion", &[arn, v("v9")], "NoSuchEntity 404"),
            ("SetDefaultPolicyVersion", &[arn, v("9")], "ValidationError 400"),
            ("SetDefaultPolicyVersion", &[arn, v("v1")], "ok 200"),
            ("DeletePolicyVersion", &[arn, v("v2")], "ok 200"),
            ("CreatePolicyVersion", &[arn, document], "ok 200"),
            ("GetPolicyVersion", &[arn, v("v2")], "NoSuchEntity 404"),
            ("GetPolicyVersion", &[arn, v("v3")], "ok 200"),
            ("CreatePolicyVersion", &[arn, document], "ok 200"),
            ("CreatePolicyVersion", &[arn, document], "ok 200"),
            ("CreatePolicyVersion", &[arn, document], "ok 200"),
            ("CreatePolicyVersion", &[arn, document], "LimitExceeded 409"),
            ("TagPolicy", &[arn, ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "1")], "ok 200"),
            ("CreatePolicyVersion", &[("PolicyArn", ADMIN), document], "AccessDenied 403"),
            ("DeletePolicy", &[("PolicyArn", ADMIN)], "AccessDenied 403"),
            ("GetPolicy", &[("PolicyArn", ADMIN)], "ok 200"),
            ("GetPolicyVersion", &[("PolicyArn", ADMIN), v("v1")], "ok 200"),
            ("GetPolicy", &[("PolicyArn", "arn:aws:iam::123456789012:policy/none")], "NoSuchEntity 404"),
            ("GetPolicy", &[("PolicyArn", "arn:aws:s3:::a-bucket-name")], "ValidationError 400"),
        ],
    );
    let got = root.query("iam", "GetPolicy", &[arn]).ok();
    for (name, expected) in [
        ("PolicyName", "p"),
        ("Arn", POLICY),
        ("Path", "/team/"),
        ("DefaultVersionId", "v1"),
        ("AttachmentCount", "0"),
        ("IsAttachable", "true"),
        ("Key", "a"),
    ] {
        assert_eq!(got.text(name), expected);
    }
    let versions = root.query("iam", "ListPolicyVersions", &[arn]).ok();
    assert_eq!(versions.texts("VersionId"), ["v6", "v5", "v4", "v3", "v1"]);
    assert_eq!(versions.texts("IsDefaultVersion"), ["false", "false", "false", "false", "true"]);
}

#[test]
fn attachments_are_counted_listed_and_hold_the_policy() {
    let world = World::new();
    create(&world);
    world.role("flow", &allow("s3:*"));
    let root = world.root();
    let (role, user, group) = (("RoleName", "flow"), ("UserName", "kim"), ("GroupName", "team"));
    let (arn, admin) = (("PolicyArn", POLICY), ("PolicyArn", ADMIN));
    let slr = ("PolicyArn", "arn:aws:iam::aws:policy/aws-service-role/AWSServiceRoleForLogDeliveryPolicy");
    let missing = ("PolicyArn", "arn:aws:iam::123456789012:policy/none");
    run(
        &root,
        &[
            ("CreateUser", &[user, ("PermissionsBoundary", POLICY)], "ok 200"),
            ("CreateGroup", &[group], "ok 200"),
            ("AttachRolePolicy", &[role, arn], "ok 200"),
            ("AttachRolePolicy", &[role, arn], "ok 200"),
            ("AttachRolePolicy", &[role, admin], "ok 200"),
            ("AttachRolePolicy", &[role, missing], "NoSuchEntity 404"),
            ("AttachRolePolicy", &[role, slr], "PolicyNotAttachable 400"),
            ("AttachRolePolicy", &[("RoleName", "none"), arn], "NoSuchEntity 404"),
            ("AttachUserPolicy", &[user, arn], "ok 200"),
            ("AttachGroupPolicy", &[group, arn], "ok 200"),
            ("DeletePolicy", &[arn], "DeleteConflict 409"),
            ("DeleteRole", &[role], "DeleteConflict 409"),
            ("DetachUserPolicy", &[user, admin], "NoSuchEntity 404"),
        ],
    );
    let listed = root.query("iam", "ListAttachedRolePolicies", &[role]).ok();
    assert_eq!(listed.texts("PolicyName"), ["AdministratorAccess", "p"]);
    let in_team = root.query("iam", "ListAttachedRolePolicies", &[role, ("PathPrefix", "/team/")]).ok();
    assert_eq!(in_team.texts("PolicyArn"), [POLICY]);
    let got = root.query("iam", "GetPolicy", &[arn]).ok();
    assert_eq!(
        (got.text("AttachmentCount"), got.text("PermissionsBoundaryUsageCount")),
        ("3".into(), "1".into())
    );
    let entities = |more: &[(&str, &str)]| {
        let params: Vec<_> = [arn].into_iter().chain(more.iter().copied()).collect();
        let answer = root.query("iam", "ListEntitiesForPolicy", &params).ok();
        ["GroupName", "UserName", "RoleName"].map(|name| answer.texts(name).join(","))
    };
    assert_eq!(entities(&[]), ["team", "kim", "flow"]);
    assert_eq!(entities(&[("EntityFilter", "Role")]), ["", "", "flow"]);
    assert_eq!(entities(&[("PolicyUsageFilter", "PermissionsBoundary")]), ["", "kim", ""]);
    let policies = |params: &[(&str, &str)]| {
        root.query("iam", "ListPolicies", params).ok().texts("PolicyName").join(",")
    };
    assert_eq!(policies(&[("Scope", "Local")]), "p");
    assert_eq!(policies(&[("OnlyAttached", "true")]), "p,AdministratorAccess");
    assert_eq!(policies(&[("PolicyUsageFilter", "PermissionsBoundary")]), "p");
    assert!(policies(&[("Scope", "AWS")]).contains("CloudWatchLogsFullAccess"));
    run(
        &root,
        &[
            ("DetachRolePolicy", &[role, arn], "ok 200"),
            ("DetachUserPolicy", &[user, arn], "ok 200"),
            ("DetachGroupPolicy", &[group, arn], "ok 200"),
            ("DeletePolicy", &[arn], "DeleteConflict 409"),
            ("DeleteUserPermissionsBoundary", &[user], "ok 200"),
            ("DeleteUserPermissionsBoundary", &[user], "NoSuchEntity 404"),
            ("DeletePolicy", &[arn], "ok 200"),
        ],
    );
}

#[test]
fn at_most_ten_policies_are_attached() {
    let world = World::new();
    world.role("flow", &allow("s3:*"));
    let root = world.root();
    let names = root.query("iam", "ListPolicies", &[("Scope", "AWS"), ("PathPrefix", "/job-function/")]).ok();
    let mut arns: Vec<String> = names.texts("Arn");
    arns.extend(root.query("iam", "ListPolicies", &[("MaxItems", "11")]).ok().texts("Arn"));
    arns.sort();
    arns.dedup();
    let mut faults = Vec::new();
    for arn in arns.iter().take(11) {
        let answer = root.query("iam", "AttachRolePolicy", &[("RoleName", "flow"), ("PolicyArn", arn)]);
        faults.push(answer.code());
    }
    assert_eq!(faults.iter().filter(|code| *code == "ok").count(), 10);
    assert_eq!(faults.last().unwrap(), "LimitExceeded");
}

#[test]
fn every_aws_policy_is_found_by_the_pages_of_the_list() {
    let world = World::new();
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let page = [("Scope", "AWS"), ("MaxItems", "7"), ("Marker", marker.as_str())];
        let answer = world.root().query("iam", "ListPolicies", &page).ok();
        seen.extend(answer.texts("PolicyName"));
        if answer.text("IsTruncated") == "false" {
            break;
        }
        marker = answer.text("Marker");
    }
    let all = weir_control::principal::aws_managed::all();
    assert_eq!(seen, all.iter().map(|policy| policy.name.clone()).collect::<Vec<_>>());
}

/// What a session of a role with these policies may do.
#[test]
fn attached_policies_and_boundaries_decide() {
    let world = World::new();
    create(&world);
    let root = world.root();
    let everyone = trust(r#"{"AWS":"*"}"#);
    root.query("iam", "CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &everyone)]).ok();
    let session = root.assume("r");
    let role = ("RoleName", "r");
    let may = || {
        [("logs", "DescribeLogGroups"), ("ec2", "DescribeVpcs"), ("iam", "ListRoles")].map(
            |(service, action)| {
                let answer = match service {
                    "logs" => session.json(service, action, serde_json::json!({})),
                    _ => session.query(service, action, &[]),
                };
                if answer.code() == "ok" { "yes".to_owned() } else { answer.message() }
            },
        )
    };
    let is_allowed = || may().map(|answer| answer == "yes");
    assert_eq!(is_allowed(), [false; 3]);
    root.query("iam", "AttachRolePolicy", &[role, ("PolicyArn", ADMIN)]).ok();
    assert_eq!(is_allowed(), [true; 3]);
    root.query("iam", "PutRolePermissionsBoundary", &[role, ("PermissionsBoundary", POLICY)]).ok();
    assert_eq!(is_allowed(), [true, false, false]);
    assert!(
        may()[2].ends_with("because no permissions boundary allows the iam:ListRoles action"),
        "{}",
        may()[2]
    );
    let got = root.query("iam", "GetRole", &[role]).ok();
    assert_eq!(got.text("PermissionsBoundaryArn"), POLICY);
    let wider = allow("*");
    let version = [("PolicyArn", POLICY), ("PolicyDocument", wider.as_str()), ("SetAsDefault", "true")];
    root.query("iam", "CreatePolicyVersion", &version).ok();
    assert_eq!(is_allowed(), [true; 3]);
    root.query("iam", "DeleteRolePermissionsBoundary", &[role]).ok();
    root.query("iam", "DetachRolePolicy", &[role, ("PolicyArn", ADMIN)]).ok();
    assert_eq!(is_allowed(), [false; 3]);
    let unknown = root.query("iam", "PutRolePermissionsBoundary", &[role, ("PermissionsBoundary", "x")]);
    assert_eq!(unknown.message(), "Value (x) for parameter PermissionsBoundary is invalid.");
}

/// Who may attach what, by the keys that policies are written with.
#[test]
fn attaching_can_be_limited_to_policies_and_bounded_entities() {
    let world = World::new();
    create(&world);
    world.role("flow", &allow("s3:*"));
    let guard = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:AttachRolePolicy","Resource":"*","Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::123456789012:policy/team/*"}}},
        {"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPermissionsBoundary"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::123456789012:policy/team/p"}}}]}"#;
    world.role("admin", guard);
    let admin = world.root().assume("admin");
    let (role, kim) = (("RoleName", "flow"), ("UserName", "kim"));
    run(
        &admin,
        &[
            ("AttachRolePolicy", &[role, ("PolicyArn", POLICY)], "ok 200"),
            ("AttachRolePolicy", &[role, ("PolicyArn", ADMIN)], "AccessDenied 403"),
            ("CreateUser", &[kim], "AccessDenied 403"),
            ("CreateUser", &[kim, ("PermissionsBoundary", ADMIN)], "AccessDenied 403"),
            ("CreateUser", &[kim, ("PermissionsBoundary", POLICY)], "ok 200"),
            ("PutUserPermissionsBoundary", &[kim, ("PermissionsBoundary", ADMIN)], "AccessDenied 403"),
        ],
    );
}
