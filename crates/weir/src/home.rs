//! The data folder: where `weir serve` keeps everything, and where the other
//! commands find its endpoint and keys.
//!
//! ```text
//! DATA-DIR/              0700
//!   state.db             the account's state (SQLite), unless it is in PostgreSQL
//!   host-id              which of the servers on one PostgreSQL this is
//!   logs/                the log store
//!   metrics/             data points and alarms
//!   subscriptions/       how far subscriptions are, and their dead letters
//!   spool/               windows of records not yet acknowledged
//!   streams/             records of delivery streams not yet delivered
//!   root-access-key      0600, JSON: access_key_id, secret_access_key
//!   endpoint             JSON: url, region, account_id of the running server
//!   lock                 held by the running server; its process id
//! ```

use crate::commands::HintExt;
use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A data folder.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

/// What other commands need to find a running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub url: String,
    pub region: String,
    pub account_id: String,
}

/// The account root's access key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootAccessKey {
    pub access_key_id: String,
    pub secret_access_key: String,
}

/// Where the data folder is when none is given: `/var/lib/weir` for root,
/// `$XDG_DATA_HOME/weir` or `~/.local/share/weir` for others.
pub fn default_dir() -> PathBuf {
    // /proc/self belongs to the effective user.
    let uid = fs::metadata("/proc/self").map(|process| process.uid());
    if matches!(uid, Ok(0)) {
        return PathBuf::from("/var/lib/weir");
    }
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    base.unwrap_or_else(std::env::temp_dir).join("weir")
}

impl std::fmt::Debug for RootAccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RootAccessKey").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Home {
    /// The folder at `path`, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the folder, readable by its owner only, and those in it that hold
    /// records. One that holds other things too keeps its mode: it may be
    /// somebody's home.
    pub fn create(&self) -> Result<()> {
        let folder = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        let shown = self.0.display();
        folder(&self.0).with_context(|| format!("cannot make the data folder {shown}"))?;
        let mut inside =
            fs::read_dir(&self.0).with_context(|| format!("cannot list the data folder {shown}"))?;
        if inside.next().is_none() || self.holds_state() {
            fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700))
                .with_context(|| format!("cannot close the data folder {shown} to others"))
                .hint("the folder has to belong to the user that runs weir: chown it, or name another one with --data-dir")?;
        }
        for path in [self.logs(), self.spool()] {
            folder(&path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        Ok(())
    }

    /// Whether a server has kept its state here.
    pub fn holds_state(&self) -> bool {
        self.0.join("state.db").exists()
    }

    /// Keeps other servers away from the folder until the file is closed.
    ///
    /// # Errors
    /// Another process has it.
    pub fn lock(&self) -> Result<fs::File> {
        let path = self.0.join("lock");
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let shown = self.0.display();
                return Err(anyhow!(
                    "the data folder {shown} is in use by another weir serve (process {holder})"
                ))
                .hint("stop it, or choose another folder with --data-dir");
            }
            Err(fs::TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(file)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The state's file, made readable by its owner only: it holds secret keys.
    /// SQLite gives the files beside it the same mode.
    pub fn state(&self) -> Result<PathBuf> {
        let path = self.0.join("state.db");
        let made = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        made.with_context(|| format!("cannot open {}", path.display()))?;
        Ok(path)
    }

    /// What tells this server's host from those of other servers that share its
    /// state; drawn at the first start.
    pub fn host_id(&self) -> Result<String> {
        if self.0.join("host-id").exists() {
            return self.read("host-id");
        }
        let id = format!("{:016x}", weir_control::random::bits()?);
        self.write("host-id", 0o600, &serde_json::to_string(&id)?)?;
        Ok(id)
    }

    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    pub fn objects(&self) -> PathBuf {
        self.0.join("objects")
    }

    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics")
    }

    pub fn subscriptions(&self) -> PathBuf {
        self.0.join("subscriptions")
    }

    pub fn streams(&self) -> PathBuf {
        self.0.join("streams")
    }

    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    pub fn write_endpoint(&self, endpoint: &Endpoint) -> Result<()> {
        self.write("endpoint", 0o600, &serde_json::to_string(endpoint)?)
    }

    pub fn read_endpoint(&self) -> Result<Endpoint> {
        self.read("endpoint")
    }

    /// Told at the server's end, so that nobody looks for it.
    pub fn remove_endpoint(&self) {
        if let Err(error) = fs::remove_file(self.0.join("endpoint")) {
            tracing::debug!(%error, "no endpoint file to remove");
        }
    }

    pub fn write_root_access_key(&self, key: &RootAccessKey) -> Result<()> {
        self.write("root-access-key", 0o600, &serde_json::to_string(key)?)
    }

    pub fn read_root_access_key(&self) -> Result<RootAccessKey> {
        self.read("root-access-key")
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T> {
        let path = self.0.join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Written beside and renamed, so that a reader never sees half of it.
    fn write(&self, name: &str, mode: u32, text: &str) -> Result<()> {
        let path = self.0.join(name);
        let beside = self.0.join(format!(".{name}.new"));
        let write = || -> std::io::Result<()> {
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_folder_are_readable_by_the_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("data"));
        home.create().unwrap();
        let key = RootAccessKey { access_key_id: "AKIA".into(), secret_access_key: "secret".into() };
        home.write_root_access_key(&key).unwrap();
        assert!(home.read_root_access_key().unwrap() == key);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(home.path()), 0o700);
        assert_eq!(mode(&home.path().join("root-access-key")), 0o600);
    }

    #[test]
    fn a_folder_that_holds_other_things_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for (file, expected) in [("letters.txt", 0o755), ("state.db", 0o700)] {
            let home = Home::at(dir.path().join(file));
            fs::create_dir(home.path()).unwrap();
            fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
            fs::write(home.path().join(file), "").unwrap();
            home.create().unwrap();
            assert_eq!(
                (mode(home.path()), mode(&home.spool()), mode(&home.logs())),
                (expected, 0o700, 0o700)
            );
        }
    }

    #[test]
    fn one_server_has_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        let held = home.lock().unwrap();
        let refused = home.lock().unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(held);
        home.lock().unwrap();
    }

    #[test]
    fn a_missing_server_is_named() {
        let home = Home::at("/nonexistent/weir");
        assert!(home.read_endpoint().unwrap_err().to_string().contains("/nonexistent/weir/endpoint"));
    }
}
