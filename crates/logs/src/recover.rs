//! Opening: replays the log files in order, cuts a torn tail, refuses damage.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::StoreError;
use crate::files::Files;
use crate::index::{LiveFile, State};
use crate::record::{Record, decode};
use crate::segment;
use crate::wal::{Wal, file_name, file_number, read_file, remove_temporary};

/// The state that the files hold, and the log to go on with.
pub(crate) fn recover(files: Arc<dyn Files>, file_bytes: u64) -> Result<(State, Wal), StoreError> {
    let io = |doing, name: &str| {
        let path = files.path(name);
        move |source| StoreError::Io { doing, path, source }
    };
    let names = files.list().map_err(io("list", ""))?;
    remove_temporary(files.as_ref(), &names)?;
    // It may have died between a rename and its sync, too.
    files.sync_names().map_err(io("sync", ""))?;
    let numbers: BTreeSet<u32> = names.iter().filter_map(|name| file_number(name)).collect();

    let mut state = State::new(files.clone());
    let mut expected = BTreeSet::new();
    let mut end_of_log = None;
    for &number in &numbers {
        let name = file_name(number);
        let path = files.path(&name);
        let last = numbers.last() == Some(&number);
        let file = files.open(&name).map_err(io("open", &name))?;
        state.files.insert(number, LiveFile::new(file.clone()));
        let read = read_file(file.as_ref(), &path, number, last, |offset, body| {
            let records = decode(body).ok_or("a record does not have a known form")?;
            for record in &records {
                match record {
                    Record::Snapshot { files, .. } => expected = files.iter().copied().collect(),
                    Record::FilesGone(gone) => gone.iter().for_each(|n| _ = expected.remove(n)),
                    _ => {}
                }
            }
            state.apply(records, number, offset)
        })?;
        if read.torn > 0 {
            tracing::warn!(
                file = path,
                offset = read.end,
                bytes = read.torn,
                "cut off a write that was interrupted; nothing acknowledged was in it"
            );
            file.truncate(read.end).map_err(io("truncate", &name))?;
        }
        if last {
            // The writer may have died between a write and its sync. What is
            // shown or acknowledged as a repetition from now on must be durable.
            file.sync_all().map_err(io("sync", &name))?;
        }
        end_of_log = Some((number, file, read));
    }
    if let Some(missing) = expected.difference(&numbers).next() {
        return Err(StoreError::Missing { file: files.path(&file_name(*missing)) });
    }
    // A crash fell between the record that a file is gone and its removal.
    for number in numbers.difference(&expected) {
        let name = file_name(*number);
        state.files.remove(number);
        files.remove(&name).map_err(io("remove", &name))?;
    }
    for id in state.segments.keys() {
        let name = segment::file_name(*id);
        if !names.contains(&name) {
            return Err(StoreError::Missing { file: files.path(&name) });
        }
    }
    // A crash fell between a segment and the record that names it, or between
    // the record that it is gone and its removal.
    for name in &names {
        let unnamed = segment::file_id(name).is_some_and(|id| !state.segments.contains_key(&id));
        if unnamed || name == segment::TEMPORARY {
            files.remove(name).map_err(io("remove", name))?;
        }
    }
    state.is_open = true;
    Ok((state, Wal::new(files, file_bytes, end_of_log)))
}
