//! Batches of results to rows of texts.

use super::expr::Place;
use super::lower::{GROUP, Lowered, SEQUENCE, STREAM, TIME};
use super::scan::EventsOfGroup;
use super::value::{Value, Values};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::{Result, exec_datafusion_err};
use std::collections::HashSet;
use weir_logs::insights::{Pointer, Rows};
use weir_logs::scan::event_id;

/// Takes rows until there are as many as wanted.
pub struct Output<'a> {
    lowered: &'a Lowered,
    groups: &'a [EventsOfGroup],
    seen: HashSet<Vec<String>>,
    rows: Rows,
}

impl<'a> Output<'a> {
    pub fn new(lowered: &'a Lowered, groups: &'a [EventsOfGroup]) -> Self {
        let mut columns: Vec<String> = lowered.shown.iter().map(|(name, _)| name.clone()).collect();
        if lowered.are_events {
            columns.push("@ptr".to_owned());
        }
        Self { lowered, groups, seen: HashSet::new(), rows: Rows { columns, rows: Vec::new() } }
    }

    /// `false`: there are enough rows.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<bool> {
        self.take(batch)
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<bool> {
        let values = |places: &mut dyn Iterator<Item = &Place>| -> Result<Vec<Values<'_>>> {
            places.map(|place| column(batch, &place.column)).collect()
        };
        let shown = values(&mut self.lowered.shown.iter().map(|(_, place)| place))?;
        let keys = values(&mut self.lowered.dedup.iter())?;
        let event = match self.lowered.are_events {
            true => Some([TIME, SEQUENCE, GROUP, STREAM].map(|name| column(batch, name))),
            false => None,
        };
        let event: Option<Vec<Values<'_>>> =
            event.map(|columns| columns.into_iter().collect::<Result<_>>()).transpose()?;
        for row in 0..batch.num_rows() {
            if self.rows.rows.len() >= self.lowered.limit {
                return Ok(false);
            }
            if !self.is_new(&keys, row) {
                continue;
            }
            let mut cells: Vec<Option<String>> = shown.iter().map(|values| text(&values.get(row))).collect();
            if let Some(event) = &event {
                cells.push(self.pointer(event, row));
            }
            self.rows.rows.push(cells);
        }
        Ok(true)
    }

    /// Whether no row with these keys came before; a row without one of them is
    /// always new.
    fn is_new(&mut self, keys: &[Values<'_>], row: usize) -> bool {
        if keys.is_empty() {
            return true;
        }
        let keys: Option<Vec<String>> = keys.iter().map(|values| text(&values.get(row))).collect();
        keys.is_none_or(|keys| self.seen.insert(keys))
    }

    fn pointer(&self, event: &[Values<'_>], row: usize) -> Option<String> {
        let value = |i: usize| event.get(i).map_or(Value::Absent, |values| values.get(row));
        let group = self.groups.get(value(2).time()? as usize)?;
        let (timestamp, sequence) = (value(0).time()?, value(1).time()? as u64);
        let stream = value(3).time()? as u64;
        let pointer = Pointer {
            group: group.group.name.clone(),
            stream: group.streams.name(stream)?.to_owned(),
            timestamp,
            event_id: event_id(stream, timestamp, sequence),
        };
        Some(pointer.to_text())
    }

    pub fn finish(self) -> Rows {
        self.rows
    }
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<Values<'b>> {
    let array = batch.column_by_name(name);
    Values::new(array.ok_or_else(|| exec_datafusion_err!("no column {name} in the result"))?)
}

fn text(value: &Value<'_>) -> Option<String> {
    value.text().map(std::borrow::Cow::into_owned)
}
