//! A table for people, of any number of rows: the first ones say how wide the
//! columns are, so that nothing waits for the last.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use time::OffsetDateTime;
use time::macros::format_description;
use weir_flow::columns::data_type;
use weir_flow::field::Field;
use weir_flow::names;
use weir_flow::render::Extras;

pub struct Table {
    columns: Vec<Column>,
    /// How wide it may be; `None`: any width.
    width: Option<usize>,
    extras: Extras,
    has_header: bool,
    is_bold: bool,
    left_out: Vec<&'static str>,
}

struct Column {
    field: Field,
    /// Of the field among those of the batches.
    index: usize,
    width: usize,
}

/// What a narrow terminal does without, the first one first.
const LEFT_OUT: [Field; 14] = [
    Field::Version,
    Field::AccountId,
    Field::LogStatus,
    Field::End,
    Field::PktSrcAddr,
    Field::PktDstAddr,
    Field::SubnetId,
    Field::VpcId,
    Field::Region,
    Field::InstanceId,
    Field::InterfaceId,
    Field::Type,
    Field::Packets,
    Field::Start,
];

const GAP: &str = "  ";

impl Table {
    /// `width`: columns of the terminal, if it is to fit one.
    pub fn new(fields: &[Field], width: Option<usize>, extras: Extras) -> Self {
        let columns = fields.iter().enumerate().map(|(index, &field)| Column { field, index, width: 0 });
        Self {
            columns: columns.collect(),
            width,
            extras,
            has_header: false,
            is_bold: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
            left_out: Vec::new(),
        }
    }

    /// The lines of a batch; the first one has the header before it.
    pub fn rows(&mut self, batch: &RecordBatch) -> String {
        let cells = |column: &Column| -> Vec<String> {
            let array = batch.column(column.index);
            (0..batch.num_rows()).map(|row| self.cell(column.field, array, row)).collect()
        };
        let mut cells: Vec<Vec<String>> = self.columns.iter().map(cells).collect();
        let mut text = String::new();
        if !self.has_header && batch.num_rows() > 0 {
            for (column, cells) in self.columns.iter_mut().zip(&cells) {
                let widest = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
                column.width = widest.max(column.field.name().len());
            }
            self.fit(&mut cells);
            self.header(&mut text);
        }
        for row in 0..batch.num_rows() {
            let line = self.columns.iter().zip(&cells).map(|(column, cells)| {
                let cell = cells.get(row).map_or("", String::as_str);
                padded(cell, column.width, self.is_right(column.field))
            });
            let line = line.collect::<Vec<_>>().join(GAP);
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The names of the columns that the terminal was too narrow for.
    pub fn left_out(&self) -> Vec<&'static str> {
        self.left_out.clone()
    }

    fn fit(&mut self, cells: &mut Vec<Vec<String>>) {
        let Some(most) = self.width else { return };
        for field in LEFT_OUT {
            let width: usize = self.columns.iter().map(|column| column.width + GAP.len()).sum();
            if width <= most + GAP.len() {
                break;
            }
            if let Some(at) = self.columns.iter().position(|column| column.field == field) {
                self.columns.remove(at);
                cells.remove(at);
                self.left_out.push(field.name());
            }
        }
    }

    fn header(&mut self, text: &mut String) {
        self.has_header = true;
        let names = self
            .columns
            .iter()
            .map(|column| padded(column.field.name(), column.width, self.is_right(column.field)));
        let line = names.collect::<Vec<_>>().join(GAP);
        let line = line.trim_end();
        // Writing to a String cannot fail.
        let _ = if self.is_bold { writeln!(text, "\x1b[1m{line}\x1b[0m") } else { writeln!(text, "{line}") };
    }

    fn is_right(&self, field: Field) -> bool {
        let is_word = match field {
            Field::Protocol => self.extras.protocol_name,
            Field::Start | Field::End => self.extras.start_utc,
            Field::TcpFlags => self.extras.tcp_flags_names,
            _ => false,
        };
        data_type(field) != DataType::Utf8 && !is_word
    }

    fn cell(&self, field: Field, array: &dyn Array, row: usize) -> String {
        if array.is_null(row) {
            return "-".to_owned();
        }
        let number = match array.data_type() {
            DataType::Int32 => i64::from(array.as_primitive::<Int32Type>().value(row)),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row),
            _ => return array.as_string_opt::<i32>().map_or("-", |texts| texts.value(row)).to_owned(),
        };
        let byte = u8::try_from(number).ok();
        let word = match field {
            Field::Protocol if self.extras.protocol_name => byte.and_then(names::protocol).map(str::to_owned),
            Field::TcpFlags if self.extras.tcp_flags_names => {
                byte.map(|flags| names::tcp_flags(flags).to_owned())
            }
            Field::Start | Field::End if self.extras.start_utc => utc(number),
            _ => None,
        };
        word.unwrap_or_else(|| number.to_string())
    }
}

/// `2014-12-14 04:07:50`
pub fn utc(unix_s: i64) -> Option<String> {
    let shape = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    OffsetDateTime::from_unix_timestamp(unix_s).ok()?.format(shape).ok()
}

fn padded(text: &str, width: usize, is_right: bool) -> String {
    if is_right { format!("{text:>width$}") } else { format!("{text:<width$}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_flow::columns::Reader;
    use weir_flow::format::LogFormat;

    const LINES: &str = "\
2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA
";

    fn table(width: Option<usize>, extras: Extras) -> (String, Vec<&'static str>) {
        let format = LogFormat::default();
        let batch = Reader::new(format.clone(), format.fields()).push_block(LINES.as_bytes()).batch;
        let mut table = Table::new(format.fields(), width, extras);
        let text = table.rows(&batch);
        (text, table.left_out())
    }

    #[test]
    fn columns_are_aligned_and_fit_the_terminal() {
        let (text, left_out) = table(Some(110), Extras::ALL);
        assert_eq!(
            text,
            "\
srcaddr        dstaddr       srcport  dstport  protocol  packets  bytes  start                action
172.31.16.139  172.31.16.21    20641       22  TCP            20   4249  2014-12-14 04:06:50  ACCEPT
-              -                   -        -  -               -      -  2015-05-10 18:01:16  -
"
        );
        assert_eq!(left_out, ["version", "account-id", "log-status", "end", "interface-id"]);
        let (text, left_out) = table(None, Extras::NONE);
        assert!(left_out.is_empty());
        assert!(text.contains("1418530010"), "{text}");
    }
}
