//! kill -9 in the middle of writing: every acknowledged batch is there.
//!
//! The test runs itself as a child that writes and prints what was
//! acknowledged, kills that child, and looks.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use weir_logs::{
    CreateLogGroup, FilterLogEvents, InputLogEvent, LogsError, PutLogEvents, Scope, Store, StoreOptions,
};
use weir_types::time::UnixMillis;

const DIR: &str = "WEIR_LOGS_KILL_TEST_DIR";
const ROUND: &str = "WEIR_LOGS_KILL_TEST_ROUND";
const WRITERS: usize = 4;
const EVENTS: usize = 7;
const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn scope() -> Scope {
    Scope::new("123456789012", "us-east-1")
}

fn open(dir: &Path) -> Store {
    // Small files: some kills fall into the start of a new one.
    Store::open_with(dir, StoreOptions { file_bytes: 16 << 10, ..Default::default() }).unwrap()
}

fn exists_is_fine(result: Result<(), LogsError>) {
    if let Err(error) = result {
        assert_eq!(error.code(), "ResourceAlreadyExistsException");
    }
}

/// The child: writes until it is killed.
#[test]
fn child_that_writes_until_it_is_killed() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else { return };
    let store = open(Path::new(&dir));
    let group = CreateLogGroup { name: "g".into(), ..Default::default() };
    exists_is_fine(store.create_log_group(&scope(), group, NOW));
    std::thread::scope(|threads| {
        for writer in 0..WRITERS {
            let (store, round) = (&store, &round);
            threads.spawn(move || {
                let stream = format!("s{writer}");
                exists_is_fine(store.create_log_stream(&scope(), "g", &stream, NOW));
                for i in 0.. {
                    let batch = format!("{round}-{writer}-{i}");
                    let event = InputLogEvent { timestamp: NOW, message: batch.clone() };
                    let request = PutLogEvents {
                        group: "g".into(),
                        stream: stream.clone(),
                        events: vec![event; EVENTS],
                        sequence_token: None,
                    };
                    store.put_log_events(&scope(), &request, NOW).unwrap();
                    // One write per line: a line is printed wholly or not at all.
                    std::io::stderr().write_all(format!("acknowledged {batch}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

#[test]
fn what_was_acknowledged_survives_kill() {
    if std::env::var(DIR).is_ok() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for (round, wanted) in [1, 40, 200, 77, 300].into_iter().enumerate() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes_until_it_is_killed", "--nocapture"])
            .env(DIR, dir.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut seen = 0;
        while seen < wanted {
            let line = lines.next().expect("the child stopped by itself");
            if let Some(batch) = line.strip_prefix("acknowledged ") {
                acknowledged.push(batch.to_owned());
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said between the last line read and its death counts too.
        acknowledged.extend(lines.filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned)));

        let store = open(dir.path());
        let mut sizes: HashMap<String, usize> = HashMap::new();
        let mut request = FilterLogEvents { group: "g".into(), ..Default::default() };
        loop {
            let page = store.filter_log_events(&scope(), &request, NOW).unwrap();
            for event in page.events {
                *sizes.entry(event.message).or_default() += 1;
            }
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                break;
            }
        }
        for batch in &acknowledged {
            assert_eq!(sizes.get(batch), Some(&EVENTS), "batch {batch} in round {round}");
        }
        assert!(sizes.values().all(|&size| size == EVENTS), "a batch is there in part");
        // At most the batch that each writer was waiting for is there without an answer.
        assert!(sizes.len() - acknowledged.len() <= WRITERS * (round + 1));
    }
}
