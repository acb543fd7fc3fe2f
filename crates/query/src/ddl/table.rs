//! CREATE [EXTERNAL] TABLE with columns.

use super::parse::{Parsed, Parser};
use super::statement::{CreateTable, RowFormat, Statement, StoredAs, TableName};
use std::collections::BTreeMap;

impl Parser<'_> {
    pub(super) fn create_table(
        &mut self,
        external: bool,
        if_not_exists: bool,
        name: TableName,
    ) -> Parsed<Statement> {
        let mut table = CreateTable {
            external,
            if_not_exists,
            name,
            columns: self.columns()?,
            comment: None,
            partitions: Vec::new(),
            row_format: None,
            stored_as: None,
            location: None,
            properties: BTreeMap::new(),
        };
        loop {
            if self.word("COMMENT") {
                table.comment = Some(self.text()?);
            } else if self.words(&["PARTITIONED", "BY"]) {
                table.partitions = self.columns()?;
            } else if self.words(&["ROW", "FORMAT"]) {
                table.row_format = Some(self.row_format()?);
            } else if self.words(&["WITH", "SERDEPROPERTIES"]) {
                let more = self.texts()?;
                match &mut table.row_format {
                    Some(RowFormat::Serde { properties, .. }) => properties.extend(more),
                    _ => return self.wrong("'ROW FORMAT SERDE'"),
                }
            } else if self.words(&["STORED", "AS"]) {
                table.stored_as = Some(self.stored_as()?);
            } else if self.word("LOCATION") {
                table.location = Some(self.text()?);
            } else if self.word("TBLPROPERTIES") {
                table.properties = self.texts()?;
            } else {
                break;
            }
        }
        Ok(Statement::CreateTable(Box::new(table)))
    }

    fn row_format(&mut self) -> Parsed<RowFormat> {
        if self.word("SERDE") {
            let class = self.text()?;
            let properties =
                if self.words(&["WITH", "SERDEPROPERTIES"]) { self.texts()? } else { BTreeMap::new() };
            return Ok(RowFormat::Serde { class, properties });
        }
        self.expect(&["DELIMITED"])?;
        let (mut fields, mut escaped, mut collection) = (None, None, None);
        let (mut map_keys, mut lines, mut null) = (None, None, None);
        loop {
            if self.words(&["FIELDS", "TERMINATED", "BY"]) {
                fields = Some(self.text()?);
            } else if self.words(&["ESCAPED", "BY"]) {
                escaped = Some(self.text()?);
            } else if self.words(&["COLLECTION", "ITEMS", "TERMINATED", "BY"]) {
                collection = Some(self.text()?);
            } else if self.words(&["MAP", "KEYS", "TERMINATED", "BY"]) {
                map_keys = Some(self.text()?);
            } else if self.words(&["LINES", "TERMINATED", "BY"]) {
                lines = Some(self.text()?);
            } else if self.words(&["NULL", "DEFINED", "AS"]) {
                null = Some(self.text()?);
            } else {
                break;
            }
        }
        Ok(RowFormat::Delimited { fields, escaped, collection, map_keys, lines, null })
    }

    fn stored_as(&mut self) -> Parsed<StoredAs> {
        if self.word("INPUTFORMAT") {
            let input = self.text()?;
            self.expect(&["OUTPUTFORMAT"])?;
            return Ok(StoredAs::Classes { input, output: self.text()? });
        }
        let formats = ["PARQUET", "TEXTFILE", "ORC", "AVRO", "RCFILE", "SEQUENCEFILE", "JSONFILE", "ION"];
        match formats.iter().find(|format| self.word(format)) {
            Some(format) => Ok(StoredAs::Format((*format).to_owned())),
            None => self.wrong("'AVRO', 'INPUTFORMAT', 'JSONFILE', 'ORC', 'PARQUET', 'TEXTFILE'"),
        }
    }
}
