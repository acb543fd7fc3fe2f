//! One table of cases for every database.

mod cases;
mod cluster;

use super::*;
use cluster::Cluster;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Thing {
    id: String,
    vpc: Option<String>,
    colours: Vec<String>,
    number: u64,
}

impl Resource for Thing {
    const KIND: &'static str = "thing";
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        self.vpc.as_deref()
    }
    const INDEX: Index = Index { id: "thing-id", parent: "vpc-id", keys: &["colour"] };
    fn keys(&self) -> Vec<(&'static str, String)> {
        self.colours.iter().map(|colour| ("colour", colour.clone())).collect()
    }
}

fn thing(id: &str, vpc: Option<&str>) -> Thing {
    Thing { id: id.into(), vpc: vpc.map(Into::into), colours: Vec::new(), number: 0 }
}

fn coloured(id: &str, colours: &[&str]) -> Thing {
    Thing { colours: colours.iter().map(|colour| (*colour).to_owned()).collect(), ..thing(id, None) }
}

fn transact<T>(state: &State, action: impl Fn(&Tx<'_>) -> Result<T>) -> Result<T> {
    state.transact(action)
}

fn scope() -> Scope {
    Scope::new("1", "us-east-1")
}

/// Statements beside the typed ones, in a transaction of their own.
fn raw(state: &State, sql: &str) {
    let session = state.store.begin(Mode::Migration).unwrap();
    session.batch(sql).unwrap();
    session.commit(None).unwrap();
}

type Open<'a> = &'a dyn Fn() -> Result<State>;

/// Runs each case on an empty database of its own; `make` gives a function that
/// opens it, again and again.
fn all(make: impl Fn(&str) -> Box<dyn Fn() -> Result<State>>) {
    for (name, case) in cases::CASES {
        eprintln!("case {name}");
        case(&*make(name));
    }
}

#[test]
fn sqlite() {
    let dir = tempfile::tempdir().unwrap();
    all(|name| {
        let path = dir.path().join(name);
        Box::new(move || State::open(&path))
    });
}

#[test]
fn postgres() {
    let Some(cluster) = Cluster::start() else { return };
    all(|name| {
        let url = cluster.database(name);
        Box::new(move || State::postgres(&url, "one"))
    });
    two_servers(&cluster.database("two_servers"));
}

/// Memory has one connection, so only one thread can use it at once.
#[test]
fn memory() {
    let state = State::in_memory().unwrap();
    cases::find(&state);
    state.reset().unwrap();
    cases::keys(&state);
}

fn two_servers(url: &str) {
    let (one, other) = (State::postgres(url, "one").unwrap(), State::postgres(url, "other").unwrap());
    let (ear, heard) = std::sync::mpsc::channel();
    other.set_listener(Box::new(move |generation| ear.send(generation).unwrap()));
    transact(&one, |tx| tx.put(&scope(), &thing("a", None))).unwrap();
    assert_eq!(heard.recv_timeout(Duration::from_secs(60)), Ok(1));
    assert_eq!(transact(&other, |tx| tx.list::<Thing>(&scope())).unwrap().len(), 1);
    transact(&other, |tx| tx.put(&scope(), &thing("b", None))).unwrap();
    transact(&one, |tx| tx.put(&scope(), &thing("c", None))).unwrap();
    // Its own change is told once, when it was made.
    let told: Vec<u64> = (0..2).map(|_| heard.recv_timeout(Duration::from_secs(60)).unwrap()).collect();
    assert_eq!(told, [2, 3]);
}

#[test]
fn a_lost_postgres_is_said_and_found_again() {
    let Some(mut cluster) = Cluster::start() else { return };
    let url = cluster.database("lost");
    let (one, other) = (State::postgres(&url, "one").unwrap(), State::postgres(&url, "one").unwrap());
    let (ear, heard) = std::sync::mpsc::channel();
    one.set_listener(Box::new(move |generation| {
        let _: std::result::Result<_, _> = ear.send(generation);
    }));
    transact(&one, |tx| tx.put(&scope(), &thing("a", None))).unwrap();
    assert_eq!(heard.recv(), Ok(1));
    cluster.crash();
    for _ in 0..2 {
        let error = transact(&one, |tx| tx.list::<Thing>(&scope())).unwrap_err();
        assert!(matches!(error, ControlError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains("PostgreSQL at /"), "{error}");
    }
    cluster.run();
    assert_eq!(transact(&one, |tx| tx.list::<Thing>(&scope())).unwrap().len(), 1);
    transact(&other, |tx| tx.put(&scope(), &thing("b", None))).unwrap();
    // The first may be told again.
    while heard.recv_timeout(Duration::from_secs(60)).unwrap() < 2 {}
    // Lost between two statements: the action runs again and nothing is missing.
    let cluster = std::cell::RefCell::new(cluster);
    let runs = std::cell::Cell::new(0);
    transact(&one, |tx| {
        tx.put(&scope(), &thing("c", None))?;
        if runs.replace(runs.get() + 1) == 0 {
            cluster.borrow_mut().crash();
            cluster.borrow_mut().run();
        }
        tx.put(&scope(), &thing("d", None))
    })
    .unwrap();
    assert_eq!(runs.get(), 2);
    assert_eq!(transact(&other, |tx| tx.list::<Thing>(&scope())).unwrap().len(), 4);
}

#[test]
fn urls_that_are_refused() {
    for (url, part) in [
        ("postgres://weir@127.0.0.1:1/x", "cannot reach the state's database, PostgreSQL at 127.0.0.1:1"),
        ("postgres://weir@/x?host=/nowhere", "PostgreSQL at /nowhere:5432"),
        ("postgres:///x", "names no host"),
        ("postgres://weir:secret@h:x/y", "not one of PostgreSQL"),
        ("postgres://weir@h/y?sslmode=require", "TLS to PostgreSQL is not supported"),
    ] {
        let error = State::postgres(url, "one").err().unwrap().to_string();
        assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
    }
}
