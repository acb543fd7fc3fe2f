//! May this principal assume this role?
//!
//! The role's trust policy must allow it. Within the account that is enough when
//! it names the caller (user, role, session, or `*`); when it names the account,
//! the caller's identity policies must allow it too, and across accounts they
//! always must. A service needs the trust policy alone.
//!
//! Passing tags needs `sts:TagSession`, a source identity `sts:SetSourceIdentity`.
//!
//! Source: STS API, AssumeRole; IAM user guide, "The confused deputy problem".

use crate::context::Context;
use crate::decision::{Decision, PolicyKind};
use crate::document::PolicyDocument;
use crate::evaluate::{NamedPolicy, Policies, Request, decide};
use crate::principal::Principal;
use weir_types::arn::Arn;

/// A wish to assume a role.
#[derive(Debug, Clone, Copy)]
pub struct AssumeRole<'a> {
    pub principal: &'a Principal,
    pub role_arn: &'a Arn,
    /// The role's AssumeRolePolicyDocument.
    pub trust: &'a PolicyDocument,
    /// With `sts:ExternalId`, `sts:RoleSessionName`, and for services
    /// `aws:SourceAccount` and `aws:SourceArn`, as they were given.
    pub context: &'a Context,
    /// Whether session tags are passed.
    pub has_tags: bool,
    pub has_source_identity: bool,
}

/// Decides, and names the action that was denied: `sts:AssumeRole` or one of
/// those that tags and a source identity need. `caller` has the identity,
/// boundary and session policies of the principal; its resource policy is not read.
pub fn may_assume_role(wish: &AssumeRole<'_>, caller: &Policies<'_>) -> (&'static str, Decision) {
    let resource = wish.role_arn.to_string();
    let trust = NamedPolicy::new("AssumeRolePolicyDocument", wish.trust);
    let policies = Policies { resource: vec![trust], ..caller.clone() };
    let decision = |action| {
        let request = Request {
            principal: wish.principal,
            action,
            resource: &resource,
            resource_account: None,
            context: wish.context,
        };
        decide(&request, &policies, PolicyKind::RoleTrust)
    };
    for (action, needed) in
        [("sts:TagSession", wish.has_tags), ("sts:SetSourceIdentity", wish.has_source_identity)]
    {
        if needed {
            let decision = decision(action);
            if !decision.is_allowed() {
                return (action, decision);
            }
        }
    }
    ("sts:AssumeRole", decision("sts:AssumeRole"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Grant;
    use crate::document::DocumentKind;

    const ROLE: &str = "arn:aws:iam::123456789012:role/flow";

    fn trust(statements: &str) -> PolicyDocument {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        PolicyDocument::parse(&text, DocumentKind::Trust).unwrap()
    }

    fn decide_for(
        principal: &Principal,
        trust: &PolicyDocument,
        identity: bool,
        context: &Context,
    ) -> String {
        let document = PolicyDocument::parse(
            r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/*"}}"#,
            DocumentKind::Identity,
        )
        .unwrap();
        let mut caller = Policies::default();
        if identity {
            caller.identity.push(NamedPolicy::new("may-assume", &document));
        }
        let role_arn = ROLE.parse().unwrap();
        let wish = AssumeRole {
            principal,
            role_arn: &role_arn,
            trust,
            context,
            has_tags: false,
            has_source_identity: false,
        };
        match may_assume_role(&wish, &caller).1 {
            Decision::Allowed(Grant::AccountRoot) => "root".to_owned(),
            Decision::Allowed(Grant::Policy { kind, .. }) => format!("{kind}"),
            Decision::ExplicitDeny { kind, .. } => format!("deny by {kind}"),
            Decision::ImplicitDeny { kind } => format!("no {kind}"),
        }
    }

    fn user(account: &str) -> Principal {
        let arn = format!("arn:aws:iam::{account}:user/kim").parse().unwrap();
        Principal::User { arn, user_id: "AIDAEXAMPLE".to_owned() }
    }

    #[test]
    fn users_and_accounts() {
        let own = "123456789012";
        let other = "210987654321";
        let statement = |principal: &str| {
            trust(&format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{principal}}}"#))
        };
        let none = Context::default();
        for (principal, trusted, identity, expected) in [
            (user(own), r#"{"AWS":"arn:aws:iam::123456789012:user/kim"}"#, false, "role trust policy"),
            (user(own), r#"{"AWS":"arn:aws:iam::123456789012:user/lee"}"#, true, "no role trust policy"),
            (user(own), r#"{"AWS":"123456789012"}"#, false, "no identity-based policy"),
            (user(own), r#"{"AWS":"arn:aws:iam::123456789012:root"}"#, true, "identity-based policy"),
            (user(own), r#"{"AWS":"210987654321"}"#, true, "no role trust policy"),
            (user(own), r#""*""#, false, "role trust policy"),
            (
                user(other),
                r#"{"AWS":"arn:aws:iam::210987654321:user/kim"}"#,
                false,
                "no identity-based policy",
            ),
            (user(other), r#"{"AWS":"arn:aws:iam::210987654321:user/kim"}"#, true, "identity-based policy"),
            (user(other), r#"{"AWS":"123456789012"}"#, true, "no role trust policy"),
            (Principal::Root { account: own.into() }, r#"{"AWS":"123456789012"}"#, false, "root"),
            (
                Principal::Root { account: own.into() },
                r#"{"Service":"ec2.amazonaws.com"}"#,
                false,
                "no role trust policy",
            ),
            (Principal::Anonymous, r#"{"Service":"ec2.amazonaws.com"}"#, false, "no role trust policy"),
        ] {
            let decision = decide_for(&principal, &statement(trusted), identity, &none);
            assert_eq!(decision, expected, "{trusted} {}", principal.arn());
        }
    }

    #[test]
    fn services_with_source_conditions() {
        let service = Principal::service("vpc-flow-logs.amazonaws.com");
        let plain = trust(
            r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"vpc-flow-logs.amazonaws.com"}}"#,
        );
        let guarded = trust(
            r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["logs.amazonaws.com","vpc-flow-logs.amazonaws.com"]},
                "Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"},
                             "ArnLike":{"aws:SourceArn":"arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/*"}}}"#,
        );
        let anybody = trust(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}"#);
        let denied = trust(
            r#"{"Effect":"Allow","Action":"sts:*","Principal":{"Service":"vpc-flow-logs.amazonaws.com"}},
               {"Effect":"Deny","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringNotEquals":{"aws:SourceAccount":"123456789012"}}}"#,
        );
        let context = |account: &str, region: &str| {
            let mut context = Context::default();
            context.set("aws:SourceAccount", account);
            context.set("aws:SourceArn", format!("arn:aws:ec2:{region}:{account}:vpc-flow-log/fl-1"));
            context
        };
        let right = context("123456789012", "us-east-1");
        for (name, trust, context, expected) in [
            ("plain", &plain, &Context::default(), "role trust policy"),
            ("plain", &plain, &right, "role trust policy"),
            ("guarded", &guarded, &right, "role trust policy"),
            ("guarded", &guarded, &Context::default(), "no role trust policy"),
            ("guarded", &guarded, &context("210987654321", "us-east-1"), "no role trust policy"),
            ("guarded", &guarded, &context("123456789012", "us-west-2"), "no role trust policy"),
            ("anybody", &anybody, &right, "no role trust policy"),
            ("denied", &denied, &right, "role trust policy"),
            ("denied", &denied, &context("210987654321", "us-east-1"), "deny by role trust policy"),
        ] {
            assert_eq!(decide_for(&service, trust, false, context), expected, "{name}");
        }
        let other = Principal::service("firehose.amazonaws.com");
        assert_eq!(decide_for(&other, &plain, false, &right), "no role trust policy");
    }

    #[test]
    fn a_regional_service_name_means_the_service() {
        let logs = Principal::service("logs.amazonaws.com");
        for (service, expected) in [
            ("logs.us-east-1.amazonaws.com", "role trust policy"),
            ("logs.amazonaws.com", "role trust policy"),
            ("delivery.logs.amazonaws.com", "no role trust policy"),
            ("logs.x.y-z.amazonaws.com", "no role trust policy"),
        ] {
            let document = trust(&format!(
                r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}"}}}}"#
            ));
            assert_eq!(decide_for(&logs, &document, false, &Context::default()), expected, "{service}");
        }
    }

    #[test]
    fn external_ids_and_what_tags_need() {
        let document = trust(
            r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::123456789012:user/kim"},
                "Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}"#,
        );
        let kim = user("123456789012");
        let role_arn = ROLE.parse().unwrap();
        let mut context = Context::default();
        let mut check = |external_id: Option<&str>, has_tags, has_source_identity, expected| {
            if let Some(id) = external_id {
                context.set("sts:ExternalId", id);
            }
            let wish = AssumeRole {
                principal: &kim,
                role_arn: &role_arn,
                trust: &document,
                context: &context,
                has_tags,
                has_source_identity,
            };
            let (action, decision) = may_assume_role(&wish, &Policies::default());
            assert_eq!((action, decision.is_allowed()), expected);
        };
        check(None, false, false, ("sts:AssumeRole", false));
        check(Some("guess"), false, false, ("sts:AssumeRole", false));
        check(Some("secret"), false, false, ("sts:AssumeRole", true));
        check(Some("secret"), true, false, ("sts:TagSession", false));
        check(Some("secret"), false, true, ("sts:SetSourceIdentity", false));
    }
}
