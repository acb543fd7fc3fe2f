//! Queries on a catalog in memory and files of a folder.

use super::{Catalog, PartitionInfo, QueryError, StoredObject, TableInfo, plan, text};
use futures_util::StreamExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Tables, their partitions, and `s3://bucket/key` as `folder/bucket/key`.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub tables: Vec<TableInfo>,
    pub partitions: Vec<PartitionInfo>,
    pub folder: PathBuf,
    pub now: i64,
    pub listed: Mutex<Vec<String>>,
}

impl Catalog for World {
    fn table(&self, database: &str, name: &str) -> Result<Option<TableInfo>, QueryError> {
        Ok(self.tables.iter().find(|table| table.database == database && table.name == name).cloned())
    }

    fn has_database(&self, name: &str) -> Result<bool, QueryError> {
        Ok(name == "default" || self.tables.iter().any(|table| table.database == name))
    }

    fn databases(&self) -> Result<Vec<String>, QueryError> {
        Ok(vec!["default".to_owned()])
    }

    fn tables(&self, database: &str) -> Result<Vec<TableInfo>, QueryError> {
        Ok(self.tables.iter().filter(|table| table.database == database).cloned().collect())
    }

    fn partitions(&self, _: &TableInfo) -> Result<Vec<PartitionInfo>, QueryError> {
        Ok(self.partitions.clone())
    }

    fn objects(&self, location: &str) -> Result<Vec<StoredObject>, QueryError> {
        self.listed.lock().unwrap().push(location.to_owned());
        let mut found = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let key = path.strip_prefix(&self.folder).unwrap().to_str().unwrap();
                let name = format!("s3://{key}");
                if name.starts_with(location) {
                    let bytes = path.metadata().unwrap().len();
                    found.push(StoredObject { name, path, bytes });
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn now(&self) -> i64 {
        self.now
    }
}

/// The rows of a query, values separated by `|`, after a row of names.
pub(crate) fn rows(world: Arc<World>, sql: &str) -> Result<Vec<String>, QueryError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let planned = plan(world, "default", sql).await?;
        let mut shown = vec![planned.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join("|")];
        let mut stream = planned.stream().await?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(|error| planned.error(&error))?;
            for row in 0..batch.num_rows() {
                let values = batch.columns().iter().map(|c| text(c, row).unwrap_or("NULL".to_owned()));
                shown.push(values.collect::<Vec<_>>().join("|"));
            }
        }
        Ok(shown)
    })
}

/// The only value of a query without tables, or why it failed.
pub(crate) fn one(sql: &str) -> String {
    match rows(Arc::default(), sql) {
        Ok(rows) => rows.get(1).cloned().unwrap_or_default(),
        Err(error) => error.message,
    }
}
