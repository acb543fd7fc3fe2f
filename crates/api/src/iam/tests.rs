use crate::testing::{Reply, World, allow, trust};

fn create(world: &World, name: &str, more: &[(&str, &str)]) -> Reply {
    let document = trust(r#"{"Service":"vpc-flow-logs.amazonaws.com"}"#);
    let mut params = vec![("RoleName", name), ("AssumeRolePolicyDocument", document.as_str())];
    params.extend_from_slice(more);
    world.root().query("iam", "CreateRole", &params)
}

#[test]
fn a_role_is_answered_with_its_document_encoded() {
    let world = World::new();
    let more = [
        ("Path", "/team/"),
        ("Description", "delivers <flow> logs"),
        ("MaxSessionDuration", "7200"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "net"),
    ];
    let made = create(&world, "flow", &more).ok();
    let got = world.root().query("iam", "GetRole", &[("RoleName", "FLOW")]).ok();
    for answer in [&made, &got] {
        for (name, expected) in [
            ("RoleName", "flow"),
            ("Path", "/team/"),
            ("Arn", "arn:aws:iam::123456789012:role/team/flow"),
            ("CreateDate", "2026-11-01T12:00:00Z"),
            ("Description", "delivers <flow> logs"),
            ("MaxSessionDuration", "7200"),
            ("Key", "Team"),
            ("Value", "net"),
            (
                "AssumeRolePolicyDocument",
                "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%5B%22sts%3AAssumeRole%22%2C%22sts%3ATagSession%22%5D%2C%22Principal%22%3A%7B%22Service%22%3A%22vpc-flow-logs.amazonaws.com%22%7D%7D%7D",
            ),
        ] {
            assert_eq!(answer.text(name), expected);
        }
    }
    assert!(made.body.contains("<CreateRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateRoleResult><Role><Path>"), "{}", made.body);
}

#[test]
fn the_life_of_a_role() {
    let world = World::new();
    let root = world.root();
    let document = allow("logs:*");
    let role = ("RoleName", "flow");
    let policy = ("PolicyName", "deliver");
    let text = ("PolicyDocument", document.as_str());
    create(&world, "flow", &[]).ok();
    for (action, params, expected) in [
        ("CreateRole", vec![role, ("AssumeRolePolicyDocument", &trust(r#""*""#))], "EntityAlreadyExists 409"),
        ("GetRolePolicy", vec![role, policy], "NoSuchEntity 404"),
        ("PutRolePolicy", vec![role, policy, ("PolicyDocument", "{}")], "MalformedPolicyDocument 400"),
        ("PutRolePolicy", vec![role, policy], "ValidationError 400"),
        ("PutRolePolicy", vec![role, policy, text], "ok 200"),
        ("GetRolePolicy", vec![role, policy], "ok 200"),
        ("DeleteRole", vec![role], "DeleteConflict 409"),
        ("UpdateRole", vec![role, ("MaxSessionDuration", "3599")], "ValidationError 400"),
        ("UpdateRole", vec![role, ("MaxSessionDuration", "43200"), ("Description", "new")], "ok 200"),
        ("UpdateRoleDescription", vec![role, ("Description", "newer")], "ok 200"),
        ("UpdateAssumeRolePolicy", vec![role, text], "MalformedPolicyDocument 400"),
        ("UpdateAssumeRolePolicy", vec![role, ("PolicyDocument", &trust(r#""*""#))], "ok 200"),
        ("TagRole", vec![role, ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "")], "ok 200"),
        (
            "TagRole",
            vec![role, ("Tags.member.1.Key", "aws:a"), ("Tags.member.1.Value", "")],
            "InvalidInput 400",
        ),
        ("ListRoleTags", vec![role], "ok 200"),
        ("UntagRole", vec![role, ("TagKeys.member.1", "A")], "ok 200"),
        ("ListAttachedRolePolicies", vec![role], "ok 200"),
        ("ListInstanceProfilesForRole", vec![role], "ok 200"),
        ("DeleteRolePolicy", vec![role, policy], "ok 200"),
        ("DeleteRolePolicy", vec![role, policy], "NoSuchEntity 404"),
        ("DeleteRole", vec![role], "ok 200"),
        ("GetRole", vec![role], "NoSuchEntity 404"),
        ("ListRoleTags", vec![role], "NoSuchEntity 404"),
        ("ListAttachedRolePolicies", vec![role], "NoSuchEntity 404"),
        ("CreateSAMLProvider", vec![role], "InvalidAction 400"),
        ("", vec![], "MissingAction 400"),
    ] {
        assert_eq!(root.query("iam", action, &params).fault(), expected, "{action} {params:?}");
    }
}

#[test]
fn answers_have_the_shape_that_sdks_parse() {
    let world = World::new();
    let root = world.root();
    world.role("flow", &allow("logs:*"));
    let tag = [("RoleName", "flow"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
    for (action, params, expected) in [
        ("TagRole", &tag[..], ""),
        ("UpdateRole", &tag[..1], "<UpdateRoleResult/>"),
        (
            "ListRolePolicies",
            &tag[..1],
            "<ListRolePoliciesResult><PolicyNames><member>inline</member></PolicyNames><IsTruncated>false</IsTruncated></ListRolePoliciesResult>",
        ),
        (
            "ListAttachedRolePolicies",
            &tag[..1],
            "<ListAttachedRolePoliciesResult><AttachedPolicies/><IsTruncated>false</IsTruncated></ListAttachedRolePoliciesResult>",
        ),
        (
            "ListRoleTags",
            &tag[..1],
            "<ListRoleTagsResult><Tags><member><Key>a</Key><Value>b</Value></member></Tags><IsTruncated>false</IsTruncated></ListRoleTagsResult>",
        ),
    ] {
        let body = root.query("iam", action, params).ok().body;
        let start = format!("<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">");
        let inside = body.split(start.as_str()).nth(1).unwrap().split("<ResponseMetadata>").next().unwrap();
        assert_eq!(inside, expected, "{action}");
    }
    let get = [("RoleName", "flow"), ("PolicyName", "inline")];
    let document = root.query("iam", "GetRolePolicy", &get).ok().text("PolicyDocument");
    assert_eq!(percent_encoding::percent_decode_str(&document).decode_utf8().unwrap(), allow("logs:*"));
}

#[test]
fn roles_are_listed_in_pages() {
    let world = World::new();
    for name in ["c", "A", "b"] {
        create(&world, name, &[("Path", if name == "c" { "/x/" } else { "/" })]).ok();
    }
    let list = |params: &[(&str, &str)]| world.root().query("iam", "ListRoles", params).ok();
    let first = list(&[("MaxItems", "2")]);
    assert_eq!(
        (first.texts("RoleName"), first.text("IsTruncated")),
        (vec!["A".to_owned(), "b".to_owned()], "true".to_owned())
    );
    let second = list(&[("MaxItems", "2"), ("Marker", &first.text("Marker"))]);
    assert_eq!(
        (second.texts("RoleName"), second.text("IsTruncated")),
        (vec!["c".to_owned()], "false".to_owned())
    );
    assert_eq!(list(&[("PathPrefix", "/x/")]).texts("RoleName"), ["c"]);
}

#[test]
fn permissions_are_for_roles_by_path_and_tag() {
    let world = World::new();
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::123456789012:role/team/*"},
        {"Effect":"Allow","Action":"iam:GetRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/open":"yes"}}},
        {"Effect":"Allow","Action":"iam:TagRole","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}}]}"#;
    world.role("admin", policy);
    create(&world, "inside", &[("Path", "/team/")]).ok();
    create(&world, "open", &[("Tags.member.1.Key", "open"), ("Tags.member.1.Value", "yes")]).ok();
    create(&world, "outside", &[]).ok();
    let admin = world.root().assume("admin");
    let tag = |key| {
        [
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", ""),
            ("Tags.member.2.Key", key),
            ("Tags.member.2.Value", ""),
        ]
    };
    for (action, name, more, expected) in [
        ("GetRole", "inside", vec![], "ok 200"),
        ("GetRole", "open", vec![], "ok 200"),
        ("GetRole", "outside", vec![], "AccessDenied 403"),
        ("GetRole", "none", vec![], "AccessDenied 403"),
        ("DeleteRole", "open", vec![], "AccessDenied 403"),
        ("TagRole", "outside", tag("b").to_vec(), "ok 200"),
        ("TagRole", "outside", tag("c").to_vec(), "AccessDenied 403"),
        ("DeleteRole", "inside", vec![], "ok 200"),
    ] {
        let mut params = vec![("RoleName", name)];
        params.extend(more);
        assert_eq!(admin.query("iam", action, &params).fault(), expected, "{action} {name}");
    }
}
