//! The decision, computed again in another way: word for word from "Policy
//! evaluation logic", from lists of facts, without the evaluator's matching.
//!
//! Policies are drawn as facts (effect, which action, which resource, a condition
//! that holds or not), written as documents for the evaluator, and judged here as
//! facts.

use super::*;
use crate::document::DocumentKind;
use proptest::prelude::*;

const OWN: &str = "123456789012";
const OTHER: &str = "210987654321";

/// A statement: what it says of the one request that is asked.
#[derive(Debug, Clone, Copy)]
struct Fact {
    allow: bool,
    /// Whether its action, resource and condition meet the request.
    action: bool,
    resource: bool,
    condition: bool,
    /// Whom a resource policy names.
    whom: Whom,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Whom {
    Caller,
    Role,
    Account,
    Everybody,
    SomebodyElse,
}

impl Fact {
    fn meets(self) -> bool {
        self.action && self.resource && self.condition
    }

    /// Whether a resource policy means the caller, who is a user or a session.
    fn means_caller(self, is_session: bool) -> bool {
        match self.whom {
            Whom::Caller | Whom::Account | Whom::Everybody => true,
            Whom::Role => is_session,
            Whom::SomebodyElse => false,
        }
    }

    fn statement(self, principal: bool, is_session: bool) -> String {
        let effect = if self.allow { "Allow" } else { "Deny" };
        let action = if self.action { "logs:Put*" } else { "logs:Get*" };
        let resource =
            if self.resource { "arn:aws:logs:*:*:log-group:g*" } else { "arn:aws:logs:*:*:log-group:x*" };
        let value = if self.condition { "kim" } else { "lee" };
        let name = |account: &str| match (self.whom, is_session) {
            (Whom::Caller, true) => format!("arn:aws:sts::{account}:assumed-role/r/s1"),
            (Whom::Caller | Whom::Role, _) if !is_session && self.whom == Whom::Caller => {
                format!("arn:aws:iam::{account}:user/kim")
            }
            (Whom::Role, _) => format!("arn:aws:iam::{account}:role/r"),
            (Whom::Account, _) => account.to_owned(),
            (Whom::Everybody, _) => "*".to_owned(),
            _ => format!("arn:aws:iam::{account}:user/somebody-else"),
        };
        let principal =
            if principal { format!(r#""Principal":{{"AWS":"{}"}},"#, name(OWN)) } else { String::new() };
        format!(
            r#"{{"Effect":"{effect}",{principal}"Action":"{action}","Resource":"{resource}","Condition":{{"StringEquals":{{"k:name":"{value}"}}}}}}"#
        )
    }
}

fn document(facts: &[Fact], principal: bool, is_session: bool) -> PolicyDocument {
    let statements: Vec<String> = facts.iter().map(|fact| fact.statement(principal, is_session)).collect();
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let kind = if principal { DocumentKind::Resource } else { DocumentKind::Identity };
    PolicyDocument::parse(&text, kind).unwrap()
}

/// All that bears on the request.
#[derive(Debug, Clone)]
struct World {
    is_session: bool,
    other_account: bool,
    identity: Vec<Fact>,
    boundary: Option<Vec<Fact>>,
    session: Option<Vec<Fact>>,
    resource: Option<Vec<Fact>>,
}

/// The oracle.
fn expected(world: &World) -> bool {
    let says = |facts: &[Fact], allow: bool| facts.iter().any(|fact| fact.allow == allow && fact.meets());
    let session = world.session.as_deref().filter(|_| world.is_session);
    let own = [Some(world.identity.as_slice()), world.boundary.as_deref(), session];
    let named: Vec<Fact> =
        world.resource.iter().flatten().filter(|f| f.means_caller(world.is_session)).copied().collect();
    // 1. An explicit deny anywhere ends it.
    if own.iter().flatten().any(|facts| says(facts, false)) || says(&named, false) {
        return false;
    }
    let within_bounds = world.boundary.as_deref().is_none_or(|facts| says(facts, true))
        && session.is_none_or(|facts| says(facts, true));
    let by_identity = says(&world.identity, true);
    // 2. Across accounts both sides allow, within the caller's bounds.
    if world.other_account {
        return by_identity && says(&named, true) && within_bounds;
    }
    let by = |whom: Whom| named.iter().any(|fact| fact.whom == whom && fact.allow && fact.meets());
    // 3. A resource policy that names the user or the session itself is enough.
    if by(Whom::Caller) {
        return true;
    }
    // 4. One that names the role or everybody takes the identity policy's place.
    // One that names the account leaves it to the identity policy.
    (by(Whom::Role) && world.is_session || by(Whom::Everybody) || by_identity) && within_bounds
}

fn actual(world: &World) -> bool {
    let principal = if world.is_session {
        let role = format!("arn:aws:iam::{OWN}:role/r").parse().unwrap();
        Principal::assumed_role(role, "AROAEXAMPLEEXAMPLE", "s1")
    } else {
        let arn = format!("arn:aws:iam::{OWN}:user/kim").parse().unwrap();
        Principal::User { arn, user_id: "AIDAEXAMPLEEXAMPLE".to_owned() }
    };
    let parsed = |facts: &Option<Vec<Fact>>, principal| {
        facts
            .as_ref()
            .filter(|facts| !facts.is_empty())
            .map(|facts| document(facts, principal, world.is_session))
    };
    let identity = parsed(&Some(world.identity.clone()), false);
    let boundary = parsed(&world.boundary, false);
    let session = if world.is_session { parsed(&world.session, false) } else { None };
    let resource = parsed(&world.resource, true);
    let named = |document| NamedPolicy::new("p", document);
    let policies = Policies {
        identity: identity.iter().map(named).collect(),
        boundary: boundary.as_ref().map(named),
        session: session.iter().map(named).collect(),
        resource: resource.iter().map(named).collect(),
    };
    let mut context = Context::default();
    context.set("k:name", "kim");
    let account = if world.other_account { OTHER } else { OWN };
    let arn = format!("arn:aws:logs:us-east-1:{account}:log-group:g1");
    let request = Request {
        principal: &principal,
        action: "logs:PutLogEvents",
        resource: &arn,
        resource_account: None,
        context: &context,
    };
    evaluate(&request, &policies).is_allowed()
}

fn fact() -> impl Strategy<Value = Fact> {
    let whom = prop_oneof![
        Just(Whom::Caller),
        Just(Whom::Role),
        Just(Whom::Account),
        Just(Whom::Everybody),
        Just(Whom::SomebodyElse)
    ];
    // Most statements meet the request, and most allow; else nearly nothing would be allowed.
    let mostly = || prop::bool::weighted(0.8);
    (mostly(), mostly(), mostly(), mostly(), whom).prop_map(|(allow, action, resource, condition, whom)| {
        Fact { allow, action, resource, condition, whom }
    })
}

fn world() -> impl Strategy<Value = World> {
    let some = || prop::collection::vec(fact(), 1..3);
    (
        any::<bool>(),
        any::<bool>(),
        some(),
        prop::option::of(some()),
        prop::option::of(some()),
        prop::option::of(some()),
    )
        .prop_map(|(is_session, other_account, identity, boundary, session, resource)| World {
            is_session,
            other_account,
            identity,
            boundary,
            session,
            resource,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn decisions_are_those_of_the_user_guide(world in world()) {
        prop_assert_eq!(actual(&world), expected(&world));
    }
}
