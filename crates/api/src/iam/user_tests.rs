//! Users, groups, access keys, instance profiles, service-linked roles.

use crate::testing::{Client, World, allow};

/// Action, parameters, and the fault or `ok 200`.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

fn run(client: &Client<'_>, rows: &[Row<'_>]) {
    for (action, params, expected) in rows {
        let answer = client.query("iam", action, params);
        assert_eq!(answer.fault(), *expected, "{action} {params:?}: {}", answer.body);
    }
}

/// A client of a new key of a user.
fn key<'a>(world: &'a World, user: &str) -> Client<'a> {
    let made = world.root().query("iam", "CreateAccessKey", &[("UserName", user)]).ok();
    world.client(&made.text("AccessKeyId"), &made.text("SecretAccessKey"), None)
}

#[test]
fn the_life_of_a_user() {
    let world = World::new();
    let document = allow("logs:*");
    let (kim, lee, team) = (("UserName", "kim"), ("UserName", "lee"), ("GroupName", "team"));
    let (policy, text) = (("PolicyName", "p"), ("PolicyDocument", document.as_str()));
    let large = allow(&format!("logs:{}", "x".repeat(2_100)));
    run(
        &world.root(),
        &[
            ("CreateUser", &[("UserName", "a b")], "ValidationError 400"),
            ("CreateUser", &[kim, ("Path", "/team/"), ("Tags.member.1.Key", "a")], "ok 200"),
            ("CreateUser", &[("UserName", "KIM")], "EntityAlreadyExists 409"),
            ("GetUser", &[lee], "NoSuchEntity 404"),
            ("CreateGroup", &[team], "ok 200"),
            ("AddUserToGroup", &[team, kim], "ok 200"),
            ("AddUserToGroup", &[team, lee], "NoSuchEntity 404"),
            ("DeleteUser", &[kim], "DeleteConflict 409"),
            ("DeleteGroup", &[team], "DeleteConflict 409"),
            ("PutUserPolicy", &[kim, policy, ("PolicyDocument", &large)], "LimitExceeded 409"),
            ("PutUserPolicy", &[kim, policy, text], "ok 200"),
            ("GetUserPolicy", &[kim, policy], "ok 200"),
            ("ListUserPolicies", &[kim], "ok 200"),
            ("CreateAccessKey", &[kim], "ok 200"),
            ("CreateAccessKey", &[kim], "ok 200"),
            ("CreateAccessKey", &[kim], "LimitExceeded 409"),
            ("CreateAccessKey", &[], "ValidationError 400"),
            ("UpdateUser", &[kim, ("NewUserName", "lee"), ("NewPath", "/x/")], "ok 200"),
            ("GetUser", &[kim], "NoSuchEntity 404"),
            ("RemoveUserFromGroup", &[team, lee], "ok 200"),
            ("DeleteUser", &[lee], "DeleteConflict 409"),
            ("DeleteUserPolicy", &[lee, policy], "ok 200"),
            ("DeleteGroup", &[team], "ok 200"),
        ],
    );
    let root = world.root();
    assert_eq!(root.query("iam", "GetUser", &[lee]).ok().text("Arn"), "arn:aws:iam::123456789012:user/x/lee");
    assert_eq!(root.query("iam", "GetUser", &[]).ok().text("Arn"), "arn:aws:iam::123456789012:root");
    assert_eq!(root.query("iam", "ListUserTags", &[lee]).ok().texts("Key"), ["a"]);
    for id in root.query("iam", "ListAccessKeys", &[lee]).ok().texts("AccessKeyId") {
        assert_eq!(
            root.query("iam", "DeleteUser", &[lee]).message(),
            "Cannot delete entity, must delete access keys first."
        );
        root.query("iam", "DeleteAccessKey", &[lee, ("AccessKeyId", &id)]).ok();
    }
    root.query("iam", "DeleteUser", &[lee]).ok();
}

#[test]
fn a_user_may_what_its_own_and_its_groups_policies_allow() {
    let world = World::new();
    let root = world.root();
    let (kim, team) = (("UserName", "kim"), ("GroupName", "team"));
    for (action, params) in
        [("CreateUser", vec![kim]), ("CreateGroup", vec![team]), ("AddUserToGroup", vec![kim, team])]
    {
        root.query("iam", action, &params).ok();
    }
    let client = key(&world, "kim");
    assert_eq!(
        client.query("sts", "GetCallerIdentity", &[]).ok().text("Arn"),
        "arn:aws:iam::123456789012:user/kim"
    );
    let denied = client.query("ec2", "DescribeVpcs", &[]);
    assert!(denied.message().contains("User: arn:aws:iam::123456789012:user/kim is not authorized to perform: ec2:DescribeVpcs because no identity-based policy allows"), "{}", denied.message());
    let may = || {
        [("ec2", "DescribeVpcs"), ("iam", "ListRoles"), ("iam", "ListUsers")]
            .map(|(service, action)| client.query(service, action, &[]).code() == "ok")
    };
    let put = |action: &str, whose, document: &str| {
        let params = [whose, ("PolicyName", "p"), ("PolicyDocument", document)];
        root.query("iam", action, &params).ok();
    };
    put("PutUserPolicy", kim, &allow("ec2:*"));
    assert_eq!(may(), [true, false, false]);
    put("PutGroupPolicy", team, &allow("iam:List*"));
    assert_eq!(may(), [true, true, true]);
    let no_users =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}}"#;
    put("PutGroupPolicy", team, no_users);
    assert_eq!(may(), [true, false, false]);
    let readers = ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess");
    root.query("iam", "AttachGroupPolicy", &[team, readers]).ok();
    assert_eq!(may(), [true, true, false]);
    root.query("iam", "RemoveUserFromGroup", &[team, kim]).ok();
    assert_eq!(may(), [true, false, false]);
    let boundary = ("PermissionsBoundary", "arn:aws:iam::aws:policy/AmazonS3FullAccess");
    root.query("iam", "PutUserPermissionsBoundary", &[kim, boundary]).ok();
    assert_eq!(may(), [false, false, false]);
}

#[test]
fn an_inactive_key_is_refused_and_use_is_noted() {
    let world = World::new();
    let root = world.root();
    root.query("iam", "CreateUser", &[("UserName", "kim")]).ok();
    let client = key(&world, "kim");
    let id = ("AccessKeyId", client.access_key_id());
    let last = || root.query("iam", "GetAccessKeyLastUsed", &[id]).ok();
    assert_eq!((last().text("ServiceName"), last().texts("LastUsedDate").len()), ("N/A".to_owned(), 0));
    client.query("sts", "GetCallerIdentity", &[]).ok();
    assert_eq!(
        (last().text("ServiceName"), last().text("Region")),
        ("sts".to_owned(), "us-east-1".to_owned())
    );
    assert_eq!(last().text("LastUsedDate"), "2026-11-01T12:00:00Z");
    let set = |status| root.query("iam", "UpdateAccessKey", &[("UserName", "kim"), id, ("Status", status)]);
    set("Inactive").ok();
    assert_eq!(client.query("sts", "GetCallerIdentity", &[]).fault(), "InvalidClientTokenId 403");
    assert_eq!(set("Off").fault(), "ValidationError 400");
    set("Active").ok();
    client.query("sts", "GetCallerIdentity", &[]).ok();
    root.query("iam", "DeleteAccessKey", &[("UserName", "kim"), id]).ok();
    assert_eq!(client.query("sts", "GetCallerIdentity", &[]).fault(), "InvalidClientTokenId 403");
    assert_eq!(root.query("iam", "GetAccessKeyLastUsed", &[id]).fault(), "NoSuchEntity 404");
}

#[test]
fn users_manage_their_own_keys_by_a_policy_variable() {
    let world = World::new();
    let root = world.root();
    for name in ["kim", "lee"] {
        root.query("iam", "CreateUser", &[("UserName", name)]).ok();
    }
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"arn:aws:iam::*:user/${aws:username}"}}"#;
    root.query(
        "iam",
        "PutUserPolicy",
        &[("UserName", "kim"), ("PolicyName", "p"), ("PolicyDocument", policy)],
    )
    .ok();
    let kim = key(&world, "kim");
    run(
        &kim,
        &[
            ("CreateAccessKey", &[], "ok 200"),
            ("ListAccessKeys", &[("UserName", "kim")], "ok 200"),
            ("CreateAccessKey", &[("UserName", "lee")], "AccessDenied 403"),
            ("GetUser", &[], "AccessDenied 403"),
        ],
    );
}

#[test]
fn groups_have_members() {
    let world = World::new();
    let root = world.root();
    for (action, params) in [
        ("CreateGroup", [("GroupName", "b"), ("Path", "/x/")]),
        ("CreateGroup", [("GroupName", "a"), ("Path", "/")]),
        ("CreateUser", [("UserName", "kim"), ("Path", "/")]),
        ("AddUserToGroup", [("UserName", "kim"), ("GroupName", "a")]),
        ("AddUserToGroup", [("UserName", "kim"), ("GroupName", "b")]),
    ] {
        root.query("iam", action, &params).ok();
    }
    let groups = root.query("iam", "ListGroupsForUser", &[("UserName", "kim")]).ok();
    assert_eq!(groups.texts("GroupName"), ["a", "b"]);
    assert_eq!(root.query("iam", "GetGroup", &[("GroupName", "A")]).ok().texts("UserName"), ["kim"]);
    root.query("iam", "UpdateGroup", &[("GroupName", "b"), ("NewGroupName", "c"), ("NewPath", "/y/")]).ok();
    let listed = root.query("iam", "ListGroups", &[("PathPrefix", "/y/")]).ok();
    assert_eq!(listed.text("Arn"), "arn:aws:iam::123456789012:group/y/c");
    let again = root.query("iam", "UpdateGroup", &[("GroupName", "c"), ("NewGroupName", "A")]);
    assert_eq!(again.fault(), "EntityAlreadyExists 409");
}

#[test]
fn instance_profiles_hold_one_role() {
    let world = World::new();
    world.role("flow", &allow("s3:*"));
    world.role("web", &allow("s3:*"));
    let (profile, role) = (("InstanceProfileName", "p"), ("RoleName", "flow"));
    let root = world.root();
    run(
        &root,
        &[
            ("CreateInstanceProfile", &[profile, ("Tags.member.1.Key", "a")], "ok 200"),
            ("CreateInstanceProfile", &[profile], "EntityAlreadyExists 409"),
            ("AddRoleToInstanceProfile", &[profile, ("RoleName", "none")], "NoSuchEntity 404"),
            ("AddRoleToInstanceProfile", &[profile, role], "ok 200"),
            ("AddRoleToInstanceProfile", &[profile, ("RoleName", "web")], "LimitExceeded 409"),
            ("DeleteInstanceProfile", &[profile], "DeleteConflict 409"),
            ("DeleteRolePolicy", &[role, ("PolicyName", "inline")], "ok 200"),
            ("DeleteRole", &[role], "DeleteConflict 409"),
            ("ListInstanceProfileTags", &[profile], "ok 200"),
        ],
    );
    for (action, params) in [
        ("GetInstanceProfile", profile),
        ("ListInstanceProfilesForRole", role),
        ("ListInstanceProfiles", ("MaxItems", "9")),
    ] {
        let answer = root.query("iam", action, &[params]).ok();
        assert_eq!(
            (answer.text("InstanceProfileName"), answer.text("RoleName")),
            ("p".into(), "flow".into())
        );
    }
    run(
        &root,
        &[
            ("RemoveRoleFromInstanceProfile", &[profile, ("RoleName", "web")], "NoSuchEntity 404"),
            ("RemoveRoleFromInstanceProfile", &[profile, role], "ok 200"),
            ("DeleteInstanceProfile", &[profile], "ok 200"),
            ("GetInstanceProfile", &[profile], "NoSuchEntity 404"),
            ("DeleteRole", &[role], "ok 200"),
        ],
    );
}

#[test]
fn service_linked_roles_are_changed_by_their_service_only() {
    let world = World::new();
    let root = world.root();
    let service = ("AWSServiceName", "delivery.logs.amazonaws.com");
    let made = root.query("iam", "CreateServiceLinkedRole", &[service]).ok();
    assert_eq!(
        made.text("Arn"),
        "arn:aws:iam::123456789012:role/aws-service-role/delivery.logs.amazonaws.com/AWSServiceRoleForLogDelivery"
    );
    let role = ("RoleName", "AWSServiceRoleForLogDelivery");
    let policy = ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let text = allow("s3:*");
    run(
        &root,
        &[
            ("CreateServiceLinkedRole", &[service], "InvalidInput 400"),
            ("CreateServiceLinkedRole", &[("AWSServiceName", "x.amazonaws.com")], "InvalidInput 400"),
            ("AttachRolePolicy", &[role, policy], "UnmodifiableEntity 400"),
            (
                "PutRolePolicy",
                &[role, ("PolicyName", "p"), ("PolicyDocument", &text)],
                "UnmodifiableEntity 400",
            ),
            ("DeleteRole", &[role], "UnmodifiableEntity 400"),
            ("UpdateRoleDescription", &[role, ("Description", "new")], "ok 200"),
            ("DeleteServiceLinkedRole", &[("RoleName", "none")], "NoSuchEntity 404"),
        ],
    );
    let attached = root.query("iam", "ListAttachedRolePolicies", &[role]).ok();
    assert_eq!(attached.texts("PolicyName"), ["AWSServiceRoleForLogDeliveryPolicy"]);
    let task = root.query("iam", "DeleteServiceLinkedRole", &[role]).ok().text("DeletionTaskId");
    let status =
        |id: &str| root.query("iam", "GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", id)]);
    assert_eq!(status(&task).ok().text("Status"), "SUCCEEDED");
    assert_eq!(status("task/x").fault(), "NoSuchEntity 404");
    assert_eq!(root.query("iam", "GetRole", &[role]).fault(), "NoSuchEntity 404");
}

#[test]
fn an_account_has_one_alias() {
    let world = World::new();
    let root = world.root();
    let alias = |name| ("AccountAlias", name);
    run(
        &root,
        &[
            ("CreateAccountAlias", &[alias("A-b")], "ValidationError 400"),
            ("CreateAccountAlias", &[alias("first")], "ok 200"),
            ("CreateAccountAlias", &[alias("second")], "ok 200"),
            ("DeleteAccountAlias", &[alias("first")], "NoSuchEntity 404"),
        ],
    );
    let listed = root.query("iam", "ListAccountAliases", &[]).ok();
    assert!(
        listed.body.contains("<AccountAliases><member>second</member></AccountAliases>"),
        "{}",
        listed.body
    );
}
