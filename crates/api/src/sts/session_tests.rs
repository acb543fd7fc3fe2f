//! Temporary credentials of users, and the messages of denials.

use crate::testing::{Client, World, allow};
use serde_json::{Value, json};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess";

/// A user who may do `action`, with a key.
fn user<'a>(world: &'a World, name: &str, action: &str) -> Client<'a> {
    let root = world.root();
    let policy = allow(action);
    root.query("iam", "CreateUser", &[("UserName", name)]).ok();
    root.query(
        "iam",
        "PutUserPolicy",
        &[("UserName", name), ("PolicyName", "p"), ("PolicyDocument", &policy)],
    )
    .ok();
    let key = root.query("iam", "CreateAccessKey", &[("UserName", name)]).ok();
    world.client(&key.text("AccessKeyId"), &key.text("SecretAccessKey"), None)
}

fn session<'a>(client: &Client<'a>, action: &str, params: &[(&str, &str)]) -> Client<'a> {
    let made = client.query("sts", action, params).ok();
    let [id, secret, token] = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|name| made.text(name));
    client.world().client(&id, &secret, Some(&token))
}

/// The outcome of an EC2, an IAM and an STS action.
fn may(client: &Client<'_>) -> [String; 3] {
    [("ec2", "DescribeVpcs"), ("iam", "ListRoles"), ("sts", "GetSessionToken")]
        .map(|(service, action)| client.query(service, action, &[]).code())
}

#[test]
fn a_users_session_may_what_the_user_may_but_iam() {
    let world = World::new();
    let kim = user(&world, "kim", "*");
    let own = session(&kim, "GetSessionToken", &[("DurationSeconds", "900")]);
    assert!(own.access_key_id().starts_with("ASIA"));
    assert_eq!(
        own.query("sts", "GetCallerIdentity", &[]).ok().text("Arn"),
        "arn:aws:iam::123456789012:user/kim"
    );
    assert_eq!(may(&kim), ["ok", "ok", "ok"]);
    assert_eq!(may(&own), ["ok", "InvalidClientTokenId", "AccessDenied"]);
    let root = session(&world.root(), "GetSessionToken", &[("DurationSeconds", "129600")]);
    assert_eq!(
        root.query("sts", "GetCallerIdentity", &[]).ok().text("Arn"),
        "arn:aws:iam::123456789012:root"
    );
    world.advance(901);
    assert_eq!(own.query("sts", "GetCallerIdentity", &[]).code(), "ExpiredToken");
    world.advance(2_699);
    assert_eq!(root.query("sts", "GetCallerIdentity", &[]).code(), "ExpiredToken");
    for (duration, expected) in [("899", "ValidationError"), ("129601", "ValidationError"), ("129600", "ok")]
    {
        assert_eq!(kim.query("sts", "GetSessionToken", &[("DurationSeconds", duration)]).code(), expected);
    }
    let role = world.root();
    world.role("flow", &allow("*"));
    let chained = role.assume("flow").query("sts", "GetSessionToken", &[]);
    assert_eq!(
        (chained.fault().as_str(), chained.message().as_str()),
        ("AccessDenied 403", "Cannot call GetSessionToken with session credentials")
    );
}

#[test]
fn a_federated_user_may_what_its_session_policies_and_its_issuer_may() {
    let world = World::new();
    let all = allow("*");
    let kim = user(&world, "kim", "*");
    let bo = |more: &[(&str, &str)]| {
        let params: Vec<_> = [("Name", "bo")].iter().chain(more).copied().collect();
        session(&kim, "GetFederationToken", &params)
    };
    let allowed = |client: &Client<'_>| {
        [("DescribeVpcs", vec![]), ("CreateVpc", vec![("CidrBlock", "10.0.0.0/16")])]
            .map(|(action, params)| client.query("ec2", action, &params).code() == "ok")
    };
    let plain = bo(&[]);
    let identity = plain.query("sts", "GetCallerIdentity", &[]).ok();
    assert_eq!(
        (identity.text("Arn"), identity.text("UserId")),
        ("arn:aws:sts::123456789012:federated-user/bo".to_owned(), "123456789012:bo".to_owned())
    );
    assert_eq!(allowed(&plain), [false, false]);
    assert_eq!(allowed(&bo(&[("Policy", &all)])), [true, true]);
    assert_eq!(allowed(&bo(&[("PolicyArns.member.1.arn", READ_ONLY)])), [true, false]);
    assert_eq!(
        allowed(&session(&world.root(), "GetFederationToken", &[("Name", "bo"), ("Policy", &all)])),
        [true, true]
    );
    let lee = user(&world, "lee", "sts:*");
    assert_eq!(
        allowed(&session(&lee, "GetFederationToken", &[("Name", "bo"), ("Policy", &all)])),
        [false, false]
    );
    let federated = bo(&[("Policy", &all)]);
    assert_eq!(may(&federated), ["ok", "InvalidClientTokenId", "AccessDenied"]);
    let long = allow(&format!("s3:{}", "x".repeat(2_048)));
    for (name, value, expected) in [
        ("Name", "b", "ValidationError"),
        ("Policy", "{}", "MalformedPolicyDocument"),
        ("Policy", &long, "ValidationError"),
        ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/NoSuchAccess", "ValidationError"),
    ] {
        let mut wish: Vec<_> = [("Name", "bo")].into_iter().filter(|(known, _)| *known != name).collect();
        wish.push((name, value));
        assert_eq!(kim.query("sts", "GetFederationToken", &wish).code(), expected, "{name}");
    }
}

#[test]
fn managed_session_policies_narrow_a_role() {
    let world = World::new();
    world.role("flow", &allow("*"));
    let wish = [
        ("RoleArn", "arn:aws:iam::123456789012:role/flow"),
        ("RoleSessionName", "s1"),
        ("PolicyArns.member.1.arn", READ_ONLY),
    ];
    let narrow = world.root().assume_with(&wish);
    assert_eq!(may(&narrow), ["ok", "AccessDenied", "AccessDenied"]);
    let denied = narrow.query("iam", "ListRoles", &[]).message();
    assert!(denied.ends_with("because no session policy allows the iam:ListRoles action"), "{denied}");
    let many: Vec<(String, &str)> =
        (1..=11).map(|n| (format!("PolicyArns.member.{n}.arn"), READ_ONLY)).collect();
    let mut wish = wish[..2].to_vec();
    wish.extend(many.iter().map(|(name, arn)| (name.as_str(), *arn)));
    assert_eq!(world.root().query("sts", "AssumeRole", &wish).code(), "ValidationError");
}

#[test]
fn an_access_key_tells_its_account() {
    let world = World::new();
    let kim = user(&world, "kim", "sts:GetAccessKeyInfo");
    let info = |id: &str| kim.query("sts", "GetAccessKeyInfo", &[("AccessKeyId", id)]);
    assert_eq!(info(kim.access_key_id()).ok().text("Account"), "123456789012");
    assert_eq!(info(world.root().access_key_id()).ok().text("Account"), "123456789012");
    assert_eq!(info("AKIAUNKNOWNUNKNOWN12").code(), "ValidationError");
}

#[test]
fn a_denial_of_ec2_can_be_decoded_by_those_who_may() {
    let world = World::new();
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Sid":"NoVpcs","Effect":"Deny","Action":"ec2:CreateVpc","Resource":"*"}]}"#;
    let kim = user(&world, "kim", "*");
    let put = [("UserName", "kim"), ("PolicyName", "p"), ("PolicyDocument", deny)];
    world.root().query("iam", "PutUserPolicy", &put).ok();
    let denied = kim.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
    assert_eq!(denied.fault(), "UnauthorizedOperation 403");
    let message = denied.message();
    let (text, encoded) = message.split_once(" Encoded authorization failure message: ").unwrap();
    assert!(text.ends_with("with an explicit deny in an identity-based policy."), "{text}");
    let decode = |client: &Client<'_>, text: &str| {
        client.query("sts", "DecodeAuthorizationMessage", &[("EncodedMessage", text)])
    };
    let decoded: Value = serde_json::from_str(&decode(&kim, encoded).ok().text("DecodedMessage")).unwrap();
    assert_eq!((&decoded["allowed"], &decoded["explicitDeny"]), (&json!(false), &json!(true)));
    assert_eq!(decoded["matchedStatements"]["items"][0]["statementId"], "NoVpcs");
    assert_eq!(decoded["context"]["action"], "ec2:CreateVpc");
    assert_eq!(decoded["context"]["principal"]["arn"], "arn:aws:iam::123456789012:user/kim");
    let keys: Vec<&str> = decoded["context"]["conditions"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["key"].as_str().unwrap())
        .collect();
    assert!(keys.contains(&"aws:PrincipalArn"), "{keys:?}");
    assert_eq!(decode(&kim, "nonsense").fault(), "InvalidAuthorizationMessageException 400");
    let lee = user(&world, "lee", "ec2:*");
    assert_eq!(decode(&lee, encoded).fault(), "AccessDenied 403");
}
