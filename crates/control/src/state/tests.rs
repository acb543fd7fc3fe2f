use super::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    id: String,
    vpc: Option<String>,
}

impl Resource for Thing {
    const KIND: &'static str = "thing";
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        self.vpc.as_deref()
    }
}

fn thing(id: &str, vpc: Option<&str>) -> Thing {
    Thing { id: id.into(), vpc: vpc.map(Into::into) }
}

fn transact<T>(state: &State, action: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
    state.transact(action)
}

#[test]
fn resources_are_kept_apart_by_scope_and_found_by_id_and_parent() {
    let state = State::in_memory().unwrap();
    let (here, there) = (Scope::new("1", "us-east-1"), Scope::new("1", "eu-west-1"));
    transact(&state, |tx| {
        tx.put(&here, &thing("a", Some("vpc-1")))?;
        tx.put(&here, &thing("b", Some("vpc-2")))?;
        tx.put(&there, &thing("a", None))?;
        assert_eq!(tx.get::<Thing>(&here, "a")?, Some(thing("a", Some("vpc-1"))));
        assert_eq!(tx.get::<Thing>(&there, "b")?, None);
        assert_eq!(tx.list::<Thing>(&here)?.len(), 2);
        assert_eq!(tx.list_in::<Thing>(&here, "vpc-2")?, [thing("b", Some("vpc-2"))]);
        assert_eq!(tx.list_everywhere::<Thing>()?.len(), 3);
        assert!(tx.delete::<Thing>(&here, "a")?);
        assert!(!tx.delete::<Thing>(&here, "a")?);
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_failed_action_leaves_no_trace_and_no_generation() {
    let state = State::in_memory().unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let ear = told.clone();
    state.set_listener(Box::new(move |generation| ear.store(generation, Ordering::Relaxed)));
    let scope = Scope::new("1", "r");
    let failed = transact(&state, |tx| {
        tx.put(&scope, &thing("a", None))?;
        Err::<(), _>(ControlError::fault("Nope", "no"))
    });
    assert!(failed.is_err());
    assert_eq!(state.generation().unwrap(), 0);
    transact(&state, |tx| tx.put(&scope, &thing("b", None))).unwrap();
    assert_eq!((state.generation().unwrap(), told.load(Ordering::Relaxed)), (1, 1));
    let list = transact(&state, |tx| tx.list::<Thing>(&scope)).unwrap();
    assert_eq!(list, [thing("b", None)]);
}

#[test]
fn state_survives_a_reopen_and_a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let scope = Scope::new("1", "r");
    transact(&State::open(&path).unwrap(), |tx| tx.put(&scope, &thing("a", None))).unwrap();
    let again = State::open(&path).unwrap();
    assert_eq!(transact(&again, |tx| tx.list::<Thing>(&scope)).unwrap().len(), 1);
    again.connection.lock().unwrap().execute("UPDATE meta SET value = 9 WHERE key = 'schema'", []).unwrap();
    drop(again);
    let refused = State::open(&path).err().unwrap().to_string();
    assert!(refused.contains("schema 9"), "{refused}");
}
