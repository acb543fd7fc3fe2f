//! What `--from` names, as objects of a table.

use crate::records::inputs::{self, Place};
use anyhow::{Context, Result};
use std::io::{self, Write};
use tempfile::NamedTempFile;
use weir_query::{LocalFiles, Object};

/// Objects, and the temporary files that some of them are in.
#[derive(Default)]
pub struct Found {
    pub objects: Vec<Object>,
    kept: Vec<NamedTempFile>,
}

impl Found {
    /// Adds the files, folders, globs or standard input that `names` say.
    ///
    /// # Errors
    /// Those of [`inputs::find`], and what cannot be read.
    pub fn add_local(&mut self, names: &[String]) -> Result<()> {
        for input in inputs::find(names)? {
            match &input.place {
                Place::File(path) => {
                    let object = LocalFiles::object(path).with_context(|| input.name());
                    self.objects.push(object.context("cannot be read")?);
                }
                Place::Stdin => {
                    self.add_copy("standard input", |file| io::copy(&mut io::stdin().lock(), file).map(drop))?
                }
            }
        }
        Ok(())
    }

    /// Adds what `write` writes, under a name for messages. A query may read it
    /// several times and from several places, so that it is kept in a file.
    ///
    /// # Errors
    /// Those of `write`, and of temporary files.
    pub fn add_copy(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let mut file = NamedTempFile::new().context("cannot make a temporary file")?;
        write(file.as_file_mut()).with_context(|| format!("cannot keep {name} in a temporary file"))?;
        let mut object = LocalFiles::object(file.path())?;
        object.name = name.to_owned();
        self.objects.push(object);
        self.kept.push(file);
        Ok(())
    }
}
