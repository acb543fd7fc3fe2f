//! The catalog and the objects as one caller sees them.

use std::sync::Arc;
use weir_api::Services;
use weir_api::athena::engine::{OnBehalf, bucket_and_key};
use weir_api::error::ApiError;
use weir_control::catalog::{Table, partition, table};
use weir_objects::store::{Listed, Page};
use weir_query::athena::{Catalog, PartitionInfo, QueryError, StoredObject, TableInfo};

/// What a caller may see.
#[derive(Clone)]
pub struct Seen {
    pub services: Arc<Services>,
    pub caller: OnBehalf,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "catalog of {}", self.caller.scope.account)
    }
}

/// A failure of the catalog in Athena's words.
pub fn failed(error: ApiError) -> QueryError {
    match error.code.as_ref() {
        _ if error.status >= 500 => QueryError::internal(error.cause.unwrap_or(error.message)),
        "AccessDeniedException" => QueryError { category: 2, kind: 1000, message: error.message },
        _ => QueryError { category: 2, kind: 1301, message: format!("FAILED: {}", error.message) },
    }
}

impl Seen {
    /// Whether the caller may do an action of Glue on a table or database.
    pub fn may(&self, action: &str, database: &str, name: Option<&str>) -> Result<(), QueryError> {
        let call = self.caller.call(&self.services);
        let mut resources = vec!["catalog".to_owned(), format!("database/{database}")];
        resources.extend(name.map(|name| format!("table/{database}/{name}")));
        for resource in resources {
            call.authorize(&format!("glue:{action}"), &call.arn("glue", resource), &[]).map_err(failed)?;
        }
        Ok(())
    }

    /// Whether the caller may do an action of S3.
    pub fn may_in_s3(&self, action: &str, bucket: &str, key: Option<&str>) -> Result<(), QueryError> {
        let denied = self.caller.call(&self.services).denied_in_s3(action, bucket, key).map_err(failed)?;
        match denied {
            None => Ok(()),
            Some(reason) => {
                let text = format!("Access denied on s3://{bucket}/{}: {reason}", key.unwrap_or_default());
                Err(QueryError::user(1000, "PERMISSION_DENIED", text))
            }
        }
    }

    pub fn store(&self) -> Result<&weir_objects::Store, QueryError> {
        let endpoint = self.services.objects.get().ok_or_else(|| QueryError::internal("S3 is not served"))?;
        Ok(endpoint.store().as_ref())
    }

    pub fn find(&self, database: &str, name: &str) -> Result<Option<Table>, QueryError> {
        let call = self.caller.call(&self.services);
        match call.transact(|cx| table::get(cx, database, name)) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code == "EntityNotFoundException" => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

/// A table in the words of queries.
pub fn info(table: &Table) -> TableInfo {
    let input = &table.input;
    let storage = input.storage_descriptor.clone().unwrap_or_default();
    let serde = storage.serde_info.unwrap_or_default();
    let pairs = |columns: &[weir_control::catalog::Column]| {
        let pair = |c: &weir_control::catalog::Column| {
            (c.name.clone(), c.data_type.clone().unwrap_or_else(|| "string".to_owned()))
        };
        columns.iter().map(pair).collect()
    };
    TableInfo {
        database: table.database.clone(),
        name: table.name().to_owned(),
        columns: pairs(input.columns()),
        keys: pairs(input.keys()),
        location: storage.location.unwrap_or_default(),
        serde: serde.serialization_library.unwrap_or_default(),
        serde_parameters: serde.parameters.unwrap_or_default(),
        input_format: storage.input_format.unwrap_or_default(),
        parameters: input.parameters.clone().unwrap_or_default(),
        view: if input.is_view() { super::ddl::view_query(input) } else { None },
    }
}

impl Catalog for Seen {
    fn table(&self, database: &str, name: &str) -> Result<Option<TableInfo>, QueryError> {
        self.may("GetTable", database, Some(name))?;
        Ok(self.find(database, name)?.as_ref().map(info))
    }

    fn has_database(&self, name: &str) -> Result<bool, QueryError> {
        let call = self.caller.call(&self.services);
        match call.transact(|cx| weir_control::catalog::database::get(cx, name)) {
            Ok(_) => Ok(true),
            Err(error) if error.code == "EntityNotFoundException" => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    fn databases(&self) -> Result<Vec<String>, QueryError> {
        self.may("GetDatabases", "*", None)?;
        let call = self.caller.call(&self.services);
        let found = call.transact(weir_control::catalog::database::list).map_err(failed)?;
        Ok(found.iter().map(|database| database.name().to_owned()).collect())
    }

    fn tables(&self, database: &str) -> Result<Vec<TableInfo>, QueryError> {
        self.may("GetTables", database, Some("*"))?;
        let call = self.caller.call(&self.services);
        let found = call.transact(|cx| table::list(cx, database)).map_err(failed)?;
        Ok(found.iter().map(info).collect())
    }

    fn partitions(&self, of: &TableInfo) -> Result<Vec<PartitionInfo>, QueryError> {
        self.may("GetPartitions", &of.database, Some(&of.name))?;
        let call = self.caller.call(&self.services);
        let found = call.transact(|cx| partition::list(cx, &table::get(cx, &of.database, &of.name)?));
        let found = found.map_err(failed)?.into_iter().map(|partition| {
            let location = partition.input.storage_descriptor.and_then(|storage| storage.location);
            PartitionInfo { values: partition.input.values, location: location.unwrap_or_default() }
        });
        Ok(found.collect())
    }

    fn objects(&self, location: &str) -> Result<Vec<StoredObject>, QueryError> {
        let wrong =
            || QueryError::user(1000, "HIVE_INVALID_METADATA", format!("no S3 location: '{location}'"));
        let (bucket, prefix) = bucket_and_key(location).ok_or_else(wrong)?;
        // A folder, not all that begins so.
        let prefix = match prefix {
            "" => String::new(),
            folder => format!("{}/", folder.trim_end_matches('/')),
        };
        self.may_in_s3("s3:ListBucket", bucket, None)?;
        let store = self.store()?;
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = Page { prefix: prefix.clone(), delimiter: None, after: after.clone(), max: 1000 };
            let listed = store.list(bucket, &page).map_err(|error| {
                QueryError::user(1000, "HIVE_UNKNOWN_ERROR", format!("{location}: {error}"))
            });
            let (page, more) = listed?;
            for entry in page {
                after = entry.name().to_owned();
                let Listed::Object(object) = entry else { continue };
                self.may_in_s3("s3:GetObject", bucket, Some(&object.key))?;
                found.push(StoredObject {
                    name: format!("s3://{bucket}/{}", object.key),
                    path: store.path(&object.file),
                    bytes: object.size,
                });
            }
            if !more {
                return Ok(found);
            }
        }
    }

    fn now(&self) -> i64 {
        (self.services.clock)().seconds()
    }
}
