//! Columns of events that are texts.

use super::{Column, EventsOfGroup, Scan};
use datafusion::arrow::array::{
    Array, ArrayRef, Float64Builder, Int64Array, StringViewArray, StringViewBuilder,
};
use datafusion::arrow::compute::{and, filter, prep_null_mask_filter};
use datafusion::common::Result;
use std::borrow::Cow;
use std::sync::Arc;
use weir_logs::insights::discover::Wanted;
use weir_logs::insights::number;
use weir_logs::scan::TextEvent;

impl Scan {
    /// The columns of those for which the conditions hold, and how many there are.
    pub fn of_texts(
        &self,
        group_number: usize,
        group: &EventsOfGroup,
        events: &[TextEvent],
    ) -> Result<(Vec<ArrayRef>, usize)> {
        let mut columns: Vec<&Column> = Vec::new();
        for column in self.conditions.iter().flat_map(|c| c.columns()).chain(&self.columns) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let arrays = arrays(&columns, group_number, group, events);
        let array = |wanted: &Column| {
            let at = columns.iter().position(|column| *column == wanted);
            at.and_then(|at| arrays.get(at).cloned())
        };
        let mut held = None;
        for condition in &self.conditions {
            let read = condition.columns().iter().filter_map(&array).collect();
            let mut more = condition.holds(read, events.len())?;
            if more.null_count() > 0 {
                more = prep_null_mask_filter(&more);
            }
            held = Some(match held {
                Some(held) => and(&held, &more)?,
                None => more,
            });
        }
        let shown = self.columns.iter().filter_map(array);
        let Some(held) = held else { return Ok((shown.collect(), events.len())) };
        let shown = shown.map(|array| Ok(filter(&array, &held)?)).collect::<Result<_>>()?;
        Ok((shown, held.true_count()))
    }
}

fn arrays<'a>(
    columns: &[&Column],
    group_number: usize,
    group: &'a EventsOfGroup,
    events: &'a [TextEvent],
) -> Vec<ArrayRef> {
    let int = |value: &dyn Fn(&TextEvent) -> i64| {
        Arc::new(Int64Array::from_iter_values(events.iter().map(value))) as ArrayRef
    };
    let mut found = found(columns, group, events).into_iter();
    let column = |column: &&Column| match column {
        Column::Time => int(&|event| event.timestamp),
        Column::Sequence => int(&|event| event.sequence as i64),
        Column::Group => int(&|_| group_number as i64),
        Column::Stream => int(&|event| event.stream as i64),
        Column::IngestionTime => int(&|event| event.ingestion),
        Column::Message => texts(events, |event| Some(&event.message)),
        Column::LogStream => texts(events, |event| group.streams.name(event.stream)),
        Column::Log => texts(events, |_| Some(&group.log)),
        Column::Text(_) | Column::Number(_) => {
            found.next().unwrap_or_else(|| Arc::new(StringViewArray::new_null(events.len())))
        }
    };
    columns.iter().map(column).collect()
}

fn texts<'a>(events: &'a [TextEvent], value: impl Fn(&'a TextEvent) -> Option<&'a str>) -> ArrayRef {
    let mut texts = StringViewBuilder::with_capacity(events.len());
    events.iter().for_each(|event| texts.append_option(value(event)));
    Arc::new(texts.finish())
}

/// The columns that are found in messages, in order.
fn found(columns: &[&Column], group: &EventsOfGroup, events: &[TextEvent]) -> Vec<ArrayRef> {
    let mut names: Vec<String> = Vec::new();
    let mut made: Vec<(usize, Made)> = Vec::new();
    for column in columns {
        let (name, builder) = match column {
            Column::Text(name) => (name, Made::Text(StringViewBuilder::new())),
            Column::Number(name) => (name, Made::Number(Float64Builder::new())),
            _ => continue,
        };
        let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        made.push((at, builder));
    }
    if made.is_empty() {
        return Vec::new();
    }
    let mut values: Vec<Option<Cow<'_, str>>> = vec![None; names.len()];
    let mut wanted = Wanted::new(names);
    for event in events {
        group.discovery.find(&event.message, &mut wanted, &mut values);
        for (at, made) in &mut made {
            let value = values.get(*at).and_then(Option::as_deref);
            match made {
                Made::Text(texts) => texts.append_option(value),
                Made::Number(numbers) => numbers.append_option(value.and_then(number)),
            }
        }
    }
    made.into_iter().map(|(_, made)| made.finish()).collect()
}

enum Made {
    Text(StringViewBuilder),
    Number(Float64Builder),
}

impl Made {
    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut texts) => Arc::new(texts.finish()),
            Self::Number(mut numbers) => Arc::new(numbers.finish()),
        }
    }
}
