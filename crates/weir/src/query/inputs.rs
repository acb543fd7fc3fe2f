//! What `--from` names, as objects of a table.

use super::s3;
use crate::commands::connect::Server;
use crate::records::inputs::{self, Place};
use anyhow::{Context, Result};
use serde_json::json;
use std::io::{self, BufWriter, Write};
use tempfile::NamedTempFile;
use weir_query::{LocalFiles, Object};

/// Objects, and the temporary files that some of them are in.
#[derive(Default)]
pub struct Found {
    pub objects: Vec<Object>,
    kept: Vec<NamedTempFile>,
}

impl Found {
    /// Adds what `names` say: files, folders, globs, `-`, `s3://BUCKET/PREFIX`,
    /// `log-group:NAME`.
    ///
    /// # Errors
    /// A name without objects, and what cannot be read.
    pub async fn add(&mut self, names: &[String], server: &Server) -> Result<()> {
        let mut local = Vec::new();
        for name in names {
            if let Some(place) = name.strip_prefix("s3://") {
                let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
                let listed = s3::list(&server.address()?, bucket, prefix).await;
                self.objects.extend(listed.with_context(|| name.clone())?);
            } else if let Some(group) = name.strip_prefix("log-group:") {
                self.add_log_group(group, server).await.with_context(|| name.clone())?;
            } else {
                local.push(name.clone());
            }
        }
        if local.is_empty() { Ok(()) } else { self.add_local(&local) }
    }

    fn add_local(&mut self, names: &[String]) -> Result<()> {
        for input in inputs::find(names)? {
            match &input.place {
                Place::File(path) => {
                    let object = LocalFiles::object(path).context("cannot be read");
                    self.objects.push(object.with_context(|| input.name())?);
                }
                // A query may read it several times and from several places.
                Place::Stdin => {
                    let mut file = temporary()?;
                    io::copy(&mut io::stdin().lock(), file.as_file_mut())
                        .context("standard input cannot be kept in a temporary file")?;
                    self.keep("standard input", file)?;
                }
            }
        }
        Ok(())
    }

    async fn add_log_group(&mut self, group: &str, server: &Server) -> Result<()> {
        let client = server.client()?;
        let mut file = BufWriter::new(temporary()?);
        let mut members = json!({ "logGroupName": group });
        loop {
            let page = client.json("logs", "FilterLogEvents", &members).await?;
            for event in page["events"].as_array().into_iter().flatten() {
                writeln!(file, "{}", event["message"].as_str().unwrap_or_default().trim_end())?;
            }
            if page["nextToken"].is_null() {
                break;
            }
            members["nextToken"] = page["nextToken"].clone();
        }
        self.keep(group, file.into_inner().context("cannot write a temporary file")?)
    }

    fn keep(&mut self, name: &str, file: NamedTempFile) -> Result<()> {
        let mut object = LocalFiles::object(file.path())?;
        object.name = name.to_owned();
        self.objects.push(object);
        self.kept.push(file);
        Ok(())
    }
}

fn temporary() -> Result<NamedTempFile> {
    NamedTempFile::new().context("cannot make a temporary file")
}
