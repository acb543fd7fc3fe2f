//! What every database must do.

use super::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

type Case = fn(Open<'_>);

pub const CASES: &[(&str, Case)] = &[
    ("find", |open| find(&open().unwrap())),
    ("keys", |open| keys(&open().unwrap())),
    ("many", many),
    ("undone", undone),
    ("reopened", reopened),
    ("older_schema", older_schema),
    ("reset", reset),
    ("snapshots", snapshots),
    ("conflict", conflict),
    ("race", race),
    ("odd_texts", odd_texts),
];

/// Resources are kept apart by scope, and found by id and parent.
pub fn find(state: &State) {
    let (here, there) = (Scope::new("1", "us-east-1"), Scope::new("1", "eu-west-1"));
    transact(state, |tx| {
        tx.put(&here, &thing("a", Some("vpc-1")))?;
        tx.put(&here, &thing("b", Some("vpc-2")))?;
        tx.put(&there, &thing("a", None))?;
        assert_eq!(tx.get::<Thing>(&here, "a")?, Some(thing("a", Some("vpc-1"))));
        assert_eq!(tx.get::<Thing>(&there, "b")?, None);
        assert_eq!(tx.list::<Thing>(&here)?.len(), 2);
        assert_eq!(tx.list_in::<Thing>(&here, "vpc-2")?, [thing("b", Some("vpc-2"))]);
        assert_eq!((tx.count_in::<Thing>(&here, "vpc-2")?, tx.count_in::<Thing>(&here, "vpc-3")?), (1, 0));
        assert_eq!(tx.list_everywhere::<Thing>()?.len(), 3);
        tx.put(&here, &thing("b", Some("vpc-1")))?;
        assert_eq!(tx.count_in::<Thing>(&here, "vpc-1")?, 2);
        assert!(tx.delete::<Thing>(&here, "a")?);
        assert!(!tx.delete::<Thing>(&here, "a")?);
        Ok(())
    })
    .unwrap();
}

fn exact(name: &str, values: &[&str]) -> Exact {
    Exact { name: name.into(), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

/// Keys follow their resource, and a filter on one narrows what is read.
pub fn keys(state: &State) {
    let here = scope();
    let ids = |found: Vec<Thing>| found.into_iter().map(|thing| thing.id).collect::<String>();
    transact(state, |tx| {
        tx.put(&here, &coloured("a", &["red", "blue"]))?;
        tx.put(&here, &coloured("b", &["red", "red"]))?;
        tx.put(&here, &thing("c", Some("vpc-1")))?;
        tx.put(&Scope::new("2", "us-east-1"), &coloured("d", &["red"]))?;
        tx.put_tag(&here, "c", "Name", "web")?;
        tx.put_tag(&here, "b", "Name", "db")?;
        assert_eq!(ids(tx.list_by(&here, "colour", &["red"])?), "ab");
        assert_eq!(ids(tx.list_by(&here, "colour", &["blue", "red", "green"])?), "ab");
        for (filters, expected) in [
            (vec![], "abc"),
            (vec![exact("thing-id", &["c", "a", "x", "a"])], "ac"),
            (vec![exact("colour", &["blue"])], "a"),
            (vec![exact("colour", &[])], ""),
            (vec![exact("vpc-id", &["vpc-1", "vpc-1", "vpc-2"])], "c"),
            (vec![exact("tag:Name", &["web", "db"])], "bc"),
            (vec![exact("tag:Name", &["none"])], ""),
            (vec![exact("weight", &["1"])], "abc"),
            (vec![exact("vpc-id", &["vpc-1"]), exact("colour", &["red"])], "ab"),
        ] {
            assert_eq!(ids(tx.narrowed(&here, &filters)?), expected, "{filters:?}");
        }
        tx.put(&here, &coloured("a", &["green", "blue"]))?;
        assert_eq!(ids(tx.list_by(&here, "colour", &["red"])?), "b");
        assert_eq!(ids(tx.list_by(&here, "colour", &["green"])?), "a");
        tx.delete::<Thing>(&here, "a")?;
        assert_eq!(ids(tx.list_by(&here, "colour", &["green", "blue"])?), "");
        assert_eq!(tx.ids_tagged(&here, "Name", "db")?, ["b"]);
        Ok(())
    })
    .unwrap();
}

/// More ids than one statement takes, more tags than are read one by one.
fn many(open: Open<'_>) {
    let (state, here) = (open().unwrap(), scope());
    let ids: Vec<String> = (0..700).map(|n| format!("id-{n:04}")).collect();
    let asked: Vec<&str> = ids.iter().map(String::as_str).chain(["none"]).collect();
    transact(&state, |tx| {
        for id in &ids {
            tx.put(&here, &thing(id, None))?;
            tx.put_tag(&here, id, "Name", id)?;
        }
        Ok(())
    })
    .unwrap();
    transact(&state, |tx| {
        let found: Vec<Thing> = tx.get_many(&here, &asked)?;
        assert_eq!(found.iter().map(|thing| thing.id.as_str()).collect::<Vec<_>>(), asked[..700]);
        for id in &ids {
            assert_eq!(tx.tags(&here, id)?.get("Name"), Some(id));
        }
        let tags = tx.tags_of(&here, &asked)?;
        assert_eq!((tags.len(), &tags["id-0699"]["Name"]), (700, &ids[699]));
        assert_eq!(tx.tags_of(&here, &["none"])?.len() + tx.tags_of(&here, &[])?.len(), 0);
        tx.put_tag(&here, "id-0001", "Name", "new")?;
        assert_eq!(tx.tags(&here, "id-0001")?["Name"], "new");
        tx.delete_tag(&here, "id-0001", "Name", Some("old"))?;
        assert_eq!(tx.tags(&here, "id-0001")?.len(), 1);
        tx.delete_tag(&here, "id-0001", "Name", None)?;
        tx.delete::<Thing>(&here, "id-0002")?;
        assert_eq!((tx.tags(&here, "id-0001")?.len(), tx.tags(&here, "id-0002")?.len()), (0, 0));
        assert_eq!(tx.tags(&Scope::new("2", "r"), "id-0003")?.len(), 0);
        Ok(())
    })
    .unwrap();
}

/// A failed action leaves no trace and no generation; a read makes none.
fn undone(open: Open<'_>) {
    let state = open().unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let ear = told.clone();
    state.set_listener(Box::new(move |generation| ear.store(generation, Ordering::Relaxed)));
    let failed = transact(&state, |tx| {
        tx.put(&scope(), &thing("a", None))?;
        Err::<(), _>(ControlError::fault("Nope", "no"))
    });
    assert!(failed.is_err());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        transact(&state, |tx| {
            tx.put(&scope(), &thing("a", None))?;
            if tx.get::<Thing>(&scope(), "a")?.is_some() {
                panic!("this panic is part of the test");
            }
            Ok(())
        })
    }));
    assert!(panicked.is_err());
    transact(&state, |tx| tx.delete::<Thing>(&scope(), "a")).unwrap();
    assert_eq!(state.generation().unwrap(), 0);
    transact(&state, |tx| tx.put(&scope(), &thing("b", None))).unwrap();
    assert_eq!((state.generation().unwrap(), told.load(Ordering::Relaxed)), (1, 1));
    let list = transact(&state, |tx| tx.list::<Thing>(&scope())).unwrap();
    assert_eq!(list, [thing("b", None)]);
}

/// State survives a reopen; a newer schema is refused.
fn reopened(open: Open<'_>) {
    transact(&open().unwrap(), |tx| tx.put(&scope(), &thing("a", None))).unwrap();
    let again = open().unwrap();
    assert_eq!(transact(&again, |tx| tx.list::<Thing>(&scope())).unwrap().len(), 1);
    raw(&again, "UPDATE meta SET value = 9 WHERE key = 'schema'");
    drop(again);
    let refused = open().err().unwrap().to_string();
    assert!(refused.contains("schema 9"), "{refused}");
}

/// A state of schema 1 gets its keys.
fn older_schema(open: Open<'_>) {
    let state = open().unwrap();
    raw(&state, "DROP TABLE resource_key; DROP INDEX tag_by_value; DROP INDEX resource_by_kind;");
    raw(&state, "UPDATE meta SET value = 1 WHERE key = 'schema';");
    let group =
        r#"{"id":"sg-00000000000000001","vpc":"vpc-00000000000000001","name":"web","description":"d"}"#;
    raw(
        &state,
        &format!(
            "INSERT INTO resource VALUES
             ('1', 'us-east-1', 'security-group', 'sg-00000000000000001', 'vpc-00000000000000001', '{group}');"
        ),
    );
    drop(state);
    let state = open().unwrap();
    use crate::security_group::SecurityGroup;
    let found: Vec<SecurityGroup> =
        transact(&state, |tx| tx.list_by(&scope(), "group-name", &["web"])).unwrap();
    assert_eq!(found.len(), 1);
    transact(&state, |tx| tx.put(&scope(), &coloured("a", &["red"]))).unwrap();
}

/// A reset keeps what rests in no account.
fn reset(open: Open<'_>) {
    let (state, server) = (open().unwrap(), Scope::new("", "aws-global"));
    transact(&state, |tx| {
        tx.put(&scope(), &coloured("a", &["red"]))?;
        tx.put_tag(&scope(), "a", "Name", "x")?;
        tx.put(&server, &coloured("k", &["red"]))
    })
    .unwrap();
    state.reset().unwrap();
    transact(&state, |tx| {
        assert_eq!(tx.list::<Thing>(&scope())?, []);
        assert_eq!(tx.list_by::<Thing>(&scope(), "colour", &["red"])?, []);
        assert_eq!(tx.list_by::<Thing>(&server, "colour", &["red"])?.len(), 1);
        assert_eq!(tx.all_tags(&scope())?, []);
        Ok(())
    })
    .unwrap();
}

/// A transaction sees one state from beginning to end, and no reader waits for
/// a writer.
fn snapshots(open: Open<'_>) {
    let (one, other) = (open().unwrap(), open().unwrap());
    let count = |tx: &Tx<'_>| tx.list::<Thing>(&scope()).map(|list| list.len());
    transact(&one, |tx| {
        assert_eq!(count(tx)?, 0);
        transact(&other, |tx| tx.put(&scope(), &thing("a", None)))?;
        assert_eq!(count(tx)?, 0);
        // The same server, on another connection.
        assert_eq!(transact(&one, count)?, 1);
        Ok(())
    })
    .unwrap();
    transact(&one, |tx| {
        tx.put(&scope(), &thing("b", None))?;
        assert_eq!((count(tx)?, transact(&other, count)?), (2, 1));
        Ok(())
    })
    .unwrap();
    assert_eq!(transact(&other, count).unwrap(), 2);
}

/// Who read what another one then changed does not write: it runs again.
fn conflict(open: Open<'_>) {
    let (one, other) = (open().unwrap(), open().unwrap());
    transact(&one, |tx| tx.put(&scope(), &thing("a", None))).unwrap();
    let runs = Cell::new(0);
    let add = |tx: &Tx<'_>, by: u64| {
        let mut counter: Thing = tx.get(&scope(), "a")?.unwrap_or(thing("a", None));
        counter.number += by;
        Ok((counter.number, counter))
    };
    let answer = transact(&one, |tx| {
        let (number, counter) = add(tx, 1)?;
        if runs.replace(runs.get() + 1) == 0 {
            transact(&other, |tx| tx.put(&scope(), &add(tx, 10)?.1))?;
        }
        tx.put(&scope(), &counter)?;
        Ok(number)
    });
    assert_eq!((answer.unwrap(), runs.get()), (11, 2));
    assert_eq!(one.generation().unwrap(), 3);
    // An action that hides the failure of its write runs again all the same.
    runs.set(0);
    transact(&one, |tx| {
        let (_, counter) = add(tx, 1)?;
        if runs.replace(runs.get() + 1) == 0 {
            transact(&other, |tx| tx.put(&scope(), &add(tx, 10)?.1))?;
        }
        drop(tx.put(&scope(), &counter));
        Ok(())
    })
    .unwrap();
    let left: Thing = transact(&one, |tx| tx.get(&scope(), "a")).unwrap().unwrap();
    assert_eq!((left.number, runs.get()), (22, 2));
}

/// Many writers of two servers: none fails, no count is lost.
fn race(open: Open<'_>) {
    let servers = [open().unwrap(), open().unwrap()];
    let told = Arc::new(AtomicU64::new(0));
    let ear = told.clone();
    servers[0].set_listener(Box::new(move |generation| {
        ear.fetch_max(generation, Ordering::Relaxed);
    }));
    std::thread::scope(|threads| {
        for server in servers.iter().cycle().take(6) {
            threads.spawn(|| {
                for _ in 0..20 {
                    transact(server, |tx| {
                        let mut counter: Thing = tx.get(&scope(), "a")?.unwrap_or(thing("a", None));
                        counter.number += 1;
                        tx.put(&scope(), &counter)
                    })
                    .unwrap();
                    transact(server, |tx| tx.list::<Thing>(&scope())).unwrap();
                }
            });
        }
    });
    let counter: Thing = transact(&servers[1], |tx| tx.get(&scope(), "a")).unwrap().unwrap();
    assert_eq!((counter.number, servers[0].generation().unwrap()), (120, 120));
    assert!(told.load(Ordering::Relaxed) > 0);
}

/// Order is by bytes; any text is found again, and none breaks out of its place.
fn odd_texts(open: Open<'_>) {
    let (state, here) = (open().unwrap(), scope());
    let ids = ["", "'; DROP TABLE resource; --", "A-b", "A_b", "Z", "a", "b", "é", "日本", "\u{1F980}"];
    transact(&state, |tx| {
        for id in ids.iter().rev() {
            tx.put(&here, &thing(id, Some("it's")))?;
            tx.put_tag(&here, id, "k%_", "\\v\n")?;
        }
        Ok(())
    })
    .unwrap();
    transact(&state, |tx| {
        let found: Vec<String> = tx.list::<Thing>(&here)?.into_iter().map(|thing| thing.id).collect();
        assert_eq!(found, ids);
        assert_eq!(tx.count_in::<Thing>(&here, "it's")?, ids.len());
        assert_eq!(tx.tags(&here, "é")?["k%_"], "\\v\n");
        // No resource has such an id; asking for it is no error.
        assert_eq!(tx.get::<Thing>(&here, "a\0b")?, None);
        Ok(())
    })
    .unwrap();
}
