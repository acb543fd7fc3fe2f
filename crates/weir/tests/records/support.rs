//! Running the binary, and records to run it on.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// `weir ARGS` in `folder`.
pub fn weir(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command
}

/// What `weir ARGS` in `folder` prints; it must exit with 0.
#[track_caller]
pub fn printed(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn run(folder: &Path, args: &[&str]) -> Output {
    weir(folder, args).output().unwrap()
}

/// The header line of the default format.
pub const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets \
                          bytes start end action log-status\n";

/// Lines of the default format, each another one.
pub fn lines(from: u32, count: u32) -> String {
    let mut text = String::new();
    for n in from..from + count {
        let [a, b, c, _] = n.wrapping_mul(2_654_435_761).to_be_bytes();
        let action = if n % 7 == 0 { "REJECT" } else { "ACCEPT" };
        let start = 1_418_530_000 + i64::from(n);
        writeln!(
            text,
            "2 123456789010 eni-{n:017x} 10.{a}.{b}.{c} 172.31.{c}.{a} {} {} 6 {n} {} {start} {} {action} OK",
            n % 65_536,
            if n % 3 == 0 { 22 } else { 443 },
            u64::from(n) * 40,
            start + 60,
        )
        .unwrap();
    }
    text
}

pub fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

pub fn zstd(text: &str) -> Vec<u8> {
    zstd::bulk::compress(text.as_bytes(), 1).unwrap()
}
