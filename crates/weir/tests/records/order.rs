//! Many workers, one order: the same output every time, and the right one.

use super::support::{HEADER, gzip, lines, printed, weir, zstd};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

/// Files of different sizes and wrappings; record n has n packets.
fn many_files(folder: &Path) -> u32 {
    let mut next = 0;
    for (number, count) in [4000, 1, 30_000, 700, 0, 12_000, 9000, 50, 3, 20_000].into_iter().enumerate() {
        let text = HEADER.to_owned() + &lines(next, count);
        let bytes = match number % 3 {
            0 => text.into_bytes(),
            1 => gzip(&text),
            _ => zstd(&text),
        };
        fs::write(folder.join(format!("{number:02}.log")), bytes).unwrap();
        next += count;
    }
    next
}

#[test]
fn output_is_in_the_order_of_the_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let count = many_files(folder.path());
    let expected: String = (0..count).map(|n| format!("{n}\n")).collect();
    for _ in 0..3 {
        let found =
            printed(folder.path(), &["parse", ".", "-o", "csv", "--fields", "packets", "--no-header"]);
        assert!(found == expected);
    }
    let all = HEADER.to_owned() + &lines(0, count);
    assert!(printed(folder.path(), &["parse", ".", "--output", "text"]) == all);
    // As the patterns of `lines` have it.
    let found = printed(folder.path(), &["filter", "[..., action=REJECT, status]", "."]);
    let rejected: String =
        all.lines().filter(|line| line.contains(" REJECT ")).map(|line| format!("{line}\n")).collect();
    assert!(found == rejected);
    let found = printed(
        folder.path(),
        &["filter", "--where", "packets % 7", "."].map(|arg| match arg {
            "packets % 7" => "dstport = 22 and action = REJECT",
            other => other,
        }),
    );
    let both: String =
        rejected.lines().filter(|line| line.contains(" 22 6 ")).map(|line| format!("{line}\n")).collect();
    assert!(found == both);
}

#[test]
fn sums_do_not_depend_on_the_workers() {
    let folder = tempfile::tempdir().unwrap();
    let count = u64::from(many_files(folder.path()));
    let packets = |port| -> u64 { (0..count).filter(|n| (n % 3 == 0) == (port == 22)).sum() };
    let expected = format!("dstport,packets\n443,{}\n22,{}\n", packets(443), packets(22));
    for _ in 0..3 {
        let found = printed(folder.path(), &["top", "--by", "dstport", "--sum", "packets", "-o", "csv", "."]);
        let without_share: String =
            found.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect();
        assert_eq!(without_share, expected);
    }
}

#[test]
fn malformed_lines_are_found_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = HEADER.to_owned() + &lines(0, 5000);
    text += "2 123456789010 nonsense\n";
    text += &lines(5000, 4000);
    text += "\n";
    text += &lines(9000, 10);
    fs::write(folder.path().join("a.log"), &text).unwrap();
    fs::write(folder.path().join("b.log.gz"), gzip(&text)).unwrap();
    let output =
        weir(folder.path(), &["parse", ".", "-o", "csv", "--fields", "packets,srcaddr"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let talk = String::from_utf8(output.stderr).unwrap();
    for place in ["a.log: line 5002, column 24, field srcaddr", "a.log: line 9003, ", "b.log.gz: line 5002, "]
    {
        assert!(talk.contains(place), "{talk}");
    }
    assert!(
        talk.ends_with("18,026 lines, 18,020 records (0 NODATA, 0 SKIPDATA), 4 malformed, from 2 inputs\n"),
        "{talk}"
    );
    // --strict: everything before the first one, nothing after it.
    let output = weir(folder.path(), &["parse", ".", "-o", "csv", "--fields", "packets", "--strict"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected: String = (0..5000).map(|n| format!("{n}\n")).collect();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("packets\n{expected}"));
    // More malformed lines in a block than are told one by one.
    let mut noisy = HEADER.to_owned();
    for n in 0..2000 {
        noisy += &lines(n, 1);
        noisy += "noise\n";
    }
    fs::write(folder.path().join("noisy"), &noisy).unwrap();
    let found = printed(folder.path(), &["filter", "--where", "packets < 1000", "noisy"]);
    assert!(found == lines(0, 1000));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    many_files(folder.path());
    for args in [&["parse", "."][..], &["filter", "--where", "packets > 1", "."]] {
        let mut child =
            weir(folder.path(), args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}
