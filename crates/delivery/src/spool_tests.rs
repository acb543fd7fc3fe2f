use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;
use weir_types::orders::Destination;
use weir_types::time::UnixMillis;

fn flow_log(n: u8) -> FlowLogId {
    FlowLogId::from_random(n.into())
}

fn file(log: u8, window_end_s: i64, part: u64, message: &str) -> SpoolFile {
    let mut file = SpoolFile::new(Header {
        flow_log: flow_log(log),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        destination: Destination::CloudWatchLogs {
            log_group: "g".to_owned(),
            role: "arn:aws:iam::123456789012:role/r".parse().unwrap(),
        },
        window_start_s: window_end_s - 60,
        window_end_s,
        part,
        created: UnixMillis(0),
        log_format: None,
        skipped: None,
    });
    file.push("eni-0-all", UnixMillis(window_end_s * 1000), message);
    file
}

fn path(dir: &TempDir, file: &SpoolFile) -> PathBuf {
    dir.path().join(file.header.flow_log.as_str()).join(Key::of(&file.header).file_name())
}

/// Everything that a publisher would send, in its order.
fn drain(spool: &Spool) -> Vec<SpoolFile> {
    let mut files = Vec::new();
    for flow_log in spool.flow_logs() {
        while let Some(entry) = spool.first(&flow_log) {
            if let Some(file) = spool.read(&entry).unwrap() {
                files.push(file);
                spool.remove(&entry).unwrap();
            }
        }
    }
    assert_eq!(spool.bytes(), 0);
    files
}

#[test]
fn windows_come_in_order_whatever_the_order_they_were_written_in() {
    let dir = TempDir::new().unwrap();
    let files =
        [file(1, 60, 2, "a"), file(1, 120, 1, "b"), file(1, 1_418_530_080, 0, "c"), file(2, 60, 0, "d")];
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    for file in files.iter().rev() {
        spool.write(file).unwrap();
    }
    assert_eq!(spool.flow_logs(), [flow_log(1), flow_log(2)]);
    drop(spool);
    assert_eq!(drain(&Spool::open(dir.path(), 1 << 20).unwrap()), files);
}

#[test]
fn a_repeat_overwrites_itself() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.write(&file(1, 60, 7, "first")).unwrap();
    let bytes = spool.bytes();
    spool.write(&file(1, 60, 7, "again")).unwrap();
    assert_eq!(spool.bytes(), bytes);
    assert_eq!(drain(&spool), [file(1, 60, 7, "again")]);
}

#[test]
fn what_was_written_over_while_it_was_sent_is_not_removed() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.write(&file(1, 60, 7, "first")).unwrap();
    let sent = spool.first(&flow_log(1)).unwrap();
    spool.write(&file(1, 60, 7, "again")).unwrap();
    spool.remove(&sent).unwrap();
    assert_eq!(drain(&spool), [file(1, 60, 7, "again")]);
}

#[test]
fn a_full_spool_says_so_and_takes_files_again_when_there_is_room() {
    let dir = TempDir::new().unwrap();
    // Files of the same size.
    let at = |minute: i64, message| file(1, 1_418_530_020 + 60 * minute, 0, message);
    let max_bytes = 2 * file::encode(&at(0, "x")).unwrap().len() as u64;
    let spool = Spool::open(dir.path(), max_bytes).unwrap();
    spool.write(&at(0, "x")).unwrap();
    spool.write(&at(1, "x")).unwrap();
    assert_eq!(spool.bytes(), max_bytes);
    let error = spool.write(&at(2, "x")).unwrap_err();
    assert!(matches!(error, SpoolError::Full { .. }), "{error}");
    assert_eq!(spool.bytes(), max_bytes);
    // A repeat takes the room of what it replaces.
    spool.write(&at(0, "y")).unwrap();
    spool.remove(&spool.first(&flow_log(1)).unwrap()).unwrap();
    spool.write(&at(2, "x")).unwrap();
    drop(spool);
    // The bound also counts what an earlier process left.
    let spool = Spool::open(dir.path(), max_bytes).unwrap();
    assert!(spool.write(&at(3, "x")).is_err());
}

#[test]
fn leftovers_and_foreign_files_are_put_away() {
    let dir = TempDir::new().unwrap();
    let good = file(1, 60, 0, "good");
    Spool::open(dir.path(), 1 << 20).unwrap().write(&good).unwrap();
    let folder = dir.path().join(flow_log(1).as_str());
    for (name, content) in [
        ("000000000120-0000000000000000.spool.9.tmp", "half"),
        ("notes.txt", "hello"),
        ("120-0.spool", "a name in another spelling"),
        ("000000000030-0000000000000000.spool.bad", "set aside earlier"),
    ] {
        fs::write(folder.join(name), content).unwrap();
    }
    fs::write(dir.path().join("README"), "not a folder").unwrap();
    // Whole, but under the name of another window.
    fs::copy(path(&dir, &good), folder.join("000000000090-0000000000000000.spool")).unwrap();
    assert_eq!(drain(&Spool::open(dir.path(), 1 << 20).unwrap()), [good]);
    let names: Vec<String> = list(&folder)
        .unwrap()
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "000000000030-0000000000000000.spool.bad",
            "000000000090-0000000000000000.spool.bad",
            "120-0.spool.bad",
            "notes.txt.bad",
        ]
    );
    assert!(dir.path().join("README").exists());
}

#[test]
fn a_file_that_somebody_removed_is_passed_over() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.write(&file(1, 60, 0, "gone")).unwrap();
    spool.write(&file(1, 120, 0, "there")).unwrap();
    fs::remove_file(path(&dir, &file(1, 60, 0, ""))).unwrap();
    assert_eq!(drain(&spool), [file(1, 120, 0, "there")]);
}

#[test]
fn a_forgotten_flow_log_leaves_nothing_and_takes_nothing() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.write(&file(1, 60, 0, "a")).unwrap();
    spool.write(&file(2, 60, 0, "b")).unwrap();
    spool.forget(&flow_log(1)).unwrap();
    spool.forget(&flow_log(1)).unwrap();
    spool.write(&file(1, 120, 0, "late")).unwrap();
    assert!(!dir.path().join(flow_log(1).as_str()).exists());
    assert_eq!(drain(&spool), [file(2, 60, 0, "b")]);
}

/// One thing that happens to a spool. Numbers choose among few, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Write(u8, u8, u8),
    /// A crash in the middle of a write, after so many hundredths of its bytes;
    /// from 100 on the temporary file is whole.
    CrashWriting(u8, u8, u8, usize),
    /// The disk lost the end of a file in spite of everything.
    Tear(u8, u8, usize),
    /// A publisher sends and removes the first file.
    Deliver(u8),
    /// A publisher sent it, and the crash came before the removal.
    CrashDelivering,
    Forget(u8),
}

fn any_step() -> impl Strategy<Value = Step> {
    let (log, window, content) = (0..3_u8, 0..3_u8, 0..4_u8);
    prop_oneof![
        4 => (log.clone(), window.clone(), content.clone()).prop_map(|(l, w, c)| Step::Write(l, w, c)),
        2 => (log.clone(), window.clone(), content, 0..120_usize)
            .prop_map(|(l, w, c, part)| Step::CrashWriting(l, w, c, part)),
        1 => (log.clone(), window, 0..100_usize).prop_map(|(l, w, part)| Step::Tear(l, w, part)),
        2 => log.clone().prop_map(Step::Deliver),
        1 => Just(Step::CrashDelivering),
        1 => log.prop_map(Step::Forget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What was written and not yet removed is there, once, whatever crashed;
    /// a file that was torn is gone; nothing else ever appears.
    #[test]
    fn the_spool_agrees_with_a_map(steps in proptest::collection::vec(any_step(), 0..25)) {
        let dir = TempDir::new().unwrap();
        let mut spool = Spool::open(dir.path(), 1 << 20).unwrap();
        let mut model: BTreeMap<(FlowLogId, i64), SpoolFile> = BTreeMap::new();
        let mut forgotten: Vec<u8> = Vec::new();
        let made = |log: u8, window: u8, content: u8| file(log, i64::from(window) * 60, 0, &"x".repeat(1 + usize::from(content)));
        for step in steps {
            match step {
                Step::Write(log, window, content) => {
                    let file = made(log, window, content);
                    spool.write(&file).unwrap();
                    if !forgotten.contains(&log) {
                        model.insert((flow_log(log), file.header.window_end_s), file);
                    }
                }
                Step::CrashWriting(log, window, content, hundredths) => {
                    let file = made(log, window, content);
                    let bytes = file::encode(&file).unwrap();
                    let length = bytes.len() * hundredths.min(100) / 100;
                    let temporary = path(&dir, &file).with_extension("spool.1.tmp");
                    fs::create_dir_all(temporary.parent().unwrap()).unwrap();
                    fs::write(temporary, &bytes[..length]).unwrap();
                    spool = Spool::open(dir.path(), 1 << 20).unwrap();
                    forgotten.clear();
                }
                Step::Tear(log, window, hundredths) => {
                    let path = path(&dir, &made(log, window, 0));
                    if let Ok(bytes) = fs::read(&path) {
                        fs::write(&path, &bytes[..bytes.len() * hundredths / 100]).unwrap();
                        model.remove(&(flow_log(log), i64::from(window) * 60));
                    }
                }
                Step::Deliver(log) => {
                    if let Some(entry) = spool.first(&flow_log(log))
                        && let Some(file) = spool.read(&entry).unwrap()
                    {
                        let first = model.keys().find(|(id, _)| *id == flow_log(log)).cloned().unwrap();
                        prop_assert_eq!(Some(file), model.remove(&first));
                        spool.remove(&entry).unwrap();
                    }
                }
                Step::CrashDelivering => {
                    spool = Spool::open(dir.path(), 1 << 20).unwrap();
                    forgotten.clear();
                }
                Step::Forget(log) => {
                    spool.forget(&flow_log(log)).unwrap();
                    forgotten.push(log);
                    model.retain(|(id, _), _| *id != flow_log(log));
                }
            }
        }
        let spool = Spool::open(dir.path(), 1 << 20).unwrap();
        prop_assert_eq!(drain(&spool), model.into_values().collect::<Vec<_>>());
    }
}
