//! Simulations, the account's summary and its details.

use crate::testing::{World, allow};

const GUARDED: &str = r#"{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
  {"Effect":"Deny","Action":"s3:GetObjectAcl","Resource":"*"}
]}"#;

fn simulate(more: &[(&str, &str)]) -> String {
    let world = World::new();
    let params: Vec<_> = [("PolicyInputList.member.1", GUARDED)].iter().chain(more).copied().collect();
    let answer = world.root().query("iam", "SimulateCustomPolicy", &params);
    if answer.code() != "ok" {
        return answer.fault();
    }
    let one = answer.texts("EvalDecision").join(",");
    assert_eq!(one, answer.texts("EvalResourceDecision").join(","));
    one
}

#[test]
fn given_policies_decide() {
    let action = |name| ("ActionNames.member.1", name);
    let on = ("ResourceArns.member.1", "arn:aws:s3:::b/kim/x");
    let entry = |n: usize, key: &'static str, value: &'static str| {
        [
            (format!("ContextEntries.member.{n}.ContextKeyName"), key),
            (format!("ContextEntries.member.{n}.ContextKeyType"), "string"),
            (format!("ContextEntries.member.{n}.ContextKeyValues.member.1"), value),
        ]
    };
    let context: Vec<(String, &str)> =
        [entry(1, "aws:username", "kim"), entry(2, "aws:SourceIp", "10.1.1.1")].concat();
    let known: Vec<(&str, &str)> = context.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let boundary = allow("ec2:*");
    let bounded = ("PermissionsBoundaryPolicyInputList.member.1", boundary.as_str());
    for (params, with_context, expected) in [
        (vec![action("s3:GetObject"), on], true, "allowed"),
        (vec![action("s3:GetObject"), on], false, "implicitDeny"),
        (vec![action("s3:GetObject")], true, "implicitDeny"),
        (vec![action("s3:PutObject"), on], true, "implicitDeny"),
        (vec![action("s3:GetObjectAcl"), on], false, "explicitDeny"),
        (
            vec![action("s3:GetObject"), on, ("ActionNames.member.2", "s3:GetObjectAcl")],
            true,
            "allowed,explicitDeny",
        ),
        (vec![action("s3:GetObject"), on, bounded], true, "implicitDeny"),
        (vec![action("GetObject")], true, "InvalidInput 400"),
        (vec![], true, "ValidationError 400"),
        (vec![action("s3:GetObject"), ("PolicyInputList.member.2", "{}")], true, "InvalidInput 400"),
        (vec![action("s3:GetObject"), ("ResourcePolicy", "{}")], true, "InvalidInput 400"),
    ] {
        let mut all = params.clone();
        all.extend(known.iter().filter(|_| with_context));
        assert_eq!(simulate(&all), expected, "{params:?} {with_context}");
    }
}

#[test]
fn a_result_names_its_statement_and_what_it_lacked() {
    let world = World::new();
    let ask = |action| {
        let params = [("PolicyInputList.member.1", GUARDED), ("ActionNames.member.1", action)];
        world.root().query("iam", "SimulateCustomPolicy", &params).ok()
    };
    let denied = ask("s3:GetObjectAcl");
    assert_eq!(denied.text("SourcePolicyId"), "PolicyInputList.1");
    assert!(denied.body.contains("<StartPosition><Line>3</Line><Column>3</Column></StartPosition><EndPosition><Line>3</Line><Column>61</Column></EndPosition>"), "{}", denied.body);
    let lacking = ask("s3:GetObject");
    assert!(lacking.body.contains("<MatchedStatements/><MissingContextValues><member>aws:SourceIp</member><member>aws:username</member></MissingContextValues>"), "{}", lacking.body);
    let keys = [("PolicyInputList.member.1", GUARDED)];
    let keys = world.root().query("iam", "GetContextKeysForCustomPolicy", &keys).ok();
    assert_eq!(keys.texts("member"), ["aws:SourceIp", "aws:username"]);
}

#[test]
fn the_policies_of_a_principal_decide() {
    let world = World::new();
    let root = world.root();
    let (kim, team) = (("UserName", "kim"), ("GroupName", "team"));
    let (own, groups) = (allow("ec2:*"), allow("logs:*"));
    for (action, params) in [
        ("CreateUser", vec![kim]),
        ("CreateGroup", vec![team]),
        ("AddUserToGroup", vec![kim, team]),
        ("PutUserPolicy", vec![kim, ("PolicyName", "own"), ("PolicyDocument", own.as_str())]),
        ("PutGroupPolicy", vec![team, ("PolicyName", "shared"), ("PolicyDocument", groups.as_str())]),
        ("AttachUserPolicy", vec![kim, ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")]),
    ] {
        root.query("iam", action, &params).ok();
    }
    let ask = |source: &str, action: &str, more: &[(&str, &str)]| {
        let mut params = vec![("PolicySourceArn", source), ("ActionNames.member.1", action)];
        params.extend_from_slice(more);
        let answer = root.query("iam", "SimulatePrincipalPolicy", &params);
        match answer.code().as_str() {
            "ok" => {
                let by = answer.texts("SourcePolicyType").into_iter().next().unwrap_or_default();
                format!("{} {by}", answer.text("EvalDecision"))
            }
            _ => answer.fault(),
        }
    };
    let user = "arn:aws:iam::123456789012:user/kim";
    let more = allow("s3:*");
    let resource_policy = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/kim"},"Action":"s3:GetObject","Resource":"*"}}"#;
    for (source, action, more, expected) in [
        (user, "ec2:CreateVpc", &[][..], "allowed user"),
        (user, "logs:PutLogEvents", &[], "allowed group"),
        (user, "iam:GetRole", &[], "allowed aws-managed"),
        (user, "s3:GetObject", &[], "implicitDeny "),
        (user, "s3:GetObject", &[("PolicyInputList.member.1", more.as_str())], "allowed IAM Policy"),
        (user, "s3:GetObject", &[("ResourcePolicy", resource_policy)], "allowed resource"),
        ("arn:aws:iam::123456789012:group/team", "logs:PutLogEvents", &[], "allowed group"),
        ("arn:aws:iam::123456789012:role/none", "logs:PutLogEvents", &[], "NoSuchEntity 404"),
        ("arn:aws:iam::210987654321:user/kim", "logs:PutLogEvents", &[], "AccessDenied 403"),
        ("kim", "logs:PutLogEvents", &[], "InvalidInput 400"),
    ] {
        assert_eq!(ask(source, action, more), expected, "{source} {action}");
    }
    let bound = ("PermissionsBoundary", "arn:aws:iam::aws:policy/AmazonS3FullAccess");
    root.query("iam", "PutUserPermissionsBoundary", &[kim, bound]).ok();
    assert_eq!(ask(user, "ec2:CreateVpc", &[]), "implicitDeny ");
    let keys = root.query("iam", "GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", user)]).ok();
    assert!(keys.body.contains("<ContextKeyNames/>"), "{}", keys.body);
}

#[test]
fn an_account_is_summed_up_and_told_in_full() {
    let world = World::new();
    world.role("flow", &allow("s3:*"));
    let root = world.root();
    for (action, params) in [
        ("CreateUser", vec![("UserName", "kim")]),
        ("CreateGroup", vec![("GroupName", "team")]),
        ("AddUserToGroup", vec![("UserName", "kim"), ("GroupName", "team")]),
        ("CreatePolicy", vec![("PolicyName", "p"), ("PolicyDocument", &allow("s3:*"))]),
        (
            "AttachUserPolicy",
            vec![("UserName", "kim"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")],
        ),
    ] {
        root.query("iam", action, &params).ok();
    }
    let summary = root.query("iam", "GetAccountSummary", &[]).ok().body;
    for (key, value) in
        [("Users", 1), ("Groups", 1), ("Roles", 1), ("Policies", 1), ("PolicySizeQuota", 6_144)]
    {
        assert!(summary.contains(&format!("<entry><key>{key}</key><value>{value}</value></entry>")), "{key}");
    }
    let details = |params: &[(&str, &str)]| root.query("iam", "GetAccountAuthorizationDetails", params).ok();
    let all = details(&[]);
    assert_eq!(all.texts("PolicyName"), ["IAMReadOnlyAccess", "inline", "p", "IAMReadOnlyAccess"]);
    assert!(all.body.contains("<GroupList><member>team</member></GroupList>"), "{}", all.body);
    let roles = details(&[("Filter.member.1", "Role")]);
    assert_eq!((roles.texts("RoleName").len(), roles.texts("UserName").len()), (1, 0));
    assert_eq!(details(&[("MaxItems", "1")]).text("IsTruncated"), "true");
}
