//! Rows of one group from many segments, in order of time, forward or backward.
//!
//! Segments and blocks are opened when the walk comes to their time, and not at
//! all if their bounds say that nothing in them is wanted.

use super::matching;
use super::{Block, Cache, Placed, Scratch, Segment};
use crate::error::LogsError;
use crate::index::{Place, StreamNames};
use crate::pattern::Pattern;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

/// Which streams are wanted.
#[derive(Clone)]
pub(crate) enum Selection {
    /// All that the group has.
    All(Arc<StreamNames>),
    /// Sorted.
    Only(Vec<u64>),
}

impl Selection {
    fn has(&self, stream: u64) -> bool {
        match self {
            Self::All(names) => names.contains_key(&stream),
            Self::Only(ids) => ids.binary_search(&stream).is_ok(),
        }
    }
}

/// What is wanted of a group.
pub(crate) struct Wanted<'a> {
    pub group: u64,
    pub streams: Selection,
    /// Places before the first, and behind the last.
    pub after: Place,
    pub before: Place,
    /// See `GroupMeta::expired`.
    pub expired: Vec<(i64, u64)>,
    pub after_sequence: u64,
    pub pattern: Option<&'a Pattern>,
}

impl Wanted<'_> {
    fn overlaps(&self, first: i64, last: i64, last_sequence: u64) -> bool {
        let lasting = !self.expired.iter().any(|&(before, until)| last < before && last_sequence < until);
        lasting
            && last >= self.after.timestamp
            && first <= self.before.timestamp
            && last_sequence > self.after_sequence
    }
}

/// A row, in its block.
pub(crate) struct Found {
    pub place: Place,
    pub block: Arc<Block>,
    pub row: usize,
    run: u32,
}

impl Found {
    /// The message, for readers of many.
    pub fn text<'a>(&'a self, room: &'a mut Scratch) -> Result<&'a str, LogsError> {
        self.block.text_of(Placed { place: self.place, row: self.row as u32, run: self.run }, room)
    }
}

pub(crate) struct Walk<'a> {
    wanted: Wanted<'a>,
    cache: Option<&'a Cache>,
    forward: bool,
    /// Not opened yet: by the earliest time that may be in them.
    ahead: BinaryHeap<Reverse<(i64, usize)>>,
    items: Vec<Item>,
    open: Vec<Option<Open>>,
    /// What is left for [`Walk::next`].
    stretch: Option<Stretch>,
    heads: BinaryHeap<Reverse<((i64, i64), usize)>>,
    /// Rows that may still be read.
    budget: usize,
    stopped: Option<Place>,
}

enum Item {
    Segment(Arc<Segment>),
    Block(Arc<Segment>, usize),
}

/// A block that the walk has come to, with the rows that are left.
struct Open {
    block: Arc<Block>,
    /// In order of time; `None` is [`Block::order`].
    listed: Option<Arc<Vec<Placed>>>,
    left: Range<usize>,
}

impl Open {
    fn rows(&self) -> &[Placed] {
        let rows = self.listed.as_ref().map_or_else(|| self.block.order(), |rows| rows.as_slice());
        &rows[self.left.clone()]
    }

    fn head(&self, forward: bool) -> Option<Place> {
        let rows = self.rows();
        if forward { rows.first() } else { rows.last() }.map(|placed| placed.place)
    }
}

/// Rows of one block that follow each other in the walk, with none of another
/// block between them.
pub(crate) struct Stretch(Open);

impl Stretch {
    pub fn block(&self) -> &Arc<Block> {
        &self.0.block
    }

    /// In order of time, also when the walk is backward.
    pub fn rows(&self) -> &[Placed] {
        self.0.rows()
    }

    /// Leaves out the first rows.
    pub fn advance(&mut self, rows: usize) {
        self.0.left.start += rows;
    }

    fn pop(&mut self, forward: bool) -> Option<Found> {
        let rows = self.rows();
        let Placed { place, row, run } = *if forward { rows.first() } else { rows.last() }?;
        if forward {
            self.0.left.start += 1;
        } else {
            self.0.left.end -= 1;
        }
        Some(Found { place, block: self.0.block.clone(), row: row as usize, run })
    }
}

impl<'a> Walk<'a> {
    pub fn new(
        segments: impl IntoIterator<Item = Arc<Segment>>,
        wanted: Wanted<'a>,
        cache: Option<&'a Cache>,
        forward: bool,
    ) -> Self {
        let mut walk = Self {
            wanted,
            cache,
            forward,
            ahead: BinaryHeap::new(),
            items: Vec::new(),
            open: Vec::new(),
            stretch: None,
            heads: BinaryHeap::new(),
            budget: usize::MAX,
            stopped: None,
        };
        for segment in segments {
            let Some(part) = segment.meta.part(walk.wanted.group).copied() else { continue };
            if walk.wanted.overlaps(part.first, part.last, part.last_sequence) {
                walk.put_ahead(part.first, part.last, Item::Segment(segment));
            }
        }
        walk
    }

    /// Reads no more than about so many rows, if it comes forward by them.
    pub fn at_most(mut self, rows: usize) -> Self {
        self.budget = rows;
        self
    }

    /// After the last row: every row up to this place was dealt with, but not
    /// all that follow. `None`: no row follows.
    pub fn stopped(&self) -> Option<Place> {
        self.stopped
    }

    fn put_ahead(&mut self, first: i64, last: i64, item: Item) {
        let time = if self.forward { first } else { last.saturating_neg() };
        self.ahead.push(Reverse((time, self.items.len())));
        self.items.push(item);
    }

    fn key(&self, place: Place) -> (i64, i64) {
        let (time, sequence) = (place.timestamp, place.sequence as i64);
        if self.forward { (time, sequence) } else { (time.saturating_neg(), -sequence) }
    }

    /// The next row.
    pub fn next(&mut self) -> Result<Option<Found>, LogsError> {
        loop {
            if let Some(found) = self.stretch.as_mut().and_then(|stretch| stretch.pop(self.forward)) {
                return Ok(Some(found));
            }
            self.stretch = self.next_stretch()?;
            if self.stretch.is_none() {
                return Ok(None);
            }
        }
    }

    /// The next rows: as many as come before every row of another block. Not
    /// to be mixed with [`Walk::next`].
    pub fn next_stretch(&mut self) -> Result<Option<Stretch>, LogsError> {
        loop {
            let ahead = self.ahead.peek().map(|Reverse(ahead)| *ahead);
            if let Some(&Reverse((key, index))) = self.heads.peek()
                && ahead.is_none_or(|(time, _)| key.0 < time)
            {
                self.heads.pop();
                return Ok(self.take(index, ahead.map(|(time, _)| time)));
            }
            let Some((time, item)) = ahead else { return Ok(None) };
            let here = Place { timestamp: time, sequence: 0 };
            if self.budget == 0 && self.forward && here > self.wanted.after {
                self.stopped = Some(here);
                return Ok(None);
            }
            self.ahead.pop();
            match &self.items[item] {
                Item::Segment(segment) => {
                    let segment = segment.clone();
                    self.open_segment(&segment)?;
                }
                Item::Block(segment, index) => {
                    let (segment, index) = (segment.clone(), *index);
                    self.open_block(&segment, index)?;
                }
            }
        }
    }

    /// Of the block with the first row: all rows before those of other blocks,
    /// and before the time of what is not opened yet.
    fn take(&mut self, index: usize, ahead: Option<i64>) -> Option<Stretch> {
        let other = self.heads.peek().map(|Reverse((key, _))| *key);
        let mut open = self.open.get_mut(index)?.take()?;
        let rows = open.rows();
        let is_before = |placed: &Placed| {
            let key = self.key(placed.place);
            other.is_none_or(|other| key < other) && ahead.is_none_or(|time| key.0 < time)
        };
        let count = if self.forward {
            leading(rows.len(), |i| is_before(&rows[i]))
        } else {
            leading(rows.len(), |i| is_before(&rows[rows.len() - 1 - i]))
        };
        let Range { start, end } = open.left;
        let (taken, left) = if self.forward {
            (start..start + count, start + count..end)
        } else {
            (end - count..end, start..end - count)
        };
        let stretch = Open { block: open.block.clone(), listed: open.listed.clone(), left: taken };
        if !left.is_empty() {
            open.left = left;
            if let Some(head) = open.head(self.forward) {
                self.heads.push(Reverse((self.key(head), index)));
                self.open[index] = Some(open);
            }
        }
        Some(Stretch(stretch))
    }

    fn open_segment(&mut self, segment: &Arc<Segment>) -> Result<(), LogsError> {
        let footer = segment.footer()?;
        let mut wanted = true;
        if let Selection::Only(ids) = &self.wanted.streams {
            wanted = ids.iter().any(|id| {
                footer.stream(*id).is_some_and(|stream| {
                    stream.last >= self.wanted.after.timestamp && stream.first <= self.wanted.before.timestamp
                })
            });
        }
        if !wanted {
            return Ok(());
        }
        for (index, block) in footer.blocks.iter().enumerate() {
            if block.group == self.wanted.group
                && self.wanted.overlaps(block.first, block.last, block.last_sequence)
            {
                self.put_ahead(block.first, block.last, Item::Block(segment.clone(), index));
            }
        }
        Ok(())
    }

    fn open_block(&mut self, segment: &Arc<Segment>, index: usize) -> Result<(), LogsError> {
        let block = match self.cache {
            Some(cache) => cache.block(segment, index)?,
            None => Arc::new(Block::open(segment, index)?),
        };
        let (listed, left) = match self.ordered(&block) {
            Some(range) => (None, range),
            None => {
                let rows = self.listed(&block)?;
                let all = 0..rows.len();
                (Some(Arc::new(rows)), all)
            }
        };
        let open = Open { block, listed, left };
        if let Some(head) = open.head(self.forward) {
            self.heads.push(Reverse((self.key(head), self.open.len())));
            self.open.push(Some(open));
        }
        Ok(())
    }

    /// The rows that are wanted, if they are a stretch of time with all that is in it.
    fn ordered(&self, block: &Block) -> Option<Range<usize>> {
        let Wanted { after, before, after_sequence, pattern, streams, .. } = &self.wanted;
        let whole = pattern.is_none()
            && matches!(streams, Selection::All(_))
            && *after_sequence < block.meta().first_sequence
            && !self.expires(block)
            && block.runs().all(|(stream, _)| streams.has(stream));
        whole.then(|| {
            let order = block.order();
            let start = order.partition_point(|placed| placed.place <= *after);
            start..order.partition_point(|placed| placed.place < *before).max(start)
        })
    }

    fn listed(&mut self, block: &Block) -> Result<Vec<Placed>, LogsError> {
        let mut rows = self.select(block);
        self.budget = self.budget.saturating_sub(rows.len());
        if let Some(pattern) = self.wanted.pattern {
            rows = matching::matching(block, pattern, rows)?;
        }
        let mut rows: Vec<Placed> = rows.into_iter().map(|row| block.placed(row)).collect();
        rows.sort_unstable_by_key(|placed| placed.place);
        Ok(rows)
    }

    fn expires(&self, block: &Block) -> bool {
        let meta = block.meta();
        let mut expired = self.wanted.expired.iter();
        expired.any(|&(before, until)| meta.first < before && meta.first_sequence < until)
    }

    /// The rows that are wanted, whatever the pattern; in the block's order.
    fn select(&self, block: &Block) -> Vec<u32> {
        let Wanted { after, before, expired, after_sequence, .. } = &self.wanted;
        let meta = block.meta();
        let all = meta.first > after.timestamp && meta.last < before.timestamp;
        let mut rows = Vec::new();
        let mut add = |run: Range<usize>| {
            let (mut start, mut end) = (run.start, run.end);
            if !all {
                start = first(run.clone(), |row| block.place(row) > *after);
                end = first(start..run.end, |row| block.place(row) >= *before);
            }
            if *after_sequence >= meta.first_sequence {
                let wanted = |row: &usize| block.sequence(*row) > *after_sequence;
                rows.extend((start..end).filter(wanted).map(|row| row as u32));
            } else {
                rows.extend(start as u32..end as u32);
            }
        };
        match &self.wanted.streams {
            Selection::Only(ids) if ids.len() < 4 => {
                ids.iter().filter_map(|id| block.run(*id)).for_each(&mut add);
            }
            streams => {
                for (stream, run) in block.runs() {
                    if streams.has(stream) {
                        add(run);
                    }
                }
            }
        }
        if self.expires(block) {
            let gone = |place: Place| {
                expired.iter().any(|&(before, until)| place.timestamp < before && place.sequence < until)
            };
            rows.retain(|row| !gone(block.place(*row as usize)));
        }
        rows
    }
}

/// How many of the first of so many rows a test holds for, which holds for no
/// row behind one that it does not hold for. At least one row is counted.
fn leading(rows: usize, holds: impl Fn(usize) -> bool) -> usize {
    let mut step = 1;
    while step < rows && holds(step) {
        step *= 2;
    }
    first(step / 2 + 1..step.min(rows), |row| !holds(row)).min(rows)
}

/// The first row of a range for which a test holds that holds for all behind it.
fn first(mut rows: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    while rows.start < rows.end {
        let middle = rows.start + rows.len() / 2;
        if holds(middle) {
            rows.end = middle;
        } else {
            rows.start = middle + 1;
        }
    }
    rows.start
}
