//! Every wrapping of the same records gives the same records.

use super::support::{HEADER, gzip, lines, printed, run, weir, zstd};
use std::fs;
use std::io::Write;
use std::process::Stdio;

/// All that is wrapped here, as raw JSON.
fn expected(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), text).unwrap();
    printed(folder.path(), &["parse", "a.log"])
}

#[test]
fn compression_is_told_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = HEADER.to_owned() + &lines(0, 20_000);
    let (first, second) = (HEADER.to_owned() + &lines(0, 9_000), HEADER.to_owned() + &lines(9_000, 11_000));
    let long = HEADER.to_owned() + &lines(0, 110_000);
    let plain = expected(&text);
    assert_eq!(plain.lines().count(), 20_000);
    for (name, bytes) in [
        ("plain.gz", text.clone().into_bytes()),
        ("one member", gzip(&text)),
        ("two members", [gzip(&first), gzip(&second)].concat()),
        ("gzip twice", gzip_bytes(&gzip(&text))),
        ("zstd.log", zstd(&text)),
        ("two frames", [zstd(&first), zstd(&second)].concat()),
        ("no end of line", text.trim_end().as_bytes().to_vec()),
        ("byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
    ] {
        fs::write(path.join(name), bytes).unwrap();
        assert!(printed(path, &["parse", name]) == plain, "{name}");
    }
    // Larger than what is inflated as a whole.
    fs::write(path.join("long.gz"), gzip(&long)).unwrap();
    let found = printed(path, &["parse", "long.gz", "--output", "text"]);
    assert!(found == long);
    // Parquet, from a file and from a pipe.
    printed(path, &["parse", "one member", "--to", "a.parquet"]);
    assert!(printed(path, &["parse", "a.parquet"]) == plain);
    let mut child = weir(path, &["parse"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let parquet = fs::read(path.join("a.parquet")).unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&parquet).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.stdout == plain.as_bytes());
}

fn gzip_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_broken_file_gives_what_came_before_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let whole = gzip(&(HEADER.to_owned() + &lines(0, 50_000)));
    fs::write(path.join("1.gz"), &whole[..whole.len() / 2]).unwrap();
    fs::write(path.join("2.log"), lines(50_000, 3)).unwrap();
    fs::write(path.join("3.bin"), [0, 1, 2, 3, 0, 0]).unwrap();
    fs::write(path.join("4.log"), "").unwrap();
    // So small that it is looked at as a whole.
    let whole = gzip(&(HEADER.to_owned() + &lines(0, 2)));
    fs::write(path.join("5.gz"), &whole[..whole.len() - 4]).unwrap();
    fs::write(path.join("6.gz"), &whole[..15]).unwrap();
    let inputs = ["1.gz", "2.log", "3.bin", "4.log", "5.gz", "6.gz"];
    let output = run(path, &[&["parse", "--fields", "packets"], &inputs[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    let found = String::from_utf8(output.stdout).unwrap();
    let count = found.lines().count();
    assert!((10_005..50_005).contains(&count), "{count}");
    for (n, line) in found.lines().take(count - 5).enumerate() {
        assert_eq!(line, format!("{{\"packets\":{n}}}"));
    }
    let last: String = [50_000, 50_001, 50_002, 0, 1].map(|n| format!("{{\"packets\":{n}}}\n")).concat();
    assert!(found.ends_with(&last));
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(talk.contains("error: 1.gz: cannot be read further: "), "{talk}");
    assert!(talk.contains("error: 3.bin: is not a flow log"), "{talk}");
    assert!(talk.contains("error: 5.gz: cannot be read further: "), "{talk}");
    assert!(talk.contains("error: 6.gz: cannot be read: "), "{talk}");
    assert!(talk.contains("4 unusable"), "{talk}");
}

#[test]
fn a_tree_as_aws_lays_it_out_is_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let logs = path.join("bucket/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/11/21");
    let trail = path.join("bucket/AWSLogs/123456789012/CloudTrail/us-east-1");
    fs::create_dir_all(&logs).unwrap();
    fs::create_dir_all(&trail).unwrap();
    for (n, time) in [(0, "1000"), (1, "1005"), (2, "1010")] {
        let name = format!("123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20261121T{time}Z_fe123456.log.gz");
        fs::write(logs.join(name), gzip(&(HEADER.to_owned() + &lines(n * 2, 2)))).unwrap();
    }
    fs::write(trail.join("trail.json.gz"), gzip(r#"{"Records":[{"eventVersion":"1.08"}]}"#)).unwrap();
    let found = printed(path, &["parse", "bucket", "--output", "csv", "--fields", "packets"]);
    assert_eq!(found, "packets\n0\n1\n2\n3\n4\n5\n");
    let pattern = "bucket/AWSLogs/*/vpcflowlogs/*/2026/11/21/*T100*";
    let found = printed(path, &["parse", pattern, "--output", "csv", "--fields", "packets"]);
    assert_eq!(found, "packets\n0\n1\n2\n3\n");
}

/// Whoever follows a log sees a line as soon as it is there.
#[test]
fn lines_of_a_pipe_do_not_wait_for_more() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut child = weir(folder.path(), &["parse", "--fields", "packets"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for n in 0..3 {
        stdin.write_all(lines(n, 1).as_bytes()).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{{\"packets\":{n}}}\n"));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
