use crate::testing::{World, allow, trust};

const ROLE: &str = "arn:aws:iam::123456789012:role/team/flow";

fn world() -> World {
    let world = World::new();
    let document = trust(r#"{"AWS":"*"}"#);
    let wish = [("RoleName", "flow"), ("Path", "/team/"), ("AssumeRolePolicyDocument", document.as_str())];
    world.root().query("iam", "CreateRole", &wish).ok();
    world
}

#[test]
fn everybody_may_ask_who_they_are() {
    let world = world();
    let root = world.root().query("sts", "GetCallerIdentity", &[]).ok();
    assert!(root.body.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><UserId>123456789012</UserId><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:root</Arn></GetCallerIdentityResult><ResponseMetadata><RequestId>"), "{}", root.body);
    let denied = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    world.role("denied", denied);
    let session = world.root().assume("denied").query("sts", "GetCallerIdentity", &[]).ok();
    assert_eq!(session.text("Arn"), "arn:aws:sts::123456789012:assumed-role/denied/test");
    assert!(session.text("UserId").starts_with("AROA") && session.text("UserId").ends_with(":test"));
}

#[test]
fn temporary_credentials_say_what_they_are() {
    let world = world();
    let wish = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "s1"),
        ("DurationSeconds", "900"),
        ("Policy", &allow("logs:*")),
        ("SourceIdentity", "kim"),
    ];
    let denied = world.root().query("sts", "AssumeRole", &wish);
    let expected = "User: arn:aws:iam::123456789012:root is not authorized to perform: sts:SetSourceIdentity on resource: arn:aws:iam::123456789012:role/team/flow";
    assert_eq!((denied.fault(), denied.message()), ("AccessDenied 403".to_owned(), expected.to_owned()));
    let answer = world.root().query("sts", "AssumeRole", &wish[..4]).ok();
    assert!(answer.text("AccessKeyId").starts_with("ASIA"));
    assert_eq!(answer.text("SecretAccessKey").len(), 40);
    assert_eq!(answer.text("Expiration"), "2026-11-01T12:15:00Z");
    assert_eq!(answer.text("Arn"), "arn:aws:sts::123456789012:assumed-role/flow/s1");
    assert!(answer.text("AssumedRoleId").ends_with(":s1"));
    assert_eq!(answer.text("PackedPolicySize"), "5");
}

#[test]
fn a_denied_role_and_a_missing_one_cannot_be_told_apart() {
    let world = world();
    let closed = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    let wish = [("RoleName", "closed"), ("AssumeRolePolicyDocument", closed.as_str())];
    world.root().query("iam", "CreateRole", &wish).ok();
    for name in ["closed", "none"] {
        let arn = format!("arn:aws:iam::123456789012:role/{name}");
        let answer = world.root().query("sts", "AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "s1")]);
        let expected = format!(
            "User: arn:aws:iam::123456789012:root is not authorized to perform: sts:AssumeRole on resource: {arn}"
        );
        assert_eq!((answer.fault(), answer.message()), ("AccessDenied 403".to_owned(), expected));
    }
}

#[test]
fn external_id_and_tags_reach_the_trust_policy() {
    let world = world();
    let document = trust(r#"{"AWS":"*"}"#).replace(
        "\"Effect\"",
        r#""Condition":{"StringEquals":{"sts:ExternalId":"x:1"},"StringEqualsIfExists":{"aws:RequestTag/team":"net"},"StringLike":{"sts:RoleSessionName":"s*"}},"Effect""#,
    );
    let update = [("RoleName", "flow"), ("PolicyDocument", document.as_str())];
    world.root().query("iam", "UpdateAssumeRolePolicy", &update).ok();
    let tag = |value| [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", value)];
    for (name, external_id, tags, expected) in [
        ("s1", Some("x:1"), None, "ok"),
        ("t1", Some("x:1"), None, "AccessDenied"),
        ("s1", Some("x:2"), None, "AccessDenied"),
        ("s1", None, None, "AccessDenied"),
        ("s1", Some("x:1"), Some(tag("net")), "ok"),
        ("s1", Some("x:1"), Some(tag("web")), "AccessDenied"),
    ] {
        let mut wish = vec![("RoleArn", ROLE), ("RoleSessionName", name)];
        wish.extend(external_id.map(|id| ("ExternalId", id)));
        wish.extend(tags.into_iter().flatten());
        assert_eq!(world.root().query("sts", "AssumeRole", &wish).code(), expected, "{wish:?}");
    }
}

#[test]
fn faults_of_the_request_come_before_any_permission() {
    let world = world();
    let right = [("RoleArn", ROLE), ("RoleSessionName", "s1")];
    for (name, value, expected) in [
        (
            "RoleArn",
            "",
            "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        ),
        ("RoleArn", "flow", "flow is invalid"),
        (
            "RoleSessionName",
            "Session1:2",
            r"1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*",
        ),
        (
            "DurationSeconds",
            "899",
            "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
        ),
        (
            "DurationSeconds",
            "3601",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ),
        (
            "PolicyArns.member.1.arn",
            "arn:aws:iam::aws:policy/NoSuchAccess",
            "Policy arn:aws:iam::aws:policy/NoSuchAccess does not exist.",
        ),
    ] {
        let mut wish: Vec<_> = right.into_iter().filter(|(known, _)| *known != name).collect();
        wish.push((name, value));
        let answer = world.root().query("sts", "AssumeRole", &wish);
        assert_eq!((answer.fault().as_str(), answer.message().as_str()), ("ValidationError 400", expected));
    }
    let mfa =
        [right[0], right[1], ("SerialNumber", "arn:aws:iam::123456789012:mfa/kim"), ("TokenCode", "123456")];
    assert_eq!(world.root().query("sts", "AssumeRole", &mfa).fault(), "AccessDenied 403");
}
