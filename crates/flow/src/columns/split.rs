//! Finds the separators of a chunk of text at once.
//!
//! ```text
//! text    2 unknown eni-1 - OK\n3 ...
//! stops ^  ^       ^     ^ ^  ^  ^        ends[0] is one before the first byte
//! lines                       ^           how many stops there are up to its newline: 5
//! ```
//!
//! 64 bytes become a bit mask, and the bits of a mask become offsets. A value
//! lies between two stops, so that value `f` of the line that begins after
//! stop `k` is `stops[k + f] + 1 .. stops[k + f + 1]`, without looking at it.

use fearless_simd::{Level, prelude::*, u8x64};

/// Where the spaces and newlines of a chunk are.
#[derive(Default)]
pub(super) struct Stops {
    stops: Vec<u32>,
    /// For each line, the index in `stops` of the newline that ends it.
    lines: Vec<u32>,
    /// How many of `lines` there are; what lies after them means nothing.
    line_count: usize,
    is_plain: bool,
}

impl Stops {
    /// Reads a chunk of whole lines; the last one may have no newline.
    ///
    /// Invariant: the chunk is shorter than 4 GiB. `width` is how many values a
    /// line should have.
    #[inline(always)]
    pub(super) fn find<S: Simd>(&mut self, simd: S, chunk: &[u8], width: u32) {
        // Room for a stop at every byte, one at each end, the overhang of the
        // last mask and a line more.
        let room = chunk.len() + 2 + 64 + width as usize;
        if self.stops.len() < room {
            self.stops = vec![0; room];
        }
        if self.lines.len() < room {
            self.lines = vec![0; room];
        }
        self.line_count = 0;
        let mut found = 0;
        if let Some(before_first) = self.stops.first_mut() {
            *before_first = u32::MAX;
            found = 1;
        }
        let mut odd = 0;
        let mut offset = 0;
        let (words, rest) = chunk.as_chunks::<64>();
        for word in words {
            self.add(simd, word, offset, &mut found, &mut odd);
            offset += 64;
        }
        if !rest.is_empty() {
            let mut word = [b'.'; 64];
            word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            self.add(simd, &word, offset, &mut found, &mut odd);
        }
        if chunk.last().is_some_and(|&last| last != b'\n')
            && let Some(stop) = self.stops.get_mut(found)
        {
            *stop = chunk.len() as u32;
            self.add_line(found as u32, true);
        }
        self.is_plain = odd == 0;
    }

    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, word: &[u8; 64], offset: u32, found: &mut usize, odd: &mut u64) {
        let bytes = u8x64::from_slice(simd, word);
        let newline = bytes.simd_eq(u8x64::splat(simd, b'\n'));
        let space = bytes.simd_eq(u8x64::splat(simd, b' '));
        // Everything but 0x20 to 0x7e.
        let outside = (bytes - u8x64::splat(simd, b' ')).simd_gt(u8x64::splat(simd, b'~' - b' '));
        let newlines = newline.to_bitmask();
        let all = space.to_bitmask() | newlines;
        *odd |= outside.to_bitmask() & !newlines;

        // Most words have one newline or none: which of the two is not asked,
        // as nobody could guess it.
        let mut mask = newlines;
        loop {
            // Of the first newline; of nothing, which does not count, if there is none.
            let up_to = mask ^ mask.wrapping_sub(1);
            self.add_line(
                (*found as u32).wrapping_add((all & up_to).count_ones()).wrapping_sub(1),
                mask != 0,
            );
            mask &= mask.wrapping_sub(1);
            if mask == 0 {
                break;
            }
        }
        // A text has 5 to 11 stops in 64 bytes: writing 16 or 12 and then
        // looking whether there are more is cheaper than asking before each.
        let count = all.count_ones() as usize;
        let room = self.stops.get_mut(*found..).unwrap_or_default();
        if matches!(simd.level(), Level::Avx512(_)) {
            let places = u8x64::from_slice(simd, &PLACES).compress(space | newline);
            let (often, seldom) = room.split_at_mut_checked(16).unwrap_or_default();
            widen(places.as_array(), offset, often);
            if count > 16 {
                widen(places.as_array().get(16..).unwrap_or_default(), offset, seldom);
            }
        } else {
            let (often, seldom) = room.split_at_mut_checked(12).unwrap_or_default();
            let more = offsets(all, offset, often);
            if more != 0 {
                offsets(more, offset, seldom.get_mut(..64 - 12).unwrap_or_default());
            }
        }
        *found += count;
    }

    /// Writes where a line ends, and keeps it if it does.
    #[inline(always)]
    fn add_line(&mut self, stop: u32, is_line: bool) {
        if let Some(line) = self.lines.get_mut(self.line_count) {
            *line = stop;
        }
        self.line_count += usize::from(is_line);
    }

    /// One a line.
    pub(super) fn lines(&self) -> &[u32] {
        self.lines.get(..self.line_count).unwrap_or_default()
    }

    /// Whether every byte but the newlines is printable ASCII, so that no
    /// value needs a second look for what a text may not have.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// For [`value`].
    pub(super) fn all(&self) -> &[u32] {
        &self.stops
    }
}

/// Where the value between a stop and the next one lies: its first byte, and
/// the one after its last.
#[inline(always)]
pub(super) fn value(stops: &[u32], stop: u32) -> (usize, usize) {
    bounds(stops.get(stop as usize..).unwrap_or_default())
}

/// Where the value between the first two stops lies.
#[inline(always)]
pub(super) fn bounds(stops: &[u32]) -> (usize, usize) {
    match stops.first_chunk() {
        Some(&[before, after]) => (before.wrapping_add(1) as usize, after as usize),
        None => (0, 0),
    }
}

const PLACES: [u8; 64] = {
    let mut places = [0; 64];
    let mut place = 0;
    while place < 64 {
        places[place] = place as u8;
        place += 1;
    }
    places
};

#[inline(always)]
fn widen(places: &[u8], offset: u32, room: &mut [u32]) {
    for (stop, &place) in room.iter_mut().zip(places) {
        *stop = offset.wrapping_add(place.into());
    }
}

/// Writes where the lowest bits of `mask` are, as many as there is room for,
/// and gives the others. What it writes after the last bit means nothing.
#[inline(always)]
fn offsets(mut mask: u64, offset: u32, room: &mut [u32]) -> u64 {
    for stop in room {
        *stop = offset.wrapping_add(mask.trailing_zeros());
        mask &= mask.wrapping_sub(1);
    }
    mask
}
