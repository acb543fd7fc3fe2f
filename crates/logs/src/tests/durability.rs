//! What survives: cuts and flips at every byte, full disks, lost files.

use super::disk::Disk;
use super::*;
use crate::files::Files;
use crate::wal::{file_name, file_number};
use std::sync::Arc;

fn open(disk: &Disk, file_bytes: u64) -> Result<Store, StoreError> {
    let options = StoreOptions { file_bytes, ..Default::default() };
    Store::open_on(Arc::new(disk.clone()), options)
}

fn log_files(disk: &Disk) -> Vec<String> {
    disk.list().unwrap().into_iter().filter(|name| file_number(name).is_some()).collect()
}

/// A log of one file with five batches of two events. Also the lengths of the
/// file before the first and after each batch.
fn five_batches() -> (Disk, Vec<usize>) {
    let disk = Disk::default();
    let store = open(&disk, u64::MAX).unwrap();
    fill(&store, &["s"]);
    let name = file_name(1);
    let mut ends = vec![disk.bytes(&name).len()];
    for i in 0..5 {
        put(&store, "s", &[(i, &format!("{i}a")), (i, &format!("{i}b"))]).unwrap();
        ends.push(disk.bytes(&name).len());
    }
    (disk, ends)
}

const ALL: [&str; 10] = ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b", "4a", "4b"];

#[test]
fn a_log_cut_at_any_byte_keeps_all_whole_batches() {
    let (disk, ends) = five_batches();
    let bytes = disk.bytes(&file_name(1));
    for cut in ends[0]..=bytes.len() {
        let disk = disk.copy();
        disk.set_bytes(&file_name(1), bytes[..cut].to_vec());
        let store = open(&disk, u64::MAX).unwrap();
        let whole = ends.iter().filter(|&&end| end <= cut).count() - 1;
        assert_eq!(messages(&store, "s"), ALL[..2 * whole], "cut at {cut}");
        put(&store, "s", &[(9, "new")]).unwrap();
        drop(store);
        let mut expect = ALL[..2 * whole].to_vec();
        expect.push("new");
        assert_eq!(messages(&open(&disk, u64::MAX).unwrap(), "s"), expect, "written after a cut at {cut}");
    }
}

#[test]
fn a_flipped_byte_is_an_error_with_file_and_offset_or_a_torn_tail() {
    let (disk, ends) = five_batches();
    let bytes = disk.bytes(&file_name(1));
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        let disk = disk.copy();
        disk.set_bytes(&file_name(1), flipped);
        match open(&disk, u64::MAX) {
            Ok(store) => {
                assert!(at >= ends[4], "damage at {at} was taken for a torn tail");
                assert_eq!(messages(&store, "s"), ALL[..8]);
            }
            Err(StoreError::Damaged { file, offset, .. }) => {
                assert!(at < ends[4], "a torn tail at {at} was taken for damage");
                assert_eq!(file, file_name(1));
                // A wrong salt shows at the first frame.
                assert!(offset <= at.max(20) as u64, "{offset} for damage at {at}");
            }
            Err(StoreError::Version { .. }) => assert_eq!(at, 7),
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn garbage_and_zeros_after_the_end_are_cut() {
    let (disk, _) = five_batches();
    let bytes = disk.bytes(&file_name(1));
    // A frame of another place, as old blocks of a disk may hold it.
    let stale = bytes[bytes.len() - 100..].to_vec();
    for tail in [vec![0; 5000], b"WFRM".to_vec(), vec![0xff; 21], stale] {
        let disk = disk.copy();
        disk.set_bytes(&file_name(1), [bytes.clone(), tail].concat());
        assert_eq!(messages(&open(&disk, u64::MAX).unwrap(), "s"), ALL);
        assert_eq!(disk.bytes(&file_name(1)), bytes);
    }
}

#[test]
fn damage_at_the_end_of_an_older_file_is_no_torn_tail() {
    let disk = Disk::default();
    let store = open(&disk, 600).unwrap();
    fill(&store, &["s"]);
    for i in 0..20 {
        put(&store, "s", &[(i, "some text")]).unwrap();
    }
    drop(store);
    let files = log_files(&disk);
    assert!(files.len() >= 3, "{files:?}");
    let mut bytes = disk.bytes(&files[1]);
    bytes.pop();
    disk.set_bytes(&files[1], bytes);
    let error = open(&disk, 600).err().unwrap();
    assert!(matches!(&error, StoreError::Damaged { file, .. } if *file == files[1]), "{error:?}");
    disk.remove(&files[1]).unwrap();
    let error = open(&disk, 600).err().unwrap();
    assert!(matches!(&error, StoreError::Missing { file } if *file == files[1]), "{error:?}");
}

#[test]
fn a_message_that_looks_like_a_frame_is_none() {
    let (disk, _) = five_batches();
    let store = open(&disk, u64::MAX).unwrap();
    let text = "WFRM".repeat(20);
    put(&store, "s", &[(10, &text)]).unwrap();
    drop(store);
    let bytes = disk.bytes(&file_name(1));
    disk.set_bytes(&file_name(1), bytes[..bytes.len() - 1].to_vec());
    assert_eq!(messages(&open(&disk, u64::MAX).unwrap(), "s"), ALL);
}

#[test]
fn a_full_disk_refuses_the_writer_and_heals() {
    // Every change of the disk in turn, with rotation and without.
    for file_bytes in [200, u64::MAX] {
        for after in 0..10 {
            for failures in 1..4 {
                let disk = Disk::default();
                let store = open(&disk, file_bytes).unwrap();
                fill(&store, &["s"]);
                put(&store, "s", &[(0, "a")]).unwrap();
                disk.fail(after, failures);
                let mut expect = vec!["a".to_owned()];
                let (mut refused, mut since) = (0, Vec::new());
                for i in 0..6 {
                    let text = format!("{i}");
                    match put(&store, "s", &[(1, &text)]) {
                        Ok(_) => {
                            expect.push(text);
                            since.clear();
                        }
                        Err(error) => {
                            since.push(text);
                            refused += 1;
                            assert_eq!(error.code(), "ServiceUnavailableException");
                            assert!(!error.is_client_fault());
                        }
                    }
                    assert_eq!(messages(&store, "s"), expect, "what is refused is not seen");
                }
                assert!((1..=3).contains(&refused), "{refused} of {failures} after {after}");
                disk.calm();
                drop(store);
                let found = messages(&open(&disk, file_bytes).unwrap(), "s");
                // One that was refused after the last success may be there after a restart.
                if found != expect {
                    let last = found.last().unwrap();
                    assert!(since.contains(last), "{found:?}");
                    expect.push(last.clone());
                    assert_eq!(found, expect);
                }
            }
        }
    }
}

#[test]
fn files_go_when_all_their_events_are_gone() {
    let disk = Disk::default();
    let store = open(&disk, 1000).unwrap();
    fill(&store, &["s", "t"]);
    store.put_retention_policy(&scope(), "g", 1).unwrap();
    for i in 0..40 {
        put_with(&store, "s", &[(i, "old text")], Some(&format!("weir:{i}"))).unwrap();
    }
    let before = log_files(&disk);
    assert!(before.len() > 3);
    let later = UnixMillis(NOW + DAY + HOUR);
    let young = PutLogEvents {
        group: "g".into(),
        stream: "t".into(),
        events: vec![InputLogEvent { timestamp: later, message: "young".into() }],
        sequence_token: None,
    };
    store.put_log_events(&scope(), &young, later).unwrap();
    let done = store.maintain(later).unwrap();
    assert_eq!(done.expired_events, 40);
    assert!(done.removed_files >= before.len() - 1 && done.freed_bytes > 0, "{done:?}");
    // The record of it may have started a new file, and so on; then it rests.
    assert!((0..3).any(|_| store.maintain(later).unwrap() == Maintained::default()));
    drop(store);

    let store = open(&disk, 1000).unwrap();
    assert_eq!(store.log_group(&scope(), "g").unwrap().retention_in_days, Some(1));
    assert_eq!(messages(&store, "t"), ["young"]);
    // Streams and tokens outlive the files that brought them.
    put_with(&store, "s", &[(0, "again")], Some("weir:39")).unwrap();
    assert!(messages(&store, "s").is_empty());
    store.delete_log_group(&scope(), "g").unwrap();
    assert!(store.maintain(later).is_ok());
    assert_eq!(log_files(&disk).len(), 1);
}

#[test]
fn a_file_that_should_be_gone_is_removed_at_open() {
    let mut removed_at_open = 0;
    for after in 0..12 {
        let disk = Disk::default();
        let store = open(&disk, 300).unwrap();
        fill(&store, &["s"]);
        for i in 0..10 {
            put(&store, "s", &[(i, "text")]).unwrap();
        }
        store.delete_log_stream(&scope(), "g", "s").unwrap();
        disk.fail(after, 100);
        let failed = store.maintain(now()).is_err();
        disk.calm();
        drop(store);
        let before = log_files(&disk).len();
        let store = open(&disk, 300).unwrap();
        removed_at_open += before - log_files(&disk).len();
        assert!(failed || removed_at_open > 0);
        assert!(store.log_group(&scope(), "g").is_ok());
        store.maintain(now()).unwrap();
        assert!(log_files(&disk).len() <= 2);
    }
    // Some failures fell between the record and the removal.
    assert!(removed_at_open > 0);
}

#[test]
fn a_folder_is_opened_by_one_store_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("made/as needed");
    let store = Store::open(&dir).unwrap();
    fill(&store, &["s"]);
    put(&store, "s", &[(0, "a")]).unwrap();
    assert!(matches!(Store::open(&dir), Err(StoreError::InUse { .. })));
    let other = store.clone();
    drop(store);
    assert!(matches!(Store::open(&dir), Err(StoreError::InUse { .. })));
    drop(other);
    assert_eq!(messages(&Store::open(&dir).unwrap(), "s"), ["a"]);
    std::fs::write(dir.join("wal-0000000001.log"), b"no log at all, but long enough").unwrap();
    let error = Store::open(&dir).err().unwrap();
    assert!(matches!(error, StoreError::Damaged { offset: 0, .. }), "{error}");
}

#[test]
fn an_event_that_changed_on_disk_is_an_error_when_read() {
    let (disk, _) = five_batches();
    let store = open(&disk, u64::MAX).unwrap();
    let mut bytes = disk.bytes(&file_name(1));
    let at = bytes.windows(2).rposition(|two| two == b"4b").unwrap();
    bytes[at] = b'X';
    disk.set_bytes(&file_name(1), bytes);
    let request = GetLogEvents { group: "g".into(), stream: "s".into(), ..Default::default() };
    let text = said(store.get_log_events(&scope(), &request, now()));
    assert!(text.starts_with("ServiceUnavailable: "), "{text}");
}

#[test]
fn what_a_killed_process_wrote_is_synced_before_it_counts() {
    for seed in 1..40 {
        let disk = Disk::default();
        let store = open(&disk, u64::MAX).unwrap();
        fill(&store, &["s"]);
        // Dies between the write and the sync.
        disk.stop(1);
        assert!(put_with(&store, "s", &[(0, "a")], Some("weir:1")).is_err());
        disk.revive();
        let store = open(&disk, u64::MAX).unwrap();
        assert!(put_with(&store, "s", &[(0, "a")], Some("weir:1")).is_ok());
        disk.power_up(seed);
        assert_eq!(messages(&open(&disk, u64::MAX).unwrap(), "s"), ["a"], "{seed}");
    }
}

#[test]
fn a_file_named_by_a_killed_process_keeps_its_name() {
    for seed in 1..40 {
        let disk = Disk::default();
        let store = open(&disk, u64::MAX).unwrap();
        // Dies between the rename and its sync.
        disk.stop(4);
        assert!(create_group(&store, "g").is_err());
        disk.revive();
        assert_eq!(log_files(&disk).len(), 1);
        let store = open(&disk, u64::MAX).unwrap();
        fill(&store, &[]);
        disk.power_up(seed);
        assert!(open(&disk, u64::MAX).unwrap().log_group(&scope(), "g").is_ok(), "{seed}");
    }
}

#[test]
fn a_new_file_that_failed_does_not_hide_what_is_written_next() {
    for after in 0..8 {
        let disk = Disk::default();
        let store = open(&disk, 2000).unwrap();
        fill(&store, &["s"]);
        let large = "x".repeat(600);
        put(&store, "s", &[(0, &large), (0, &large)]).unwrap();
        disk.fail(after, 1);
        _ = put(&store, "s", &[(0, &large)]);
        disk.calm();
        put(&store, "s", &[(1, "small")]).unwrap();
        drop(store);
        let found = messages(&open(&disk, 2000).unwrap(), "s");
        assert_eq!(found.last().map(String::as_str), Some("small"), "{after}");
    }
}

#[test]
fn a_group_deleted_in_a_removed_file_stays_deleted() {
    let disk = Disk::default();
    let store = open(&disk, 1).unwrap();
    fill(&store, &["keeps the first file", "s", "t"]);
    put(&store, "keeps the first file", &[(0, "kept")]).unwrap();
    create_group(&store, "h").unwrap();
    store.create_log_stream(&scope(), "h", "u", now()).unwrap();
    let fillers = |n: usize| {
        // Enough records to start new files.
        for i in 0..n {
            store.put_retention_policy(&scope(), "g", [30, 60][i % 2]).unwrap();
        }
    };
    fillers(30);
    store.delete_log_stream(&scope(), "g", "s").unwrap();
    store.delete_log_stream(&scope(), "g", "t").unwrap();
    store.create_log_stream(&scope(), "g", "t", now()).unwrap();
    store.delete_log_group(&scope(), "h").unwrap();
    create_group(&store, "h").unwrap();
    fillers(30);
    let before = log_files(&disk).len();
    store.maintain(now()).unwrap();
    assert!(log_files(&disk).len() < before);
    let names = |store: &Store, group: &str| {
        let request = DescribeLogStreams { group: group.into(), ..Default::default() };
        let page = store.describe_log_streams(&scope(), &request, now()).unwrap();
        page.log_streams.into_iter().map(|stream| stream.name).collect::<Vec<_>>()
    };
    drop(store);
    let store = open(&disk, 1).unwrap();
    assert_eq!(names(&store, "g"), ["keeps the first file", "t"]);
    assert!(names(&store, "h").is_empty());
    put(&store, "t", &[(0, "new")]).unwrap();
    assert_eq!(messages(&store, "t"), ["new"]);
    assert_eq!(messages(&store, "keeps the first file"), ["kept"]);
}

#[test]
fn a_write_that_was_cut_off_does_not_come_back_in_an_older_file() {
    for seed in 1..200 {
        let disk = Disk::default();
        let store = open(&disk, 2000).unwrap();
        fill(&store, &["s"]);
        let large = "x".repeat(600);
        put(&store, "s", &[(0, &large)]).unwrap();
        if seed % 2 == 0 {
            put(&store, "s", &[(0, "-")]).unwrap();
        }
        // The sync fails, but the disk has the bytes.
        disk.fail(1, 1);
        assert!(put(&store, "s", &[(0, "refused"), (0, &large)]).is_err());
        let huge = "y".repeat(1500);
        put(&store, "s", &[(1, &huge)]).unwrap();
        assert_eq!(log_files(&disk).len(), 2);
        disk.power_up(seed);
        let found = messages(&open(&disk, 2000).unwrap(), "s");
        assert_eq!(found.last(), Some(&huge), "{seed}");
        assert!(!found.contains(&"refused".to_owned()), "{seed}");
    }
}
