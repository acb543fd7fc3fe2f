//! Files that go to their destination as one: which ones is written down before
//! the first byte is sent, so that a repeat sends the very same.
//!
//! ```text
//! 001418530080-00c0ffee00c0ffee.spool ┐
//! 001418530140-00c0ffee00c0ffee.spool ┴ 001418530080-00c0ffee00c0ffee.plan    to be sent, or sent again
//!                                       001418530080-00c0ffee00c0ffee.done    acknowledged: the files go
//! ```
//!
//! A crash before `.done` repeats the same files, hence the same objects under
//! the same names; a crash after it sends none of them again.

use super::{Index, Key, Spool, SpoolEntry, SpoolError, SpoolFile, io_error, part_of_keys, sync_dir};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use weir_types::id::FlowLogId;

/// Files of one flow log that are sent together, in window order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) flow_log: FlowLogId,
    pub(super) keys: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
struct OnDisk {
    weir_plan: u32,
    files: Vec<String>,
}

impl Plan {
    fn stem(&self) -> String {
        self.keys.first().map(|key| key.stem()).unwrap_or_default()
    }
}

impl Spool {
    /// The files of a flow log with their sizes in bytes, in window order.
    pub fn files(&self, flow_log: &FlowLogId) -> Vec<(SpoolEntry, u64)> {
        let index = self.lock();
        let files = index.logs.get(flow_log).into_iter().flatten();
        let entry = |(&key, slot): (&Key, &super::Slot)| {
            let entry = SpoolEntry { flow_log: flow_log.clone(), key, generation: slot.generation };
            (entry, slot.bytes)
        };
        files.map(entry).collect()
    }

    /// The plan that was made and not acknowledged.
    pub fn planned(&self, flow_log: &FlowLogId) -> Option<Plan> {
        let keys = self.lock().plans.get(flow_log)?.clone();
        Some(Plan { flow_log: flow_log.clone(), keys })
    }

    /// Writes down that these files go together. An earlier plan of the flow
    /// log stands until it is acknowledged.
    pub fn plan(&self, flow_log: &FlowLogId, entries: &[SpoolEntry]) -> Result<Plan, SpoolError> {
        if let Some(plan) = self.planned(flow_log) {
            return Ok(plan);
        }
        let keys: Vec<Key> = entries.iter().map(|entry| entry.key).collect();
        let plan = Plan { flow_log: flow_log.clone(), keys: keys.clone() };
        let on_disk = OnDisk { weir_plan: 1, files: keys.iter().map(|key| key.file_name()).collect() };
        // A Vec and these types cannot fail.
        let bytes = serde_json::to_vec(&on_disk).unwrap_or_default();
        let folder = self.folder(flow_log);
        let temporary = folder.join(format!("{}.plan.tmp", plan.stem()));
        self.write_temporary(&folder, &temporary, &bytes)?;
        let path = folder.join(format!("{}.plan", plan.stem()));
        let mut index = self.lock();
        if index.forgotten.contains(flow_log) {
            drop(fs::remove_file(&temporary));
            drop(fs::remove_dir(&folder));
            return Ok(plan);
        }
        self.step("rename a temporary file to", &path)?;
        fs::rename(&temporary, &path).map_err(io_error("rename a temporary file to", &path))?;
        index.plans.insert(flow_log.clone(), keys);
        sync_dir(&folder)?;
        Ok(plan)
    }

    /// The records of all files of a plan, as one file whose part is the plan's
    /// own. `None` if nothing can be read any more.
    pub fn read_plan(&self, plan: &Plan) -> Result<Option<SpoolFile>, SpoolError> {
        let mut whole: Option<SpoolFile> = None;
        for &key in &plan.keys {
            let generation = self.lock().slot(&plan.flow_log, key).map(|slot| slot.generation);
            let Some(generation) = generation else { continue };
            let entry = SpoolEntry { flow_log: plan.flow_log.clone(), key, generation };
            let Some(file) = self.read(&entry)? else { continue };
            match &mut whole {
                None => whole = Some(file),
                Some(whole) => {
                    whole.header.window_start_s = whole.header.window_start_s.min(file.header.window_start_s);
                    whole.header.window_end_s = whole.header.window_end_s.max(file.header.window_end_s);
                    whole.streams.extend(file.streams);
                }
            }
        }
        if let Some(whole) = &mut whole {
            whole.header.part = part_of_keys(&plan.keys);
            whole.header.skipped = None;
        }
        Ok(whole)
    }

    /// The plan's records were acknowledged: its files go, whatever happens
    /// from here on.
    pub fn acknowledge(&self, plan: &Plan) -> Result<(), SpoolError> {
        let folder = self.folder(&plan.flow_log);
        let (path, done) =
            (folder.join(format!("{}.plan", plan.stem())), folder.join(format!("{}.done", plan.stem())));
        let mut index = self.lock();
        if index.forgotten.contains(&plan.flow_log) {
            return Ok(());
        }
        self.step("rename", &path)?;
        fs::rename(&path, &done).map_err(io_error("rename", &path))?;
        index.plans.remove(&plan.flow_log);
        for &key in &plan.keys {
            index.remove(&plan.flow_log, key);
        }
        sync_dir(&folder)?;
        self.remove_done(&folder, &done, &plan.keys)
    }

    fn remove_done(&self, folder: &Path, done: &Path, keys: &[Key]) -> Result<(), SpoolError> {
        for path in keys.iter().map(|key| folder.join(key.file_name())).chain([done.to_owned()]) {
            self.step("remove", &path)?;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(SpoolError::Io { operation: "remove", path, source: error });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What an earlier process has planned, and what it had acknowledged.
pub(super) fn recover(
    index: &mut Index,
    flow_log: &FlowLogId,
    folder: &Path,
    path: &Path,
) -> Result<(), SpoolError> {
    let bytes = fs::read(path).map_err(io_error("read", path))?;
    let keys = serde_json::from_slice::<OnDisk>(&bytes).ok().filter(|plan| plan.weir_plan == 1);
    let keys = keys.and_then(|plan| plan.files.iter().map(|name| Key::from_file_name(name)).collect());
    let Some(keys): Option<Vec<Key>> = keys else {
        return super::set_aside(path, "it is not a plan of this version");
    };
    if path.extension().is_some_and(|ending| ending == "plan") {
        index.plans.insert(flow_log.clone(), keys);
        return Ok(());
    }
    for key in keys {
        let file = folder.join(key.file_name());
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(SpoolError::Io { operation: "remove", path: file, source: error });
            }
            _ => index.remove(flow_log, key),
        }
    }
    fs::remove_file(path).map_err(io_error("remove", path))
}
