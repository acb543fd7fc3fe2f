//! Segments: what is read is the same before and after a flush and a merge,
//! whatever fails between; what is gone frees its disk space.

use super::disk::Disk;
use super::*;
use crate::files::Files;
use crate::segment::file_id;
use crate::wal;
use proptest::prelude::*;
use std::sync::Arc;

fn open(disk: &Disk) -> Store {
    Store::open_on(Arc::new(disk.clone()), StoreOptions::default()).unwrap()
}

fn segments(disk: &Disk) -> Vec<String> {
    disk.list().unwrap().into_iter().filter(|name| file_id(name).is_some()).collect()
}

/// A default-format record.
fn record(i: i64) -> String {
    let action = if i % 7 == 0 { "REJECT" } else { "ACCEPT" };
    format!(
        "2 123456789012 eni-{:017x} 203.0.113.{} 10.0.0.{} {} 443 6 {} {} {} {} {action} OK",
        i % 3,
        i % 250,
        i % 3,
        1024 + i * 37 % 60_000,
        1 + i % 9,
        40 + i * 13 % 5000,
        NOW / 1000 + i,
        NOW / 1000 + i + 59,
    )
}

/// Two streams with records, one with prose; flushed as often as asked for.
fn filled(disk: &Disk, flushes: usize) -> Store {
    let store = open(disk);
    fill(&store, &["a", "b", "prose"]);
    let filter = SubscriptionFilter {
        destination_arn: "arn:aws:lambda:us-east-1:123456789012:function:f".into(),
        distribution: "ByLogStream".into(),
        ..Default::default()
    };
    store.put_subscription_filter(&scope(), "g", "f", filter, now()).unwrap();
    for round in 0..flushes.max(1) as i64 {
        for i in 0..10 {
            let i = round * 10 + i;
            put(&store, ["a", "b"][i as usize % 2], &[(i * 500, &record(i)), (i * 500, &record(i + 1))])
                .unwrap();
            if i % 3 == 0 {
                put(&store, "prose", &[(i * 400, &format!("line {i}\nand \"another\""))]).unwrap();
            }
        }
        if flushes > 0 {
            store.inner.flush_all().unwrap();
        }
    }
    store
}

/// All that can be read, by every way of reading.
fn all(store: &Store) -> Vec<String> {
    let mut all = Vec::new();
    for stream in ["a", "b", "prose"] {
        all.extend(messages(store, stream));
    }
    for pattern in
        [None, Some("[..., action=REJECT, status]"), Some("line"), Some("[v=2, ..., p>5, b, s, e, a, o]")]
    {
        let request = FilterLogEvents {
            group: "g".into(),
            filter_pattern: pattern.map(Into::into),
            limit: Some(7),
            ..Default::default()
        };
        all.extend(
            filtered(store, request).into_iter().map(|event| format!("{} {}", event.event_id, event.message)),
        );
    }
    let subscribed = store.subscribed(&scope(), "g", 0, 1000, 1 << 20).unwrap();
    all.extend(subscribed.events.into_iter().map(|event| format!("{} {}", event.sequence, event.id)));
    let streams = DescribeLogStreams { group: "g".into(), ..Default::default() };
    all.push(format!("{:?}", store.describe_log_streams(&scope(), &streams, now()).unwrap()));
    all.push(format!("{:?}", store.log_group(&scope(), "g").unwrap()));
    all
}

fn filtered(store: &Store, mut request: FilterLogEvents) -> Vec<FilteredLogEvent> {
    let mut found = Vec::new();
    loop {
        let page = store.filter_log_events(&scope(), &request, now()).unwrap();
        found.extend(page.events);
        request.next_token = page.next_token;
        if request.next_token.is_none() {
            return found;
        }
    }
}

#[test]
fn what_is_read_is_the_same_in_log_files_segments_and_merged_segments() {
    let disk = Disk::default();
    let store = filled(&disk, 6);
    let expect = all(&filled(&Disk::default(), 0)).len();
    let split = all(&store);
    assert_eq!(segments(&disk).len(), 6);
    store.inner.merge().unwrap();
    assert_eq!(all(&store), split);
    assert_eq!(segments(&disk).len(), 2, "five were merged, one more would be too many");
    drop(store);
    let store = open(&disk);
    assert_eq!(all(&store), split, "reopened");
    assert!(store.state().streams.values().all(|stream| stream.entries.is_empty()));

    let (plain, flushed) = (filled(&Disk::default(), 0), filled(&Disk::default(), 1));
    assert_eq!(all(&flushed), all(&plain));
    assert_eq!(all(&plain).len(), expect);
}

#[test]
fn tokens_go_on_where_they_were_after_a_flush_and_a_merge() {
    for limit in [1, 4, 9] {
        let whole = filled(&Disk::default(), 0);
        let request = FilterLogEvents { group: "g".into(), limit: Some(limit), ..Default::default() };
        let expect = filtered(&whole, request.clone());
        let store = filled(&Disk::default(), 0);
        let (mut request, mut found) = (request, Vec::new());
        loop {
            let page = store.filter_log_events(&scope(), &request, now()).unwrap();
            found.extend(page.events);
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                break;
            }
            if found.len() > 5 {
                store.inner.flush_all().unwrap();
            }
        }
        assert_eq!(found, expect);

        let forward = GetLogEvents {
            group: "g".into(),
            stream: "a".into(),
            start_from_head: true,
            limit: Some(limit),
            ..Default::default()
        };
        for start_from_head in [true, false] {
            let (store, mut texts) = (filled(&Disk::default(), 0), Vec::new());
            let mut request = GetLogEvents { start_from_head, ..forward.clone() };
            loop {
                let page = store.get_log_events(&scope(), &request, now()).unwrap();
                let mut page_texts: Vec<String> =
                    page.events.into_iter().map(|event| event.message).collect();
                let next = if start_from_head { page.next_forward_token } else { page.next_backward_token };
                if page_texts.is_empty() {
                    assert_eq!(request.next_token.as_ref(), Some(&next));
                    break;
                }
                if start_from_head {
                    texts.extend(page_texts);
                } else {
                    page_texts.append(&mut texts);
                    texts = page_texts;
                }
                request.next_token = Some(next);
                store.inner.flush_all().unwrap();
            }
            assert_eq!(texts, messages(&whole, "a"));
        }
    }
}

#[test]
fn a_crash_anywhere_in_a_flush_or_a_merge_loses_and_repeats_nothing() {
    for merge in [false, true] {
        let work = |store: &Store| if merge { store.inner.merge() } else { store.inner.flush_all() };
        let mut crashes = 0;
        for after in 0.. {
            let disk = Disk::default();
            let store = filled(&disk, if merge { 4 } else { 0 });
            let expect = all(&store);
            disk.stop(after);
            let finished = work(&store).is_ok() && !disk.is_dead();
            drop(store);
            for seed in 0..4 {
                let disk = disk.copy();
                if seed == 0 {
                    disk.revive();
                } else {
                    disk.power_up(seed * 7919 + after);
                }
                let store = open(&disk);
                assert_eq!(all(&store), expect, "after {after}, seed {seed}");
                let named: Vec<String> =
                    store.state().segments.keys().map(|id| crate::segment::file_name(*id)).collect();
                assert_eq!(segments(&disk), named, "after {after}, seed {seed}");
                assert!(!disk.list().unwrap().iter().any(|name| name.ends_with(".tmp")));
                work(&store).unwrap();
                assert_eq!(all(&store), expect);
            }
            if finished {
                break;
            }
            crashes += 1;
        }
        assert!(crashes > 8, "{crashes}");
    }
}

#[test]
fn a_full_disk_leaves_the_log_files_and_heals() {
    for after in 0..12 {
        let disk = Disk::default();
        let store = filled(&disk, 0);
        let expect = all(&store);
        disk.fail(after, 3);
        let first = store.inner.flush_all();
        if let Err(error) = &first {
            assert_eq!(error.code(), "ServiceUnavailableException");
        }
        disk.calm();
        assert_eq!(all(&store), expect);
        put(&store, "a", &[(9000, "more")]).unwrap();
        store.inner.flush_all().unwrap();
        assert_eq!(messages(&store, "a").last().map(String::as_str), Some("more"));
        assert_eq!(segments(&disk).len(), store.state().segments.len(), "{first:?}");
        drop(store);
        assert_eq!(messages(&open(&disk), "a").last().map(String::as_str), Some("more"));
    }
}

#[test]
fn damage_is_an_error_and_never_a_wrong_text() {
    let disk = Disk::default();
    let store = filled(&disk, 1);
    let right = messages(&store, "a");
    drop(store);
    let name = segments(&disk).remove(0);
    let bytes = disk.bytes(&name);
    let mut errors = 0;
    for at in (0..bytes.len()).step_by(3) {
        let disk = disk.copy();
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x24;
        disk.set_bytes(&name, flipped);
        let store = open(&disk);
        let request = GetLogEvents {
            group: "g".into(),
            stream: "a".into(),
            start_from_head: true,
            ..Default::default()
        };
        match store.get_log_events(&scope(), &request, now()) {
            Ok(page) => {
                assert_eq!(page.events.into_iter().map(|event| event.message).collect::<Vec<_>>(), right);
            }
            Err(error) => {
                assert_eq!(error.code(), "ServiceUnavailableException");
                errors += 1;
            }
        }
    }
    assert!(errors > 100, "{errors}");
    disk.remove(&name).unwrap();
    let error = Store::open_on(Arc::new(disk.clone()), StoreOptions::default()).err().unwrap();
    assert!(matches!(error, StoreError::Missing { file } if file == name));
}

#[test]
fn retention_and_deletion_give_the_space_back() {
    let disk = Disk::default();
    let store = filled(&disk, 3);
    create_group(&store, "kept").unwrap();
    store.put_retention_policy(&scope(), "g", 1).unwrap();
    assert_eq!(segments(&disk).len(), 3);
    assert_eq!(store.maintain(now()).unwrap(), Maintained::default());
    let later = UnixMillis(NOW + DAY + 6_000);
    // A part of a day: hidden, not yet removed.
    let done = store.maintain(later).unwrap();
    assert!(segments(&disk).len() < 3, "{done:?}");
    store.delete_retention_policy(&scope(), "g").unwrap();
    let left = messages(&store, "a");
    assert!(!left.is_empty() && left.len() < 30, "{left:?}");
    let streams = DescribeLogStreams { group: "g".into(), ..Default::default() };
    for stream in store.describe_log_streams(&scope(), &streams, later).unwrap().log_streams {
        assert!(stream.first_event_timestamp >= Some(UnixMillis(NOW + 6_000)), "{stream:?}");
    }

    store.delete_log_stream(&scope(), "g", "a").unwrap();
    store.maintain(later).unwrap();
    store.delete_log_group(&scope(), "g").unwrap();
    // A reader that has begun keeps the file until it is done.
    let held = store.state().segments.values().next().cloned();
    let done = store.maintain(later).unwrap();
    assert!(done.freed_bytes > 0);
    assert_eq!(segments(&disk).len(), usize::from(held.is_some()));
    drop(held);
    assert_eq!(segments(&disk).len(), 0);
    drop(store);
    assert!(open(&disk).log_group(&scope(), "kept").is_ok());
}

#[test]
fn a_folder_of_the_version_before_opens_as_it_is() {
    let disk = Disk::default();
    let expect = all(&filled(&disk, 0));
    for name in disk.list().unwrap().iter().filter(|name| wal::file_number(name).is_some()) {
        let mut bytes = disk.bytes(name);
        assert_eq!(bytes[7], 2);
        bytes[7] = 1;
        disk.set_bytes(name, bytes);
    }
    let store = open(&disk);
    assert_eq!(all(&store), expect);
    store.inner.flush_all().unwrap();
    drop(store);
    assert_eq!(all(&open(&disk)), expect);
}

#[test]
fn what_a_quiet_store_has_becomes_a_segment_after_an_hour() {
    let disk = Disk::default();
    let store = open(&disk);
    fill(&store, &["s"]);
    let stored = || store.log_group(&scope(), "g").unwrap().stored_bytes;
    put(&store, "s", &[(0, &record(1)), (1, &record(2))]).unwrap();
    let (before, texts) = (stored(), messages(&store, "s"));
    for (minutes, is_old) in [(0, false), (59, false), (60, true), (600, false)] {
        let later = UnixMillis(NOW + minutes * 60_000);
        assert_eq!(store.inner.rotate_old(later).unwrap(), is_old, "after {minutes} minutes");
    }
    store.inner.flush().unwrap();
    assert_eq!(segments(&disk).len(), 1);
    assert_eq!((stored(), messages(&store, "s")), (before, texts));
    // A store that is opened knows how long events have waited.
    put(&store, "s", &[(2, &record(3))]).unwrap();
    drop(store);
    let store = open(&disk);
    assert!(!store.inner.rotate_old(UnixMillis(NOW + 59 * 60_000)).unwrap());
    assert!(store.inner.rotate_old(UnixMillis(NOW + 60 * 60_000)).unwrap());
}

#[test]
fn a_store_in_a_folder_flushes_in_the_background_and_when_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { file_bytes: 64 << 10, ..Default::default() };
    let store = Store::open_with(dir.path(), options).unwrap();
    fill(&store, &["s"]);
    let texts: Vec<String> = (0..12_000).map(record).collect();
    for batch in texts.chunks(500) {
        let events: Vec<(i64, &str)> = batch.iter().map(|text| (0, text.as_str())).collect();
        put(&store, "s", &events).unwrap();
    }
    store.flush().unwrap();
    let held: u64 = store.state().files.values().map(|file| file.live).sum();
    assert_eq!(held, 0);
    drop(store);
    let store = Store::open_with(dir.path(), options).unwrap();
    let request = FilterLogEvents { group: "g".into(), ..Default::default() };
    let found: Vec<String> = filtered(&store, request).into_iter().map(|event| event.message).collect();
    assert_eq!(found, texts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_messages_come_back_byte_for_byte(
        texts in prop::collection::vec("\\PC{1,20}|[ -~\\t\\n]{1,30}|([0-9a-z.:-]{1,4} ){0,6}[0-9-]{1,3}", 1..60),
    ) {
        let disk = Disk::default();
        let store = open(&disk);
        fill(&store, &["s", "t"]);
        for (i, text) in texts.iter().enumerate() {
            put(&store, ["s", "t"][i % 2], &[(i as i64 / 4, text)]).unwrap();
        }
        let expect = (messages(&store, "s"), messages(&store, "t"));
        store.inner.flush_all().unwrap();
        prop_assert_eq!((messages(&store, "s"), messages(&store, "t")), expect);
    }
}
