//! Which inputs the arguments name: files, folders, globs, `-`.
//!
//! The order is that of the arguments, and by name within a folder or glob, so
//! that the same command gives the same output. A folder is walked to its end;
//! what AWS writes beside flow logs is passed over: other services under
//! `AWSLogs`, `aws-logs-write-test` of exports, names that begin with `.` or `_`.

use crate::commands::HintExt;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::HashSet;
use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub place: Place,
    /// Length of the file as it lies there, compressed or not; `None` for a pipe.
    pub bytes: Option<u64>,
    /// The path below the folder that was named, for outputs laid out alike.
    pub relative: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Stdin,
    File(PathBuf),
}

impl Input {
    /// What messages call it.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Stdin => "standard input".to_owned(),
            Place::File(path) => path.display().to_string(),
        }
    }

    fn stdin() -> Self {
        // A redirected file has a length.
        let bytes = fs::metadata("/dev/stdin").ok().filter(fs::Metadata::is_file).map(|data| data.len());
        Self { place: Place::Stdin, bytes, relative: PathBuf::from("stdin") }
    }

    fn file(path: PathBuf, relative: PathBuf) -> Result<Self> {
        let data = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let bytes = data.is_file().then_some(data.len());
        Ok(Self { place: Place::File(path), bytes, relative })
    }
}

/// The inputs that `args` name; standard input if there are none.
///
/// # Errors
/// A name without a file, a pattern or folder that gives none, and no argument
/// on a terminal.
pub fn find(args: &[String]) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    if args.is_empty() {
        if io::stdin().is_terminal() {
            return Err(anyhow!("no input")).hint("name files or folders, or pipe lines in");
        }
        inputs.push(Input::stdin());
    }
    for arg in args {
        let path = Path::new(arg);
        if arg == "-" {
            if inputs.iter().any(|input| input.place == Place::Stdin) {
                bail!("'-' stands twice, but standard input can be read only once");
            }
            inputs.push(Input::stdin());
        } else if path.exists() {
            add(path, &mut inputs)?;
        } else if arg.contains(['*', '?', '[']) {
            let before = inputs.len();
            let paths = glob::glob(arg).with_context(|| format!("'{arg}' is not a pattern"))?;
            for path in paths {
                let path = path.with_context(|| format!("cannot list '{arg}'"))?;
                add(&path, &mut inputs)?;
            }
            if inputs.len() == before {
                bail!("no file matches '{arg}'");
            }
        } else {
            bail!("there is no file or folder '{arg}'");
        }
    }
    // A file that two arguments name is read once, however they name it.
    if args.len() > 1 {
        let mut seen = HashSet::new();
        inputs.retain(|input| match &input.place {
            Place::Stdin => true,
            Place::File(path) => seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())),
        });
    }
    Ok(inputs)
}

fn add(path: &Path, inputs: &mut Vec<Input>) -> Result<()> {
    if !path.is_dir() {
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        inputs.push(Input::file(path.to_owned(), name)?);
        return Ok(());
    }
    let before = inputs.len();
    walk(path, path, &mut Vec::new(), inputs)?;
    if inputs.len() == before {
        bail!("the folder {} has no flow logs", path.display());
    }
    Ok(())
}

/// `above`: the folders around it, by device and number.
fn walk(root: &Path, folder: &Path, above: &mut Vec<(u64, u64)>, inputs: &mut Vec<Input>) -> Result<()> {
    let listed = || format!("cannot list {}", folder.display());
    let own = fs::metadata(folder).map(|data| (data.dev(), data.ino())).with_context(listed)?;
    if above.contains(&own) {
        // A link that leads back.
        return Ok(());
    }
    above.push(own);
    let entries = fs::read_dir(folder).with_context(listed)?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()
        .with_context(listed)?;
    paths.sort_unstable();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(['.', '_']) || name == "aws-logs-write-test" {
            continue;
        }
        let data = fs::metadata(&path);
        let is_closed = |error: &io::Error| error.kind() != io::ErrorKind::NotFound;
        if data.as_ref().is_ok_and(fs::Metadata::is_dir) && fs::read_dir(&path).is_ok() {
            walk(root, &path, above, inputs)?;
        } else if data.as_ref().map_or_else(is_closed, |data| !is_special(data))
            && !is_of_another_service(&path)
        {
            // What cannot be looked at is told when it is opened, and does not end the rest.
            let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
            let bytes = data.ok().filter(fs::Metadata::is_file).map(|data| data.len());
            inputs.push(Input { place: Place::File(path), bytes, relative });
        }
    }
    above.pop();
    Ok(())
}

/// A pipe, a socket or a device.
fn is_special(data: &fs::Metadata) -> bool {
    !data.is_file() && !data.is_dir()
}

/// Whether AWS laid it out for CloudTrail, load balancers and so on.
///
/// ```text
/// AWSLogs/{account}/vpcflowlogs/...                        plain
/// AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/...   Hive
/// ```
pub fn is_of_another_service(path: &Path) -> bool {
    let mut folders = path.components().filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    // An organization's logs have its id before the account.
    folders.any(|name| name == "AWSLogs")
        && !folders
            .any(|name| name.rsplit('=').next() == Some("vpcflowlogs") || name.contains("_vpcflowlogs_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_services_of_an_aws_layout_are_passed_over() {
        for (path, is_other) in [
            ("AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/01/02/a.log.gz", false),
            ("AWSLogs/aws-account-id=1/aws-service=vpcflowlogs/aws-region=x/a.log.parquet", false),
            ("AWSLogs/aws-account-id=1/service=vpcflowlogs/x/a.log.parquet", false),
            ("AWSLogs/o-abc/123456789012/vpcflowlogs/us-east-1/a.log.gz", false),
            ("AWSLogs/123456789012/CloudTrail/us-east-1/a.json.gz", true),
            ("AWSLogs/123456789012_vpcflowlogs_us-east-1_fl-1_x.log.gz", false),
            ("AWSLogs/notes.txt", true),
            ("logs/notes.txt", false),
        ] {
            assert_eq!(is_of_another_service(Path::new(path)), is_other, "{path}");
        }
    }

    #[test]
    fn folders_are_walked_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/2.log", "a.log", "b/1.log", ".hidden", "_SUCCESS", "c/aws-logs-write-test"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        std::os::unix::fs::symlink("..", folder.path().join("b/back")).unwrap();
        let root = folder.path().to_str().unwrap();
        let again = [root.to_owned(), format!("{root}/*.log"), format!("{root}/b/../a.log")];
        let found = find(&again).unwrap();
        let names: Vec<_> = found.iter().map(|input| input.relative.to_str().unwrap()).collect();
        assert_eq!(names, ["a.log", "b/1.log", "b/2.log"]);
        let missing = find(&[format!("{root}/c")]).unwrap_err().to_string();
        assert!(missing.ends_with("/c has no flow logs"), "{missing}");
    }
}
