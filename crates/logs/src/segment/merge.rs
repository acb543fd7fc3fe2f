//! Segments to fewer and larger ones, without what is gone; and their end.

use super::encode::Row;
use super::flush::OWN_ROWS;
use super::walk::{Selection, Walk, Wanted};
use super::writer::Writer;
use super::{Part, Scratch, Segment};
use crate::error::LogsError;
use crate::index::{Place, State};
use crate::record::{Record, SegmentsChange};
use crate::store::{Inner, lock, read_lock, write_lock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Rows of a segment that is large enough: half of it is not merged again.
const MERGED_ROWS: u64 = if cfg!(test) { 120 } else { 4 << 20 };
/// So many small ones are worth a merge.
const MERGED_FROM: usize = 4;
const MERGED_AT_ONCE: usize = 32;

/// What went.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dropped {
    pub segments: usize,
    pub rows: u64,
    pub bytes: u64,
}

impl Inner {
    /// Merges small segments of a day and group until there are few.
    pub fn merge(&self) -> Result<(), LogsError> {
        let upkeep = lock(&self.upkeep);
        loop {
            let small = small(&read_lock(&self.committer.state));
            if small.is_empty() {
                break;
            }
            self.rewrite(&small)?;
        }
        drop(upkeep);
        Ok(())
    }

    /// Removes segments of which all is gone, and writes those anew of which
    /// the larger part is. The caller holds `upkeep`.
    pub(crate) fn drop_segments(&self) -> Result<Dropped, LogsError> {
        let mut dropped = Dropped::default();
        let (segments, thinned) = {
            let state = read_lock(&self.committer.state);
            let segments: Vec<Arc<Segment>> = state.segments.values().cloned().collect();
            (segments, state.thinned.clone())
        };
        for segment in segments {
            let mut live = {
                let state = read_lock(&self.committer.state);
                let live = segment.meta.parts.iter().filter(|part| !is_gone(&state, part));
                live.map(|part| part.rows).sum::<u64>()
            };
            if live > 0 && thinned.contains(&segment.meta.id) {
                let footer = segment.footer()?;
                let state = read_lock(&self.committer.state);
                let streams = footer.streams.iter().filter(|stream| state.streams.contains_key(&stream.id));
                live = live.min(streams.map(|stream| stream.rows).sum());
                drop(state);
                write_lock(&self.committer.state).thinned.remove(&segment.meta.id);
            }
            let rows = segment.meta.rows();
            if live * 2 <= rows {
                let written = self.rewrite(std::slice::from_ref(&segment))?;
                dropped.rows += rows - written.rows.min(rows);
                dropped.bytes += segment.meta.bytes.saturating_sub(written.bytes);
                dropped.segments += usize::from(written.segments == 0);
            }
        }
        Ok(dropped)
    }

    /// One segment, or none, in place of these. What is gone is left out.
    fn rewrite(&self, old: &[Arc<Segment>]) -> Result<Dropped, LogsError> {
        let mut change = SegmentsChange {
            gone: old.iter().map(|segment| segment.meta.id).collect(),
            ..SegmentsChange::default()
        };
        let mut gained: BTreeMap<u64, i64> = BTreeMap::new();
        for segment in old {
            for stream in &segment.footer()?.streams {
                *gained.entry(stream.id).or_default() -= stream.bytes as i64;
            }
        }
        let mut written = Dropped::default();
        if let Some((meta, parts)) = self.write_merged(old)? {
            for part in parts {
                *gained.entry(part.id).or_default() += part.bytes as i64;
            }
            written = Dropped { segments: 1, rows: meta.rows(), bytes: meta.bytes };
            change.added.push(meta);
        }
        let (added, gone) = (change.added.clone(), change.gone.clone());
        change.streams = gained.into_iter().filter(|(_, bytes)| *bytes != 0).collect();
        if let Err(error) = self.change(move |_| Ok(vec![Record::Segments(change)])) {
            self.discard(&added);
            return Err(error);
        }
        self.cache.forget(&gone);
        Ok(written)
    }

    fn write_merged(
        &self,
        old: &[Arc<Segment>],
    ) -> Result<Option<(super::SegmentMeta, Vec<super::footer::StreamPart>)>, LogsError> {
        let Some(first) = old.first() else { return Ok(None) };
        let groups: BTreeSet<u64> =
            old.iter().flat_map(|segment| segment.meta.parts.iter().map(|part| part.group)).collect();
        let id = self.next_segment.fetch_add(1, Ordering::Relaxed);
        let mut writer: Option<Writer> = None;
        let mut room = Scratch::default();
        for group in groups {
            let Some((names, expired)) = ({
                let state = read_lock(&self.committer.state);
                state.groups.get(&group).map(|group| (group.stream_names.clone(), group.meta.expired.clone()))
            }) else {
                continue;
            };
            let streams = names.len();
            let wanted = Wanted {
                group,
                streams: Selection::All(names),
                after: Place::FIRST,
                before: Place { timestamp: i64::MAX, sequence: u64::MAX },
                expired,
                after_sequence: 0,
                pattern: None,
            };
            let mut walk = Walk::new(old.iter().cloned(), wanted, None, true);
            let mut begun = false;
            while let Some(found) = walk.next()? {
                let writer = match &mut writer {
                    Some(writer) => writer,
                    None => {
                        let new = Writer::new(self.files.as_ref(), id, first.meta.day);
                        writer.insert(new.map_err(LogsError::write)?)
                    }
                };
                if !begun {
                    writer.group(group, streams).map_err(LogsError::write)?;
                    begun = true;
                }
                let text = found.text(&mut room)?;
                let Place { timestamp, sequence } = found.place;
                let (stream, ingestion) = (found.block.stream(found.row), found.block.ingestion(found.row)?);
                let row = Row { stream, timestamp, sequence, ingestion, start: 0, length: 0 };
                writer.push(row, text).map_err(LogsError::write)?;
            }
        }
        match writer {
            Some(writer) => writer.finish().map_err(LogsError::write),
            None => Ok(None),
        }
    }
}

/// Whether no event of a part is readable any more, whatever happens.
fn is_gone(state: &State, part: &Part) -> bool {
    state.groups.get(&part.group).is_none_or(|group| group.meta.is_expired(part.last, part.last_sequence))
}

/// Segments to be merged into one; none if there is nothing to gain.
fn small(state: &State) -> Vec<Arc<Segment>> {
    let mut alike: BTreeMap<(i64, u64), Vec<Arc<Segment>>> = BTreeMap::new();
    for segment in state.segments.values().filter(|segment| segment.meta.rows() < MERGED_ROWS / 2) {
        let owner = match segment.meta.parts.as_slice() {
            [part] if part.rows >= OWN_ROWS => part.group,
            _ => 0,
        };
        alike.entry((segment.meta.day, owner)).or_default().push(segment.clone());
    }
    for segments in alike.into_values() {
        let mut rows = 0;
        let fits = segments.iter().take(MERGED_AT_ONCE).take_while(|segment| {
            rows += segment.meta.rows();
            rows <= MERGED_ROWS
        });
        let count = fits.count();
        if count >= MERGED_FROM {
            return segments.into_iter().take(count).collect();
        }
    }
    Vec::new()
}
