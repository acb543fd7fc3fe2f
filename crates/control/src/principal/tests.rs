use super::inline_policy as inline;
use super::role::{self, CreateRole};
use super::session::{self, AssumeRole};
use super::*;
use crate::state::{Cx, Resource, Scope, State};
use crate::{ControlError, Result};
use weir_iam::{Context, Principal, Request, evaluate};
use weir_types::time::UnixMillis;

const ACCOUNT: &str = "123456789012";
const TRUST: &str =
    r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"123456789012"}}}"#;

fn allow(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
    )
}

/// An account whose clock is moved by hand.
struct Account {
    state: State,
    scope: Scope,
}

impl Account {
    fn new() -> Self {
        Self { state: State::in_memory().unwrap(), scope: Scope::new(ACCOUNT, "eu-west-1") }
    }

    fn at<T>(&self, seconds: i64, action: impl FnOnce(Cx<'_>) -> Result<T>) -> Result<T> {
        let now = UnixMillis::from_seconds(seconds);
        // Nobody else writes, so it runs once.
        let action = std::cell::Cell::new(Some(action));
        self.state.transact(|tx| action.take().unwrap()(Cx { tx, scope: &self.scope, now }))
    }

    fn run<T>(&self, action: impl FnOnce(Cx<'_>) -> Result<T>) -> T {
        self.at(0, action).unwrap()
    }

    /// The code of a fault, `ok` otherwise.
    fn code<T>(&self, action: impl FnOnce(Cx<'_>) -> Result<T>) -> &'static str {
        match self.at(0, action) {
            Ok(_) => "ok",
            Err(ControlError::Fault { code, .. }) => code,
            Err(other) => panic!("{other}"),
        }
    }

    fn with_role(name: &str) -> Self {
        let account = Self::new();
        account.run(|cx| role::create(cx, &wish(name)));
        account
    }
}

fn wish(name: &str) -> CreateRole {
    CreateRole { name: name.into(), trust_policy: TRUST.into(), ..CreateRole::default() }
}

fn session(name: &str) -> AssumeRole {
    AssumeRole { session_name: name.into(), ..AssumeRole::default() }
}

#[test]
fn a_role_is_found_by_name_ignoring_case_and_by_its_arn() {
    let account = Account::new();
    let wish = CreateRole {
        path: Some("/team/".into()),
        description: Some("delivers".into()),
        max_session_s: Some(7_200),
        tags: vec![("Team".into(), "net".into())],
        ..wish("Flow-Logs")
    };
    let made = account.run(|cx| role::create(cx, &wish));
    assert_eq!(made.identity.arn.to_string(), "arn:aws:iam::123456789012:role/team/Flow-Logs");
    assert!(made.id().starts_with("AROA") && made.id().len() == 21, "{}", made.id());
    assert_eq!(account.run(|cx| role::get(cx, "flow-LOGS")), made);
    let by_arn = |text: &str| account.run(|cx| role::by_arn(cx.tx, &text.parse().unwrap()));
    assert_eq!(by_arn("arn:aws:iam::123456789012:role/team/Flow-Logs"), Some(made.clone()));
    assert_eq!(account.run(|cx| iam_tag::of(cx, made.id())), [("Team".to_owned(), "net".to_owned())]);
    for other in [
        "arn:aws:iam::123456789012:role/Flow-Logs",
        "arn:aws:iam::123456789012:role/team/flow-logs",
        "arn:aws:iam::210987654321:role/team/Flow-Logs",
        "arn:aws:iam::123456789012:user/team/Flow-Logs",
    ] {
        assert_eq!(by_arn(other), None, "{other}");
    }
}

#[test]
fn what_create_role_refuses() {
    let account = Account::with_role("flow");
    let with = |change: fn(&mut CreateRole)| {
        let mut wish = wish("new");
        change(&mut wish);
        wish
    };
    for (wish, expected) in [
        (with(|_| ()), "ok"),
        (with(|w| w.name = "FLOW".into()), "EntityAlreadyExists"),
        (with(|w| w.name = "a b".into()), "ValidationError"),
        (with(|w| w.name = String::new()), "ValidationError"),
        (with(|w| w.path = Some("team".into())), "ValidationError"),
        (with(|w| w.max_session_s = Some(3_599)), "ValidationError"),
        (with(|w| w.trust_policy = "{".into()), "MalformedPolicyDocument"),
        (with(|w| w.trust_policy = allow("sts:AssumeRole")), "MalformedPolicyDocument"),
        (with(|w| w.trust_policy = TRUST.replace("AssumeRole", &"*".repeat(2_048))), "LimitExceeded"),
        (with(|w| w.tags = vec![("a".into(), "1".into()), ("A".into(), "2".into())]), "InvalidInput"),
        (with(|w| w.tags = vec![("aws:a".into(), "1".into())]), "InvalidInput"),
        (with(|w| w.tags = (0..51).map(|n| (format!("k{n}"), String::new())).collect()), "LimitExceeded"),
    ] {
        let state = Account::with_role("flow");
        assert_eq!(state.code(|cx| role::create(cx, &wish)), expected, "{wish:?}");
    }
    assert_eq!(account.code(|cx| role::get(cx, "none")), "NoSuchEntity");
}

#[test]
fn roles_are_listed_by_name_below_a_path() {
    let account = Account::new();
    for (name, path) in [("b", "/x/"), ("A", "/x/y/"), ("c", "/")] {
        account.run(|cx| role::create(cx, &CreateRole { path: Some(path.into()), ..wish(name) }));
    }
    for (prefix, expected) in
        [("/", vec!["A", "b", "c"]), ("/x/", vec!["A", "b"]), ("/x/y/", vec!["A"]), ("/z/", vec![])]
    {
        let roles = account.run(|cx| identity::list::<Role>(cx, prefix));
        assert_eq!(
            roles.iter().map(|role| role.identity.name.as_str()).collect::<Vec<_>>(),
            expected,
            "{prefix}"
        );
    }
    assert_eq!(account.code(|cx| identity::list::<Role>(cx, "x")), "ValidationError");
}

#[test]
fn a_role_with_policies_is_not_deleted() {
    let account = Account::with_role("flow");
    account.run(|cx| inline::put::<Role>(cx, "flow", "deliver", &allow("logs:*")));
    assert_eq!(account.code(|cx| role::delete(cx, "flow")), "DeleteConflict");
    assert_eq!(account.code(|cx| inline::delete::<Role>(cx, "flow", "other")), "NoSuchEntity");
    account.run(|cx| inline::delete::<Role>(cx, "FLOW", "deliver"));
    account.run(|cx| role::delete(cx, "flow"));
    assert_eq!(account.code(|cx| role::delete(cx, "flow")), "NoSuchEntity");
}

#[test]
fn inline_policies_are_kept_as_they_were_written() {
    let account = Account::with_role("flow");
    let text = allow("logs:*").replace(':', " : ");
    let text = text.replace("logs : *", "logs:*");
    account.run(|cx| inline::put::<Role>(cx, "flow", "b", &text));
    account.run(|cx| inline::put::<Role>(cx, "flow", "a", &allow("ec2:*")));
    assert_eq!(account.run(|cx| inline::get::<Role>(cx, "FLOW", "b")), ("flow".to_owned(), text));
    assert_eq!(account.run(|cx| inline::list::<Role>(cx, "flow")), ["a", "b"]);
    let large = allow(&format!("logs:{}", "x".repeat(6_000)));
    for (role, policy, document, expected) in [
        ("none", "p", allow("s3:*"), "NoSuchEntity"),
        ("flow", "p q", allow("s3:*"), "ValidationError"),
        ("flow", "p", "{}".to_owned(), "MalformedPolicyDocument"),
        ("flow", "p", TRUST.to_owned(), "MalformedPolicyDocument"),
        ("flow", "p", large.clone(), "ok"),
        ("flow", "q", large, "LimitExceeded"),
    ] {
        assert_eq!(
            account.code(|cx| inline::put::<Role>(cx, role, policy, &document)),
            expected,
            "{role} {policy}"
        );
    }
}

#[test]
fn tags_keep_the_case_of_their_first_key_and_go_with_the_role() {
    let account = Account::with_role("flow");
    let flow = account.run(|cx| role::get(cx, "flow"));
    let tag = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    account.run(|cx| iam_tag::set(cx, flow.id(), &tag("Team", "a")));
    account.run(|cx| iam_tag::set(cx, flow.id(), &tag("TEAM", "b")));
    assert_eq!(account.run(|cx| iam_tag::of(cx, flow.id())), tag("Team", "b"));
    account.run(|cx| iam_tag::remove(cx, flow.id(), &["team", "none"]));
    assert_eq!(account.run(|cx| iam_tag::of(cx, flow.id())), []);
    account.run(|cx| iam_tag::set(cx, flow.id(), &tag("Team", "a")));
    account.run(|cx| role::delete(cx, "flow"));
    assert_eq!(account.run(|cx| iam_tag::of(cx, flow.id())), []);
}

#[test]
fn the_root_key_is_drawn_once_and_replaced_when_another_is_wanted() {
    let account = Account::new();
    let root = |wanted| account.run(|cx| root_access_key(cx.tx, ACCOUNT, wanted));
    let find = |id: &str| account.run(|cx| credential(cx.tx, id));
    let (drawn, is_new) = root(None);
    assert!(
        is_new && drawn.id.starts_with("AKIA") && drawn.id.len() == 20 && drawn.secret.expose().len() == 40
    );
    assert_eq!((root(None).0.id, root(None).1), (drawn.id.clone(), false));
    let (wanted, is_new) = root(Some(("AKIAWANTEDWANTED", "a-secret-of-mine")));
    assert_eq!((wanted.id.as_str(), is_new), ("AKIAWANTEDWANTED", false));
    assert!(find(&drawn.id).is_none(), "the old key is gone");
    let found = find("AKIAWANTEDWANTED").unwrap();
    assert_eq!(
        (found.principal, found.secret.expose()),
        (Principal::Root { account: ACCOUNT.into() }, "a-secret-of-mine")
    );
    assert_eq!(root(None).0.id, "AKIAWANTEDWANTED");
    root(Some(("AKIAWANTEDWANTED", "another-secret")));
    assert_eq!(find("AKIAWANTEDWANTED").unwrap().secret.expose(), "another-secret");
    for wanted in [
        ("AKIA/BAD/BAD/BAD/", "a-secret-of-mine"),
        ("SHORT", "a-secret-of-mine"),
        ("AKIAWANTEDWANTED", "short"),
    ] {
        assert_eq!(account.code(|cx| root_access_key(cx.tx, ACCOUNT, Some(wanted))), "ValidationError");
    }
}

#[test]
fn a_service_has_one_key_and_the_root_user_cannot_take_it() {
    let account = Account::new();
    let key = || account.run(|cx| service_access_key(cx.tx, "vpc-flow-logs.amazonaws.com"));
    let id = key().id;
    assert_eq!(key().id, id);
    let found = account.run(|cx| credential(cx.tx, &id)).unwrap();
    assert_eq!(found.principal, Principal::service("vpc-flow-logs.amazonaws.com"));
    let taken = account.code(|cx| root_access_key(cx.tx, ACCOUNT, Some((&id, "a-secret-of-mine"))));
    assert_eq!(taken, "ValidationError");
}

#[test]
fn a_reset_leaves_the_servers_own_keys() {
    let account = Account::with_role("flow");
    let service = account.run(|cx| service_access_key(cx.tx, "vpc-flow-logs.amazonaws.com")).id;
    let root = account.run(|cx| root_access_key(cx.tx, ACCOUNT, None)).0.id;
    let session = account.run(|cx| assume(cx, &role::get(cx, "flow")?, &session("s1"), None)).id;
    account.state.reset().unwrap();
    let is_known = |id: &str| account.run(|cx| credential(cx.tx, id)).is_some();
    assert_eq!([is_known(&service), is_known(&root), is_known(&session)], [true, true, false]);
    assert_eq!(account.code(|cx| role::get(cx, "flow")), "NoSuchEntity");
}

#[test]
fn secrets_do_not_print() {
    let account = Account::with_role("flow");
    let key = account.run(|cx| assume(cx, &role::get(cx, "flow")?, &session("s1"), None));
    let Owner::Session(session) = &key.owner else { panic!("no session") };
    let credential = account.run(|cx| credential(cx.tx, &key.id)).unwrap();
    let shown = format!("{key:?} {credential:?}");
    assert!(!shown.contains(key.secret.expose()) && !shown.contains(session.token.expose()), "{shown}");
}

#[test]
fn what_assume_role_refuses() {
    let account = Account::with_role("flow");
    let flow = account.run(|cx| role::get(cx, "flow"));
    let with = |change: fn(&mut AssumeRole)| {
        let mut wish = session("s1");
        change(&mut wish);
        wish
    };
    for (wish, expected) in [
        (with(|_| ()), "ok"),
        (with(|w| w.session_name = "s".into()), "ValidationError"),
        (with(|w| w.session_name = "s:1".into()), "ValidationError"),
        (with(|w| w.duration_s = Some(899)), "ValidationError"),
        (with(|w| w.duration_s = Some(900)), "ok"),
        (with(|w| w.duration_s = Some(3_601)), "ValidationError"),
        (with(|w| w.external_id = Some("x y".into())), "ValidationError"),
        (with(|w| w.source_identity = Some("x y".into())), "ValidationError"),
        (with(|w| w.policy = Some("{}".into())), "MalformedPolicyDocument"),
        (with(|w| w.policy = Some(allow(&format!("s3:{}", "x".repeat(2_048))))), "PackedPolicyTooLarge"),
        (with(|w| w.transitive_tag_keys = vec!["k".into()]), "InvalidParameterValue"),
        (
            with(|w| w.tags = vec![("k".into(), "1".into()), ("K".into(), "1".into())]),
            "InvalidParameterValue",
        ),
    ] {
        assert_eq!(account.code(|cx| assume(cx, &flow, &wish, None)), expected, "{wish:?}");
    }
}

#[test]
fn role_chaining_is_limited_to_an_hour_and_hands_tags_and_identity_on() {
    let account = Account::new();
    account.run(|cx| role::create(cx, &CreateRole { max_session_s: Some(7_200), ..wish("flow") }));
    let flow = account.run(|cx| role::get(cx, "flow"));
    let made = |wish: &AssumeRole, caller: Option<&Session>| {
        let key = account.run(|cx| assume(cx, &flow, wish, caller));
        account.run(|cx| credential(cx.tx, &key.id)).unwrap().session.unwrap()
    };
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let first = AssumeRole {
        duration_s: Some(7_200),
        tags: vec![tag("team", "net"), tag("own", "1")],
        transitive_tag_keys: vec!["team".into()],
        source_identity: Some("kim".into()),
        ..session("first")
    };
    let first = made(&first, None);
    assert_eq!(first.expires, UnixMillis::from_seconds(7_200));
    let second = made(&session("second"), Some(&first));
    assert_eq!(
        (second.tags.as_slice(), second.source_identity.as_deref()),
        (&[tag("team", "net")][..], Some("kim"))
    );
    for wish in [
        AssumeRole { duration_s: Some(3_601), ..session("s1") },
        AssumeRole { source_identity: Some("lee".into()), ..session("s1") },
        AssumeRole { tags: vec![tag("TEAM", "other")], ..session("s1") },
    ] {
        assert_ne!(account.code(|cx| assume(cx, &flow, &wish, Some(&first))), "ok", "{wish:?}");
    }
}

#[test]
fn expired_sessions_go_when_new_ones_are_made() {
    let account = Account::with_role("flow");
    let assume_at = |seconds| {
        account.at(seconds, |cx| assume(cx, &role::get(cx, "flow")?, &session("s1"), None)).unwrap().id
    };
    let is_known = |id: &str| account.run(|cx| credential(cx.tx, id)).is_some();
    let first = assume_at(0);
    assume_at(3_600);
    assert!(is_known(&first), "so that its holder is told that it has expired");
    let last = assume_at(7_200);
    assert!(!is_known(&first));
    assert!(is_known(&last));
}

#[test]
fn a_session_may_do_what_its_role_may_do_now() {
    let account = Account::with_role("flow");
    account.run(|cx| inline::put::<Role>(cx, "flow", "p", &allow("logs:*")));
    let flow = account.run(|cx| role::get(cx, "flow"));
    let limited = AssumeRole { policy: Some(allow("logs:Put*")), ..session("limited") };
    let keys = [session("whole"), limited].map(|wish| account.run(|cx| assume(cx, &flow, &wish, None)));
    let check = |expected: [[bool; 3]; 2]| {
        for (key, expected) in keys.iter().zip(expected) {
            let found = account.run(|cx| credential(cx.tx, &key.id)).unwrap();
            let policies = account.run(|cx| policies(cx.tx, &found.principal, found.session.as_ref()));
            let may = ["logs:PutLogEvents", "logs:GetLogEvents", "ec2:CreateVpc"].map(|action| {
                let context = Context::default();
                let principal = &found.principal;
                let request =
                    Request { principal, action, resource: "*", resource_account: None, context: &context };
                evaluate(&request, &policies.as_policies()).is_allowed()
            });
            assert_eq!(may, expected, "{}", found.principal.arn());
        }
    };
    check([[true, true, false], [true, false, false]]);
    account.run(|cx| inline::put::<Role>(cx, "flow", "q", &allow("ec2:*")));
    check([[true, true, true], [true, false, false]]);
    account.run(|cx| inline::delete::<Role>(cx, "flow", "p"));
    account.run(|cx| inline::delete::<Role>(cx, "flow", "q"));
    account.run(|cx| role::delete(cx, "flow"));
    account.run(|cx| role::create(cx, &wish("flow")));
    account.run(|cx| inline::put::<Role>(cx, "flow", "p", &allow("*")));
    check([[false; 3]; 2]);
}

#[test]
fn the_check_before_the_role_is_looked_up_is_the_same() {
    assert!(session::check(&session("s1")).is_ok());
    assert!(session::check(&session("s")).is_err());
}

#[test]
fn a_session_is_no_news() {
    let account = Account::new();
    account.run(|cx| role::create(cx, &wish("flow")));
    let before = account.state.generation().unwrap();
    assert_eq!(before, 1);
    let role = account.run(|cx| role::get(cx, "flow"));
    account.run(|cx| session::assume(cx, &role, &session("s1"), None));
    assert_eq!(account.state.generation().unwrap(), before);
}
