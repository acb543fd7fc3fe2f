//! One file a day, one line of JSON a data point: appended, synced when asked,
//! and written anew, summed up, when the day is over.
//!
//! ```text
//! DIR/2026-11-22.jsonl     points whose time is that day (UTC)
//! ```
//!
//! A last line that was cut off is removed at open; another that cannot be read
//! is left out with a warning.

use crate::point::{MetricId, Point, Scope};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

pub(crate) const DAY_S: i64 = 86_400;

/// A data point as it rests on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    #[serde(rename = "o")]
    pub scope: Scope,
    #[serde(rename = "m")]
    pub id: MetricId,
    #[serde(rename = "u")]
    pub unit: u8,
    /// Seconds since 1970.
    #[serde(rename = "t")]
    pub at: i64,
    #[serde(rename = "p")]
    pub point: Point,
}

pub(crate) struct Journal {
    dir: PathBuf,
    /// By day since 1970.
    open: BTreeMap<i64, BufWriter<File>>,
}

impl Journal {
    /// Opens the folder, made if it is not there, and gives every line of the
    /// days from `oldest` on to `each`; older files are removed.
    pub fn open(dir: &Path, oldest: i64, mut each: impl FnMut(Line)) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(".new") {
                fs::remove_file(&path)?;
                continue;
            }
            match name.strip_suffix(".jsonl").and_then(day_of) {
                Some(day) if day < oldest => fs::remove_file(&path)?,
                Some(_) => read(&path, &mut each)?,
                None => {}
            }
        }
        Ok(Self { dir: dir.to_owned(), open: BTreeMap::new() })
    }

    pub fn append(&mut self, line: &Line) -> io::Result<()> {
        let day = line.at.div_euclid(DAY_S);
        if !self.open.contains_key(&day) {
            let mut options = OpenOptions::new();
            let file = options.append(true).create(true).open(self.path(day))?;
            self.open.insert(day, BufWriter::new(file));
        }
        if let Some(file) = self.open.get_mut(&day) {
            serde_json::to_writer(&mut *file, line)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Everything appended is on disk when this returns.
    pub fn sync(&mut self) -> io::Result<()> {
        for file in self.open.values_mut() {
            if !file.buffer().is_empty() {
                file.flush()?;
                file.get_ref().sync_data()?;
            }
        }
        Ok(())
    }

    /// Writes the files of a day that is over anew.
    pub fn rewrite(&mut self, day: i64, lines: impl Iterator<Item = Line>) -> io::Result<()> {
        let path = self.path(day);
        let beside = path.with_extension("new");
        let mut file = BufWriter::new(File::create(&beside)?);
        for line in lines {
            serde_json::to_writer(&mut file, &line)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
        file.get_ref().sync_all()?;
        self.open.remove(&day);
        fs::rename(&beside, &path)?;
        File::open(&self.dir)?.sync_all()
    }

    /// Removes the files of days before `oldest`.
    pub fn forget(&mut self, oldest: i64) -> io::Result<()> {
        self.open.retain(|day, _| *day >= oldest);
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.strip_suffix(".jsonl").and_then(day_of).is_some_and(|day| day < oldest) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn path(&self, day: i64) -> PathBuf {
        let date = time::OffsetDateTime::from_unix_timestamp(day * DAY_S).map(time::OffsetDateTime::date);
        let date = date.unwrap_or(time::Date::MIN);
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        self.dir.join(format!("{year:04}-{month:02}-{day:02}.jsonl"))
    }
}

fn day_of(name: &str) -> Option<i64> {
    let mut parts = name.splitn(3, '-').map(|part| part.parse::<i32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = time::Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp().div_euclid(DAY_S))
}

fn read(path: &Path, each: &mut impl FnMut(Line)) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let (mut text, mut whole) = (Vec::new(), 0);
    loop {
        text.clear();
        let length = reader.read_until(b'\n', &mut text)?;
        if length == 0 {
            return Ok(());
        }
        if !text.ends_with(b"\n") {
            tracing::warn!(file = %path.display(), "cut off a data point that was half written");
            return OpenOptions::new().write(true).open(path)?.set_len(whole);
        }
        whole += length as u64;
        match serde_json::from_slice(&text) {
            Ok(line) => each(line),
            Err(error) => tracing::warn!(file = %path.display(), %error, "a data point cannot be read"),
        }
    }
}
