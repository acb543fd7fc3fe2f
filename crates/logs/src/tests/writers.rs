//! Many threads at once.

use super::disk::Disk;
use super::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The next sync ends when so many writers wait, which the flag then says, or after a minute.
fn hold_next_sync(disk: &Disk, store: &Store, writers: usize) -> Arc<AtomicBool> {
    let met = Arc::new(AtomicBool::new(false));
    let (store, told) = (store.clone(), met.clone());
    disk.in_next_sync(move || {
        let deadline = Instant::now() + Duration::from_secs(60);
        while store.inner.committer.waiting() < writers && Instant::now() < deadline {
            thread::yield_now();
        }
        told.store(store.inner.committer.waiting() >= writers, Ordering::SeqCst);
    });
    met
}

#[test]
fn batches_that_arrive_during_a_sync_share_the_next_one() {
    const WRITERS: usize = 16;
    let disk = Disk::default();
    let store = Store::open_on(Arc::new(disk.clone()), StoreOptions::default()).unwrap();
    fill(&store, &["s"]);
    let before = disk.syncs();
    // The first sync ends when all the others have arrived.
    let met = hold_next_sync(&disk, &store, WRITERS - 1);
    thread::scope(|threads| {
        for i in 0..WRITERS {
            let store = &store;
            threads.spawn(move || put(store, "s", &[(0, &format!("{i:02}"))]).unwrap());
        }
    });
    assert!(met.load(Ordering::SeqCst), "all have arrived");
    assert_eq!(disk.syncs() - before, 2, "one for the first batch, one for all others");
    let mut found = messages(&store, "s");
    found.sort();
    assert_eq!(found, (0..WRITERS).map(|i| format!("{i:02}")).collect::<Vec<_>>());
}

#[test]
fn the_same_token_in_one_sync_is_stored_once() {
    const WRITERS: usize = 8;
    let disk = Disk::default();
    let store = Store::open_on(Arc::new(disk.clone()), StoreOptions::default()).unwrap();
    fill(&store, &["s"]);
    let met = hold_next_sync(&disk, &store, WRITERS);
    thread::scope(|threads| {
        let store = &store;
        threads.spawn(move || put(store, "s", &[(0, "first")]).unwrap());
        for _ in 0..WRITERS {
            threads.spawn(move || put_with(store, "s", &[(1, "once")], Some("weir:x")).unwrap());
        }
    });
    assert!(met.load(Ordering::SeqCst), "all have arrived");
    assert_eq!(messages(&store, "s").iter().filter(|text| *text == "once").count(), 1);
}

/// Also: a reader never sees a part of a batch, nor an error, while files rotate.
#[test]
fn writers_readers_and_upkeep_do_not_disturb_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { file_bytes: 4096, ..Default::default() };
    let store = Store::open_with(dir.path(), options).unwrap();
    fill(&store, &["s", "t"]);
    let writing = AtomicBool::new(true);
    let whole_batches = |store: &Store| {
        let request = FilterLogEvents { group: "g".into(), ..Default::default() };
        let page = store.filter_log_events(&scope(), &request, now()).unwrap();
        let mut sizes: HashMap<String, usize> = HashMap::new();
        for event in page.events {
            *sizes.entry(event.message).or_default() += 1;
        }
        assert!(sizes.values().all(|&size| size == 5), "{sizes:?}");
        sizes.len()
    };
    thread::scope(|threads| {
        let (store, writing) = (&store, &writing);
        for reader in 0..2 {
            threads.spawn(move || {
                while writing.load(Ordering::Relaxed) {
                    whole_batches(store);
                    if reader == 0 {
                        store.maintain(now()).unwrap();
                    }
                }
            });
        }
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                threads.spawn(move || {
                    for i in 0..30 {
                        let text = format!("batch {writer} {i}");
                        put(store, ["s", "t"][i % 2], &[(0, text.as_str()); 5]).unwrap();
                    }
                })
            })
            .collect();
        // The readers must be told to end before any failure is passed on.
        let ends: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        writing.store(false, Ordering::Relaxed);
        assert!(ends.iter().all(Result::is_ok));
    });
    assert_eq!(whole_batches(&store), 120);
    drop(store);
    assert_eq!(whole_batches(&Store::open_with(dir.path(), options).unwrap()), 120);
}
