//! What outlives the process: maps, links and the watch on drops, by name in a
//! folder of the BPF filesystem.
//!
//! ```text
//! /sys/fs/bpf/weir/<id>/   or, without a BPF filesystem there, /run/weir/bpf/<id>/
//!   weir_flows_0 …         the maps (bpf/maps.h)
//!   weir_names             which number is which interface
//!   weir_state             the running window; pinned last: with it the set is whole
//!   in-<n>, out-<n>        the links of interface number n
//!   drops, drops-program   the watch on drops
//! ```
//!
//! A process that is killed leaves all of it at work: packets are judged and
//! counted. The next one takes it over. A clean end removes it.

use crate::InterfaceNumber;
use crate::error::CaptureError;
use crate::privileges;
use crate::sys::pin;
use std::fs::{self, DirBuilder, File};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const SHARED: &str = "/sys/fs/bpf";
const OWN: &str = "/run/weir/bpf";

/// A folder of pins.
#[derive(Debug, Clone)]
pub(crate) struct Pins(PathBuf);

impl Pins {
    /// The folder for an id. Mounts a BPF filesystem if this machine has none.
    pub(crate) fn open(id: &str) -> Result<Self, CaptureError> {
        let shared = Path::new(SHARED);
        if pin::is_bpf_filesystem(shared) {
            let folder = shared.join("weir").join(id);
            // It is root's alone: another user has its own.
            if make(&folder).is_ok() {
                return Ok(Self(folder));
            }
        }
        let folder = Self::own_root()?.join(id);
        make(&folder)?;
        Ok(Self(folder))
    }

    fn own_root() -> Result<PathBuf, CaptureError> {
        let own = Path::new(OWN);
        if pin::is_bpf_filesystem(own) {
            return Ok(own.to_owned());
        }
        make(own)?;
        // Two that start at once must not mount twice.
        let lock = File::create(own.with_extension("lock"))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(CaptureError::doing(format!("lock {OWN}")))?;
        if !pin::is_bpf_filesystem(own) {
            privileges::with_all(|| pin::mount_bpf_filesystem(own))
                .map_err(CaptureError::doing(format!("mount a BPF filesystem on {OWN}")))?;
        }
        drop(lock);
        Ok(own.to_owned())
    }

    /// The folders of an id that exist, without making or mounting anything.
    fn existing(id: &str) -> Vec<Self> {
        [Path::new(SHARED).join("weir"), PathBuf::from(OWN)]
            .into_iter()
            .filter(|root| pin::is_bpf_filesystem(root))
            .map(|root| Self(root.join(id)))
            .filter(|pins| pins.0.is_dir())
            .collect()
    }

    pub(crate) fn put(&self, name: &str, object: impl AsFd) -> Result<(), CaptureError> {
        let path = self.0.join(name);
        // Of an earlier process that got no further.
        let _ = fs::remove_file(&path);
        pin::pin(object.as_fd(), &path).map_err(CaptureError::doing(format!("pin {}", path.display())))
    }

    pub(crate) fn get(&self, name: &str) -> Result<Option<OwnedFd>, CaptureError> {
        let path = self.0.join(name);
        pin::get(&path).map_err(CaptureError::doing(format!("open the pinned {}", path.display())))
    }

    pub(crate) fn remove(&self, name: &str) {
        let path = self.0.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, path = %path.display(), "cannot remove a pin");
            }
            _ => {}
        }
    }

    /// Removes everything: what hangs on no descriptor either is gone.
    pub(crate) fn clear(&self) {
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            if let Some(name) = entry.file_name().to_str() {
                self.remove(name);
            }
        }
        if let Err(error) = fs::remove_dir(&self.0) {
            tracing::debug!(%error, path = %self.0.display(), "the folder of pins stays");
        }
    }
}

pub(crate) fn link_names(number: InterfaceNumber) -> [String; 2] {
    [format!("in-{number}"), format!("out-{number}")]
}

fn make(folder: &Path) -> Result<(), CaptureError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(CaptureError::doing(format!("make the folder {}", folder.display())))
}

/// Takes everything off this machine's devices that a killed process with this
/// id left there. Says whether there was something.
///
/// Only for an id that no running process has.
pub fn remove_leftovers(id: &str) -> bool {
    let found = Pins::existing(id);
    for pins in &found {
        pins.clear();
    }
    !found.is_empty()
}
