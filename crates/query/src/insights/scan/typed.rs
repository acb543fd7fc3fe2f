//! Columns of events whose messages are columns already.

use super::{Column, EventsOfGroup, failed};
use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, StringViewArray, StringViewBuilder, UInt32Array,
};
use datafusion::arrow::compute::take;
use datafusion::common::Result;
use std::sync::Arc;
use weir_logs::LogsError;
use weir_logs::insights::discover::{Discovery, RecordFormat};
use weir_logs::insights::number;
use weir_logs::scan::{Texts, Tokens, TypedEvents, address_token, number_token};

/// Events that are records of one format.
pub struct Typed<'a> {
    pub number: usize,
    pub group: &'a EventsOfGroup,
    pub format: &'a RecordFormat,
    pub events: TypedEvents,
}

/// The events by the format that they are records of, and those that are of none.
type ByFormat<'a> = (Vec<(&'a RecordFormat, TypedEvents)>, Option<TypedEvents>);

/// As [`Discovery::find`] decides it for each message.
pub fn by_format(events: TypedEvents, discovery: &Discovery) -> Result<ByFormat<'_>, LogsError> {
    let mut found = Vec::new();
    let tokens = events.tokens();
    let mut rest = events;
    for format in discovery.formats().iter().filter(|format| format.names().len() == tokens) {
        let mut others: Option<TypedEvents> = None;
        for (place, check) in format.checks() {
            let other = check_tokens(&mut rest, place, check)?;
            others = match (others, other) {
                (Some(mut all), Some(more)) => {
                    all.extend(more);
                    Some(all)
                }
                (some, other) => some.or(other),
            };
        }
        if !rest.is_empty() {
            found.push((format, rest));
        }
        match others {
            Some(others) => rest = others,
            None => return Ok((found, None)),
        }
    }
    Ok((found, Some(rest).filter(|rest| !rest.is_empty())))
}

/// Takes those away whose token at a place is not one that can be there.
fn check_tokens(
    events: &mut TypedEvents,
    place: usize,
    check: fn(&str) -> bool,
) -> Result<Option<TypedEvents>, LogsError> {
    if events.is_empty() {
        return Ok(None);
    }
    let fits: Vec<bool> = if let Some(texts) = events.distinct(place)? {
        let fits: Vec<bool> = texts.iter().map(check).collect();
        if fits.iter().all(|fits| *fits) {
            return Ok(None);
        }
        let codes = events.codes(place)?;
        codes.iter().map(|code| fits.get(*code as usize).copied().unwrap_or_default()).collect()
    } else {
        let mut fits = Vec::with_capacity(events.len());
        each_text(&events.column(place)?, |text| fits.push(check(text)));
        fits
    };
    let others = events.split(|i| fits.get(i).copied().unwrap_or_default());
    Ok(Some(others).filter(|others| !others.is_empty()))
}

/// Each token as a text.
fn each_text(tokens: &Tokens, mut tell: impl FnMut(&str)) {
    let (values, write): (_, fn(i64, &mut Vec<u8>)) = match tokens {
        Tokens::Texts { texts, codes } => {
            let texts: Vec<&str> = texts.iter().collect();
            codes.iter().for_each(|code| tell(texts.get(*code as usize).copied().unwrap_or_default()));
            return;
        }
        Tokens::Numbers(values) => (values, number_token),
        Tokens::Addresses(values) => (values, address_token),
    };
    let mut text = Vec::with_capacity(20);
    for value in values {
        text.clear();
        write(*value, &mut text);
        tell(str::from_utf8(&text).unwrap_or_default());
    }
}

/// A column by its different values.
pub struct Coded {
    pub values: ArrayRef,
    pub place: Coding,
}

/// Where the values' numbers are.
#[derive(Clone, Copy)]
pub enum Coding {
    /// There is one value.
    One,
    Token(usize),
    Streams,
}

impl Typed<'_> {
    fn place(&self, name: &str) -> Option<usize> {
        self.format.names().iter().rposition(|known| known == name)
    }

    /// The different values of a column, if it is known that they are few.
    pub fn coded(&self, column: &Column) -> Result<Option<Coded>> {
        let of_texts = |texts: &Texts| match column {
            Column::Number(_) => numbers(texts),
            _ => strings(texts),
        };
        Ok(match column {
            Column::Text(name) | Column::Number(name) => match self.place(name) {
                None => Some(Coded { values: absent(column), place: Coding::One }),
                Some(place) => self
                    .events
                    .distinct(place)
                    .map_err(failed)?
                    .map(|texts| Coded { values: of_texts(&texts), place: Coding::Token(place) }),
            },
            Column::Log => {
                let values = StringViewArray::from_iter_values([self.group.log.as_str()]);
                Some(Coded { values: Arc::new(values), place: Coding::One })
            }
            Column::LogStream => {
                let (streams, _) = self.streams();
                let name = |id: &u64| self.group.streams.name(*id).unwrap_or_default();
                let values = StringViewArray::from_iter_values(streams.iter().map(name));
                Some(Coded { values: Arc::new(values), place: Coding::Streams })
            }
            _ => None,
        })
    }

    /// For each event which of the values it has.
    pub fn codes(&self, coding: Coding) -> Result<Vec<u32>> {
        Ok(match coding {
            Coding::One => vec![0; self.events.len()],
            Coding::Token(place) => self.events.codes(place).map_err(failed)?,
            Coding::Streams => self.streams().1,
        })
    }

    /// The streams, and for each event which of them.
    fn streams(&self) -> (Vec<u64>, Vec<u32>) {
        let mut streams: Vec<u64> = Vec::new();
        let mut codes = Vec::with_capacity(self.events.len());
        // Events of a stream stand together.
        for stream in self.events.streams() {
            if streams.last() != Some(&stream) {
                streams.push(stream);
            }
            codes.push(streams.len() as u32 - 1);
        }
        (streams, codes)
    }

    /// A column, a value for each event.
    pub fn array(&self, column: &Column) -> Result<ArrayRef> {
        let events = &self.events;
        let int = |values: Vec<i64>| Arc::new(Int64Array::from(values)) as ArrayRef;
        if let Some(Coded { values, place }) = self.coded(column)? {
            let codes = UInt32Array::from(self.codes(place)?);
            return Ok(take(&values, &codes, None)?);
        }
        Ok(match column {
            Column::Time => int(events.timestamps()),
            Column::Sequence => int(events.sequences().into_iter().map(|n| n as i64).collect()),
            Column::Group => int(vec![self.number as i64; events.len()]),
            Column::Stream => int(events.streams().into_iter().map(|id| id as i64).collect()),
            Column::IngestionTime => int(events.ingestion_times().map_err(failed)?),
            Column::Message => {
                let mut messages = StringViewBuilder::with_capacity(events.len());
                events.messages(|message| messages.append_value(message)).map_err(failed)?;
                Arc::new(messages.finish())
            }
            Column::Text(name) | Column::Number(name) => {
                let Some(place) = self.place(name) else { return Ok(absent(column)) };
                let tokens = events.column(place).map_err(failed)?;
                match (column, &tokens) {
                    (Column::Number(_), Tokens::Numbers(values)) => {
                        let some = |value: &i64| (*value >= 0).then_some(*value as f64);
                        Arc::new(Float64Array::from_iter(values.iter().map(some)))
                    }
                    (Column::Number(_), Tokens::Addresses(values)) => {
                        Arc::new(Float64Array::new_null(values.len()))
                    }
                    (Column::Number(_), Tokens::Texts { .. }) => {
                        let mut made = Vec::with_capacity(events.len());
                        each_text(&tokens, |text| made.push(number(text)));
                        Arc::new(Float64Array::from(made))
                    }
                    _ => {
                        let mut texts = StringViewBuilder::with_capacity(events.len());
                        each_text(&tokens, |text| texts.append_value(text));
                        Arc::new(texts.finish())
                    }
                }
            }
            // They are always coded.
            Column::Log | Column::LogStream => Arc::new(StringViewArray::new_null(events.len())),
        })
    }
}

fn absent(column: &Column) -> ArrayRef {
    match column {
        Column::Number(_) => Arc::new(Float64Array::new_null(1)),
        _ => Arc::new(StringViewArray::new_null(1)),
    }
}

fn strings(texts: &Texts) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values(texts.iter()))
}

fn numbers(texts: &Texts) -> ArrayRef {
    Arc::new(Float64Array::from_iter(texts.iter().map(number)))
}
