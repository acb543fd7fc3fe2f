//! The state of export tasks.

use super::*;
use crate::{ExportStatus, ExportTask};
use ExportStatus::{Cancelled, Completed, Failed, PendingCancel, Running};

fn task(id: &str) -> ExportTask {
    ExportTask {
        id: id.into(),
        // No status, whatever it is called.
        name: Some("CANCELLED".into()),
        group: "g".into(),
        stream_name_prefix: None,
        from: 0,
        to: 1,
        destination: "b".into(),
        destination_prefix: "p".into(),
        status: ExportStatus::Pending,
        message: String::new(),
        created: 0,
        completed: None,
    }
}

fn status(store: &Store, id: &str) -> ExportStatus {
    store.describe_export_tasks(&scope(), Some(id), None, None, None).unwrap().export_tasks[0].status
}

#[test]
fn a_task_ends_once_and_then_another_may_begin() {
    let store = store(&[]);
    let tell = |id: &str, status| store.set_export_status(&scope(), id, status, "", now()).unwrap();
    store.create_export_task(&scope(), task("1")).unwrap();
    assert!(tell("1", Running));
    assert_eq!(status(&store, "1"), Running);
    let second = store.create_export_task(&scope(), task("2"));
    assert_eq!(said(second), "LimitExceeded: Resource limit exceeded.");
    store.cancel_export_task(&scope(), "1").unwrap();
    assert_eq!(status(&store, "1"), PendingCancel);
    for said in [Running, Completed, Failed] {
        assert!(!tell("1", said));
        assert_eq!(status(&store, "1"), Cancelled);
    }
    assert!(store.cancel_export_task(&scope(), "1").is_err());
    store.create_export_task(&scope(), task("2")).unwrap();
    assert!(tell("2", Running));
    assert!(!tell("2", Completed));
    assert_eq!(status(&store, "2"), Completed);
    assert!(!tell("gone", Running));
}
