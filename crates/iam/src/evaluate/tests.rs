use super::*;
use crate::document::DocumentKind;

const OWN: &str = "123456789012";
const OTHER: &str = "210987654321";

fn identity(statements: &str) -> PolicyDocument {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    PolicyDocument::parse(&text, DocumentKind::Identity).unwrap()
}

fn on_resource(statements: &str) -> PolicyDocument {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    PolicyDocument::parse(&text, DocumentKind::Resource).unwrap()
}

fn allow(action: &str) -> PolicyDocument {
    identity(&format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#))
}

fn deny(action: &str) -> PolicyDocument {
    identity(&format!(r#"{{"Sid":"no","Effect":"Deny","Action":"{action}","Resource":"*"}}"#))
}

fn grant_to(principal: &str) -> PolicyDocument {
    on_resource(&format!(
        r#"{{"Effect":"Allow","Principal":{principal},"Action":"logs:PutLogEvents","Resource":"*"}}"#
    ))
}

fn user() -> Principal {
    let arn = format!("arn:aws:iam::{OWN}:user/kim").parse().unwrap();
    Principal::User { arn, user_id: "AIDAEXAMPLEEXAMPLE".to_owned() }
}

fn session() -> Principal {
    let role = format!("arn:aws:iam::{OWN}:role/p/flow").parse().unwrap();
    Principal::assumed_role(role, "AROAEXAMPLEEXAMPLE", "s1")
}

#[derive(Default)]
struct Case<'a> {
    identity: Vec<&'a PolicyDocument>,
    boundary: Option<&'a PolicyDocument>,
    session: Vec<&'a PolicyDocument>,
    resource: Option<&'a PolicyDocument>,
}

fn decide_for(principal: &Principal, account: &str, case: Case<'_>) -> String {
    let name = |document| NamedPolicy::new("p", document);
    let policies = Policies {
        identity: case.identity.into_iter().map(name).collect(),
        boundary: case.boundary.map(name),
        session: case.session.into_iter().map(name).collect(),
        resource: case.resource.map(name).into_iter().collect(),
    };
    let resource = format!("arn:aws:logs:us-east-1:{account}:log-group:g:log-stream:s");
    let request = Request {
        principal,
        action: "logs:PutLogEvents",
        resource: &resource,
        resource_account: None,
        context: &Context::default(),
    };
    summary(&evaluate(&request, &policies))
}

fn summary(decision: &Decision) -> String {
    match decision {
        Decision::Allowed(Grant::AccountRoot) => "root".to_owned(),
        Decision::Allowed(Grant::Policy { kind, .. }) => kind.to_string(),
        Decision::ExplicitDeny { kind, .. } => format!("deny by {kind}"),
        Decision::ImplicitDeny { kind } => format!("no {kind}"),
    }
}

#[test]
fn an_identity_policy_is_needed_and_enough() {
    let (puts, other, denies) = (allow("logs:Put*"), allow("logs:Get*"), deny("logs:*"));
    for (policies, expected) in [
        (vec![], "no identity-based policy"),
        (vec![&other], "no identity-based policy"),
        (vec![&puts], "identity-based policy"),
        (vec![&other, &puts], "identity-based policy"),
        (vec![&puts, &denies], "deny by identity-based policy"),
        (vec![&denies], "deny by identity-based policy"),
    ] {
        for principal in [user(), session()] {
            let case = Case { identity: policies.clone(), ..Case::default() };
            assert_eq!(decide_for(&principal, OWN, case), expected);
        }
    }
}

#[test]
fn boundary_and_session_policies_only_narrow() {
    let (all, other, denies) = (allow("*"), allow("ec2:*"), deny("logs:PutLogEvents"));
    for (identity, boundary, session_policies, expected) in [
        (vec![&all], Some(&all), vec![&all], "identity-based policy"),
        (vec![], Some(&all), vec![&all], "no identity-based policy"),
        (vec![&all], Some(&other), vec![], "no permissions boundary"),
        (vec![&all], Some(&denies), vec![], "deny by permissions boundary"),
        (vec![&all], None, vec![&other], "no session policy"),
        (vec![&all], None, vec![&other, &all], "identity-based policy"),
        (vec![&all], None, vec![&denies, &all], "deny by session policy"),
        (vec![&all], Some(&other), vec![&other], "no permissions boundary"),
    ] {
        let case = Case { identity, boundary, session: session_policies, resource: None };
        assert_eq!(decide_for(&session(), OWN, case), expected);
    }
}

/// Columns: who, the resource policy's principal, without other policies, with a
/// boundary that lacks the action.
#[test]
fn resource_policies_within_the_account() {
    let other = allow("ec2:*");
    let (by_resource, no_identity, no_boundary) =
        ("resource-based policy", "no identity-based policy", "no permissions boundary");
    for (who, principal, alone, bounded) in [
        (user(), format!(r#"{{"AWS":"arn:aws:iam::{OWN}:user/kim"}}"#), by_resource, by_resource),
        (user(), r#"{"AWS":"AIDAEXAMPLEEXAMPLE"}"#.into(), by_resource, by_resource),
        (user(), format!(r#"{{"AWS":"arn:aws:iam::{OWN}:user/Kim"}}"#), no_identity, no_identity),
        (
            session(),
            format!(r#"{{"AWS":"arn:aws:sts::{OWN}:assumed-role/flow/s1"}}"#),
            by_resource,
            by_resource,
        ),
        (
            session(),
            format!(r#"{{"AWS":"arn:aws:sts::{OWN}:assumed-role/flow/s2"}}"#),
            no_identity,
            no_identity,
        ),
        (session(), format!(r#"{{"AWS":"arn:aws:iam::{OWN}:role/p/flow"}}"#), by_resource, no_boundary),
        (session(), r#"{"AWS":"AROAEXAMPLEEXAMPLE"}"#.into(), by_resource, no_boundary),
        (session(), format!(r#"{{"AWS":"{OWN}"}}"#), no_identity, no_identity),
        (session(), format!(r#"{{"AWS":"arn:aws:iam::{OWN}:root"}}"#), no_identity, no_identity),
        (session(), r#""*""#.into(), by_resource, no_boundary),
        (user(), r#"{"AWS":["*"]}"#.into(), by_resource, no_boundary),
        (user(), r#"{"Service":"ec2.amazonaws.com"}"#.into(), no_identity, no_identity),
        (user(), r#"{"Federated":"x","CanonicalUser":"y"}"#.into(), no_identity, no_identity),
    ] {
        let resource = grant_to(&principal);
        let case = Case { resource: Some(&resource), ..Case::default() };
        assert_eq!(decide_for(&who, OWN, case), alone, "{principal}");
        let case = Case { resource: Some(&resource), boundary: Some(&other), ..Case::default() };
        assert_eq!(decide_for(&who, OWN, case), bounded, "{principal} with a boundary");
    }
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let all = allow("*");
    let account = grant_to(&format!(r#"{{"AWS":"{OWN}"}}"#));
    let named = grant_to(&format!(r#"{{"AWS":"arn:aws:iam::{OWN}:user/kim"}}"#));
    let wrong = grant_to(&format!(r#"{{"AWS":"{OTHER}"}}"#));
    for (identity, resource, expected) in [
        (vec![], None, "no identity-based policy"),
        (vec![&all], None, "no resource-based policy"),
        (vec![], Some(&named), "no identity-based policy"),
        (vec![&all], Some(&wrong), "no resource-based policy"),
        (vec![&all], Some(&named), "identity-based policy"),
        (vec![&all], Some(&account), "identity-based policy"),
    ] {
        let case = Case { identity, resource, ..Case::default() };
        assert_eq!(decide_for(&user(), OTHER, case), expected);
    }
}

#[test]
fn the_root_user_owns_its_account_and_nothing_else() {
    let root = Principal::Root { account: OWN.to_owned() };
    let account = grant_to(&format!(r#"{{"AWS":"{OWN}"}}"#));
    let denies = on_resource(r#"{"Effect":"Deny","Principal":"*","Action":"logs:*","Resource":"*"}"#);
    assert_eq!(decide_for(&root, OWN, Case::default()), "root");
    assert_eq!(decide_for(&root, OTHER, Case::default()), "no resource-based policy");
    let case = Case { resource: Some(&account), ..Case::default() };
    assert_eq!(decide_for(&root, OTHER, case), "root");
    let case = Case { resource: Some(&denies), ..Case::default() };
    assert_eq!(decide_for(&root, OWN, case), "deny by resource-based policy");
}

#[test]
fn services_and_unsigned_requests_have_the_resource_policy_only() {
    let service = Principal::service("delivery.logs.amazonaws.com");
    for (who, principal, expected) in [
        (&service, r#"{"Service":"delivery.logs.amazonaws.com"}"#, "resource-based policy"),
        (&service, r#"{"Service":"logs.amazonaws.com"}"#, "no resource-based policy"),
        (&service, r#""*""#, "no resource-based policy"),
        (&Principal::Anonymous, r#""*""#, "resource-based policy"),
        (&Principal::Anonymous, r#"{"AWS":"123456789012"}"#, "no resource-based policy"),
    ] {
        let resource = grant_to(principal);
        let case = Case { resource: Some(&resource), ..Case::default() };
        assert_eq!(decide_for(who, OWN, case), expected, "{principal}");
    }
    let denies = on_resource(r#"{"Effect":"Deny","Principal":"*","Action":"logs:*","Resource":"*"}"#);
    let case = Case { resource: Some(&denies), ..Case::default() };
    assert_eq!(decide_for(&service, OWN, case), "deny by resource-based policy");
}

#[test]
fn not_principal_denies_all_but_those_named() {
    let all = allow("*");
    for (principal, expected) in [
        (format!(r#"{{"AWS":["arn:aws:iam::{OWN}:user/kim","{OWN}"]}}"#), "identity-based policy"),
        (format!(r#"{{"AWS":["arn:aws:iam::{OWN}:user/lee","{OWN}"]}}"#), "deny by resource-based policy"),
        (format!(r#"{{"AWS":"{OWN}"}}"#), "deny by resource-based policy"),
    ] {
        let document = on_resource(&format!(
            r#"{{"Effect":"Deny","NotPrincipal":{principal},"Action":"*","Resource":"*"}}"#
        ));
        let case = Case { identity: vec![&all], resource: Some(&document), ..Case::default() };
        assert_eq!(decide_for(&user(), OWN, case), expected, "{principal}");
    }
}

#[test]
fn statements_cover_by_action_resource_and_condition() {
    let mut context = Context::default();
    context.set("aws:RequestedRegion", "us-east-1").set("aws:username", "kim");
    let vpc = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1";
    for (statement, action, resource, expected) in [
        (r#""Action":"ec2:*","Resource":"*""#, "ec2:CreateFlowLogs", vpc, true),
        (r#""Action":["s3:*","EC2:create*"],"Resource":"*""#, "ec2:CreateFlowLogs", vpc, true),
        (r#""Action":"ec2:Delete*","Resource":"*""#, "ec2:CreateFlowLogs", vpc, false),
        (r#""NotAction":"iam:*","Resource":"*""#, "ec2:CreateFlowLogs", vpc, true),
        (r#""NotAction":["iam:*","ec2:Create*"],"Resource":"*""#, "ec2:CreateFlowLogs", vpc, false),
        (r#""Action":"*","Resource":"arn:aws:ec2:*:*:vpc/*""#, "ec2:CreateFlowLogs", vpc, true),
        (r#""Action":"*","Resource":"arn:aws:ec2:*:*:subnet/*""#, "ec2:CreateFlowLogs", vpc, false),
        (r#""Action":"*","NotResource":"arn:aws:ec2:*:*:subnet/*""#, "ec2:CreateFlowLogs", vpc, true),
        (r#""Action":"*","NotResource":["arn:aws:ec2:*:*:*"]"#, "ec2:CreateFlowLogs", vpc, false),
        // An action without resources is covered by `*` alone.
        (r#""Action":"*","Resource":"*""#, "ec2:DescribeVpcs", "*", true),
        (r#""Action":"*","Resource":"arn:aws:ec2:*:*:*""#, "ec2:DescribeVpcs", "*", false),
        (
            r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#,
            "ec2:X",
            vpc,
            true,
        ),
        (
            r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"},"Null":{"aws:username":true}}"#,
            "ec2:X",
            vpc,
            false,
        ),
        (
            r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1","aws:username":"lee"}}"#,
            "ec2:X",
            vpc,
            false,
        ),
        (r#""Action":"*","Resource":"*","Condition":{}"#, "ec2:X", vpc, true),
    ] {
        let document = identity(&format!(r#"{{"Effect":"Allow",{statement}}}"#));
        assert_eq!(document.statements[0].covers(action, resource, &context), expected, "{statement}");
    }
}

#[test]
fn passing_a_role_stays_within_the_account() {
    let all = allow("iam:PassRole");
    let open = on_resource(r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#);
    let mut policies = Policies { identity: vec![NamedPolicy::new("p", &all)], ..Policies::default() };
    let context = Context::default();
    for (account, resource_policy, expected) in [
        (OWN, None, "identity-based policy"),
        (OTHER, None, "no resource-based policy"),
        (OTHER, Some(&open), "no resource-based policy"),
    ] {
        policies.resource =
            resource_policy.map(|document| NamedPolicy::new("r", document)).into_iter().collect();
        let resource = format!("arn:aws:iam::{account}:role/flow");
        let request = Request {
            principal: &user(),
            action: "iam:PassRole",
            resource: &resource,
            resource_account: None,
            context: &context,
        };
        assert_eq!(summary(&evaluate(&request, &policies)), expected);
    }
}

#[test]
fn a_bucket_has_its_owners_account() {
    let all = allow("s3:*");
    let policies = Policies { identity: vec![NamedPolicy::new("p", &all)], ..Policies::default() };
    for (resource_account, expected) in [
        (None, "identity-based policy"),
        (Some(OWN), "identity-based policy"),
        (Some(OTHER), "no resource-based policy"),
    ] {
        let request = Request {
            principal: &user(),
            action: "s3:PutObject",
            resource: "arn:aws:s3:::bucket/key",
            resource_account,
            context: &Context::default(),
        };
        assert_eq!(summary(&evaluate(&request, &policies)), expected);
    }
}

#[test]
fn denials_are_worded_as_aws_words_them() {
    let role = "arn:aws:iam::123456789012:role/flow";
    let principal = session();
    let context = Context::default();
    let request = |resource| Request {
        principal: &principal,
        action: "iam:PassRole",
        resource,
        resource_account: None,
        context: &context,
    };
    let user =
        "User: arn:aws:sts::123456789012:assumed-role/flow/s1 is not authorized to perform: iam:PassRole";
    let denied = |kind, policy: &str| Decision::ExplicitDeny { kind, policy: policy.to_owned(), sid: None };
    for (decision, resource, expected) in [
        (
            Decision::ImplicitDeny { kind: PolicyKind::Identity },
            role,
            format!(
                "{user} on resource: {role} because no identity-based policy allows the iam:PassRole action"
            ),
        ),
        (
            Decision::ImplicitDeny { kind: PolicyKind::Boundary },
            "*",
            format!("{user} because no permissions boundary allows the iam:PassRole action"),
        ),
        (
            denied(PolicyKind::Identity, "inline"),
            role,
            format!("{user} on resource: {role} with an explicit deny in an identity-based policy"),
        ),
        (
            denied(PolicyKind::Session, "arn:aws:iam::1:policy/p"),
            "*",
            format!("{user} with an explicit deny in a session policy: arn:aws:iam::1:policy/p"),
        ),
        (
            denied(PolicyKind::RoleTrust, "x"),
            role,
            format!("{user} on resource: {role} with an explicit deny in the role trust policy"),
        ),
    ] {
        assert_eq!(decision.access_denied_message(&request(resource)), Some(expected));
    }
    let allowed = Decision::Allowed(Grant::AccountRoot);
    assert_eq!(allowed.access_denied_message(&request(role)), None);
}
