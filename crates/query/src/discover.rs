//! The table of objects about which nothing was declared: layout, formats and
//! columns are found by looking.

use crate::files::compression::Peek;
use crate::files::format::Given;
use crate::files::meter::Meter;
use crate::files::text::{Opened, Opening, TextError};
use crate::layout::{COLUMNS, Place, REGION};
use crate::source::{Kind, Object};
use crate::table::{Column, FlowTable, Origin, field_type};
use crate::tally::Tally;
use std::fs::File;
use std::io;
use std::sync::Arc;
use weir_flow::field::Field;
use weir_flow::format::LogFormat;

/// At most this many objects are looked into, from the first to the last.
const LOOKED_INTO: usize = 200;
/// Of each object of another machine so much is fetched to find its format.
const HEAD_BYTES: u64 = 256 << 10;
/// Footers of Parquet files are shorter.
const FOOTER_BYTES: u64 = 1 << 20;

/// Why no table can be made of the objects.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    #[error("{name}")]
    Text {
        name: String,
        #[source]
        error: TextError,
    },
    #[error("{name}")]
    Parquet {
        name: String,
        #[source]
        error: weir_flow::parquet::Error,
    },
    #[error("{name} cannot be read")]
    Read {
        name: String,
        #[source]
        error: io::Error,
    },
    #[error("there are no objects")]
    Empty,
}

/// Gives each object the values of its place.
pub fn place(objects: &mut [Object]) {
    for object in objects {
        let place = Place::of(&object.key);
        object.partition = place.values();
        object.seconds = place.seconds();
    }
}

/// A table of all objects, with the columns of those that were looked into, in
/// the order of the field table, and the partition columns that are known of
/// any. `format` is that of text without a header line. Objects that cannot be
/// read are passed over, unless none can.
///
/// # Errors
/// No object can be read; the first object's reason.
pub async fn table(
    mut objects: Vec<Object>,
    format: Option<LogFormat>,
    tally: Arc<Tally>,
) -> Result<FlowTable, DiscoverError> {
    place(&mut objects);
    let given = Given { format: format.clone(), may_be_output: true, is_optional: false };
    let mut fields: Vec<Field> = Vec::new();
    let mut problem = None;
    let count = objects.len().min(LOOKED_INTO);
    for at in 0..count {
        // From the first to the last, evenly.
        let at = if count > 1 { at * (objects.len() - 1) / (count - 1) } else { at };
        let Some(object) = objects.get(at) else { continue };
        match look_into(object, &given).await {
            Ok(found) => fields.extend(found),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    if fields.is_empty() {
        return Err(problem.unwrap_or(DiscoverError::Empty));
    }
    let has_region = objects.iter().any(|object| Place::of(&object.key).region.is_some());
    let mut columns: Vec<Column> = Vec::new();
    for &field in Field::ALL.iter().filter(|&field| fields.contains(field)) {
        let mut column = Column::of_field(field);
        if field == Field::Region && has_region {
            column.origin = Origin::FieldOrPartition(field, REGION);
        }
        columns.push(column);
    }
    for (place, (name, data_type)) in COLUMNS.into_iter().enumerate() {
        let is_known = |object: &Object| object.partition.get(place).is_some_and(|value| !value.is_null());
        if objects.iter().any(is_known) {
            columns.push(Column::of_partition(name, data_type, place));
            if place == REGION && !fields.contains(&Field::Region) {
                columns.push(Column {
                    name: Field::Region.column().to_owned(),
                    data_type: field_type(Field::Region),
                    origin: Origin::Partition(REGION),
                });
            }
        }
    }
    Ok(FlowTable::new(columns, objects, tally).with_format(format))
}

/// The fields of an object's records.
async fn look_into(object: &Object, given: &Given) -> Result<Vec<Field>, DiscoverError> {
    let name = || object.name.clone();
    let read = |error| DiscoverError::Read { name: name(), error };
    if object.kind == Kind::Parquet {
        let parquet = |error| DiscoverError::Parquet { name: name(), error };
        if let Some(path) = object.source.file(&object.key) {
            let file = File::open(path).map_err(read)?;
            let reader = weir_flow::parquet::Reader::new(file, None).map_err(parquet)?;
            return Ok(reader.fields().to_vec());
        }
        let from = object.bytes.saturating_sub(FOOTER_BYTES);
        let footer = object.source.read(&object.key, from..object.bytes).await.map_err(read)?;
        let file = crate::source::Tail { bytes: footer, from };
        let reader = weir_flow::parquet::Reader::new(file, None).map_err(parquet)?;
        return Ok(reader.fields().to_vec());
    }
    let source = match object.source.file(&object.key) {
        Some(path) => Peek::new(File::open(path).map_err(read)?),
        None => {
            let head =
                object.source.read(&object.key, 0..HEAD_BYTES.min(object.bytes)).await.map_err(read)?;
            Peek::new(io::Cursor::new(head))
        }
    };
    // As a stream: only the beginning is inflated.
    let meter = Arc::new(Meter::default());
    match Opened::of(source, &Opening { is_live: true, ..Opening::new(None, given, &meter) }) {
        Ok(Opened::Text(text)) => Ok(text.found.format.fields().to_vec()),
        Ok(Opened::Parquet(_)) => Ok(Vec::new()),
        Err(error) => Err(DiscoverError::Text { name: name(), error }),
    }
}

impl DiscoverError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Text { error, .. } => error.hint(),
            _ => None,
        }
    }
}
