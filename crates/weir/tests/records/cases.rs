//! Command lines and all that they print, in `tests/data/cases`.
//!
//! ```text
//! $ weir parse v2.log --output csv
//! exit 1
//! --- stdout
//! ...
//! --- stderr
//! ...
//! ```
//!
//! `WEIR_BLESS=1` writes what is printed now.

use super::support::data;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn command_lines_print_what_they_did() {
    let bless = std::env::var_os("WEIR_BLESS").is_some();
    let mut cases: Vec<_> =
        fs::read_dir(data().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 50, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let expected = fs::read_to_string(&case).unwrap();
        let command = expected.lines().next().and_then(|line| line.strip_prefix("$ ")).unwrap();
        let found = run(command);
        if bless {
            fs::write(&case, &found).unwrap();
        } else if found != expected {
            wrong.push(format!("{}\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as before (WEIR_BLESS=1 accepts it):\n{}", wrong.join("\n"));
}

fn run(command: &str) -> String {
    let binaries = Path::new(env!("CARGO_BIN_EXE_weir")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
    let output =
        Command::new("sh").args(["-c", command]).current_dir(data()).env("PATH", path).output().unwrap();
    format!(
        "$ {command}\nexit {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )
}
