//! The partitions that the catalog keeps of a table: added, found, named.

use super::{Doing, Said, fault, missing, s3};
use crate::athena::catalog::Seen;
use std::collections::BTreeSet;
use weir_control::ControlError;
use weir_control::catalog::{Column, PartitionInput, Table, partition};
use weir_query::athena::{Catalog, QueryError, TableInfo};
use weir_query::ddl::PartitionValues;

/// Values in the order of the table's keys.
pub(super) fn in_order(table: &Table, values: &PartitionValues) -> Result<Vec<String>, QueryError> {
    let keys = table.input.keys();
    let wrong = || {
        let given: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        fault(format!(
            "SemanticException partition spec {{{}}} doesn't contain all (and only) partition columns of {}",
            given.join(", "),
            table.name()
        ))
    };
    if values.len() != keys.len() {
        return Err(wrong());
    }
    let value = |key: &Column| {
        let found = values.iter().find(|(name, _)| *name == key.name);
        found.map(|(_, value)| value.clone()).ok_or_else(wrong)
    };
    keys.iter().map(value).collect()
}

/// `k1=v1/k2=v2`
pub(super) fn path(table: &Table, values: &[String]) -> String {
    let pairs = table.input.keys().iter().zip(values).map(|(key, value)| format!("{}={value}", key.name));
    pairs.collect::<Vec<_>>().join("/")
}

pub(super) fn partition_at(table: &Table, values: Vec<String>, location: &str) -> PartitionInput {
    let mut storage = table.input.storage_descriptor.clone().unwrap_or_default();
    storage.location = Some(location.to_owned());
    PartitionInput { values, storage_descriptor: Some(storage), ..PartitionInput::default() }
}

pub(super) fn add_partitions(
    doing: &Doing<'_>,
    table: &Table,
    if_not_exists: bool,
    partitions: &[(PartitionValues, Option<String>)],
) -> Result<(), QueryError> {
    let mut inputs = Vec::new();
    for (values, location) in partitions {
        let values = in_order(table, values)?;
        let root = table.input.location().unwrap_or_default().trim_end_matches('/');
        let location = location.clone().unwrap_or_else(|| format!("{root}/{}", path(table, &values)));
        s3(&location)?;
        inputs.push(partition_at(table, values, &location));
    }
    doing.transact(|cx| {
        for input in &inputs {
            match partition::create(cx, table, input.clone()) {
                Err(ControlError::Fault { code: "AlreadyExistsException", .. }) if if_not_exists => {}
                done => done?,
            }
        }
        Ok(())
    })
}

/// MSCK REPAIR TABLE: `key=value/` folders below the table's become partitions.
pub(super) fn repair(doing: &Doing<'_>, table: &Table) -> Result<Said, QueryError> {
    let root = table.input.location().unwrap_or_default().trim_end_matches('/');
    let keys = table.input.keys();
    let mut found: BTreeSet<(Vec<String>, String)> = BTreeSet::new();
    for object in doing.seen.objects(root)? {
        let Some(rest) = object.name.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let folders: Vec<&str> = rest.split('/').collect();
        let Some((_, folders)) = folders.split_last() else { continue };
        let values: Option<Vec<String>> = keys
            .iter()
            .zip(folders)
            .map(|(key, folder)| {
                let (name, value) = folder.split_once('=')?;
                (name == key.name).then(|| value.to_owned())
            })
            .collect();
        let Some(values) = values.filter(|values| values.len() == keys.len()) else { continue };
        let location = format!("{root}/{}", folders[..keys.len()].join("/"));
        found.insert((values, location));
    }
    let known = doing.transact(|cx| partition::list(cx, table))?;
    let known: BTreeSet<&[String]> =
        known.iter().map(|partition| partition.input.values.as_slice()).collect();
    let new: Vec<_> = found.into_iter().filter(|(values, _)| !known.contains(values.as_slice())).collect();
    doing.transact(|cx| {
        for (values, location) in &new {
            partition::create(cx, table, partition_at(table, values.clone(), location))?;
        }
        Ok(())
    })?;
    let mut lines = Vec::new();
    if !new.is_empty() {
        let paths: Vec<String> =
            new.iter().map(|(values, _)| format!("{}:{}", table.name(), path(table, values))).collect();
        lines.push(format!("Partitions not in metastore:\t{}", paths.join("\t")));
        lines.extend(paths.iter().map(|path| format!("Repair: Added partition to metastore {path}")));
    }
    Ok(Said { lines, columns: Vec::new(), update_count: None })
}

/// Partitions that got files become partitions of the catalog.
pub fn add_found(seen: &Seen, table: &TableInfo, parts: &[Vec<String>]) -> Result<(), QueryError> {
    if table.keys.is_empty() {
        return Ok(());
    }
    let doing = Doing { seen, database: &table.database };
    let kept =
        seen.find(&table.database, &table.name)?.ok_or_else(|| missing(&table.database, &table.name))?;
    let named = |values: &Vec<String>| {
        let names = table.keys.iter().map(|(name, _)| name.clone());
        (names.zip(values.iter().cloned()).collect::<PartitionValues>(), None)
    };
    add_partitions(&doing, &kept, true, &parts.iter().map(named).collect::<Vec<_>>())
}
