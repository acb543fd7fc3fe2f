//! Files and folders that are written.

use super::support::{HEADER, gzip, lines, printed, run};
use std::fs;
use std::path::Path;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_has_one_output_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("in/2026/11")).unwrap();
    let first = HEADER.to_owned() + &lines(0, 3000);
    let second = "srcaddr dstaddr\n10.0.0.1 10.0.0.2\n".to_owned();
    fs::write(path.join("in/2026/11/a.log.gz"), gzip(&first)).unwrap();
    fs::write(path.join("in/b.log"), &second).unwrap();
    printed(path, &["parse", "in", "--output", "parquet", "--to", "out/"]);
    assert_eq!(names(&path.join("out")), ["2026", "b.log.parquet"]);
    assert_eq!(names(&path.join("out/2026/11")), ["a.log.parquet"]);
    // And back, in the formats they had.
    printed(path, &["parse", "out", "--output", "text", "--to", "back/"]);
    assert!(fs::read_to_string(path.join("back/2026/11/a.log")).unwrap() == first);
    assert_eq!(fs::read_to_string(path.join("back/b.log")).unwrap(), second);
    for (kind, name) in [("json", "b.json"), ("csv", "b.csv"), ("table", "b.txt")] {
        printed(path, &["parse", "in/b.log", "--output", kind, "--to", "other/"]);
        assert!(fs::read_to_string(path.join("other").join(name)).unwrap().contains("10.0.0.2"), "{kind}");
    }
}

#[test]
fn one_file_takes_all_inputs_and_its_kind_from_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("a.log"), HEADER.to_owned() + &lines(0, 10)).unwrap();
    fs::write(path.join("b.log"), lines(10, 10)).unwrap();
    let all = HEADER.to_owned() + &lines(0, 20);
    printed(path, &["parse", "a.log", "b.log", "--to", "all.parquet"]);
    assert_eq!(printed(path, &["parse", "all.parquet", "-o", "text"]), all);
    printed(path, &["parse", "a.log", "b.log", "--to", "new/all.log"]);
    assert_eq!(fs::read_to_string(path.join("new/all.log")).unwrap(), all);
    printed(path, &["parse", "a.log", "b.log", "--to", "all.csv", "--fields", "packets"]);
    assert_eq!(fs::read_to_string(path.join("all.csv")).unwrap().lines().count(), 21);
}

#[test]
fn what_is_not_whole_is_not_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let whole = gzip(&(HEADER.to_owned() + &lines(0, 50_000)));
    fs::write(path.join("broken.log.gz"), &whole[..whole.len() / 2]).unwrap();
    fs::write(path.join("good.log"), lines(0, 2)).unwrap();
    let output = run(path, &["parse", "broken.log.gz", "good.log", "--output", "parquet", "--to", "out/"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(names(&path.join("out")), ["good.log.parquet"]);
    let output =
        run(path, &["parse", "good.log", "--strict", "--to", "x.csv", "--format", "version srcaddr"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!names(path).iter().any(|name| name.starts_with("x.csv")), "{:?}", names(path));
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("a.log"), lines(0, 2)).unwrap();
    fs::write(path.join("a.log.gz"), gzip(&lines(0, 2))).unwrap();
    for (args, message) in [
        (&["parse", "a.log", "--to", "a.log"][..], "a.log would be written over the input of that name"),
        (
            &["parse", "a.log", "-o", "text", "--to", "./"],
            "a.log would be written over the input of that name",
        ),
        (
            &["parse", "a.log", "a.log.gz", "-o", "json", "--to", "out/"],
            "a.log and a.log.gz would both be written to out/a.json",
        ),
    ] {
        let output = run(path, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(talk.contains(message), "{talk}");
    }
    assert_eq!(fs::read_to_string(path.join("a.log")).unwrap(), lines(0, 2));
}
