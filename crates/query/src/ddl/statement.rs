//! What a statement says.

use std::collections::BTreeMap;

/// A table or view: `[catalog.][database.]name`, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    pub database: Option<String>,
    pub name: String,
}

/// A column with its type in Hive's words, such as `array<struct<a:int>>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    pub name: String,
    pub data_type: String,
    pub comment: Option<String>,
}

/// Values of partition columns.
pub type PartitionValues = Vec<(String, String)>;

/// `ROW FORMAT`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFormat {
    Delimited {
        fields: Option<String>,
        escaped: Option<String>,
        collection: Option<String>,
        map_keys: Option<String>,
        lines: Option<String>,
        null: Option<String>,
    },
    Serde {
        class: String,
        properties: BTreeMap<String, String>,
    },
}

/// `STORED AS`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredAs {
    /// Upper case: `PARQUET`, `TEXTFILE`, `ORC`, `AVRO`, ...
    Format(String),
    Classes {
        input: String,
        output: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTable {
    pub external: bool,
    pub if_not_exists: bool,
    pub name: TableName,
    pub columns: Vec<ColumnDef>,
    pub comment: Option<String>,
    pub partitions: Vec<ColumnDef>,
    pub row_format: Option<RowFormat>,
    pub stored_as: Option<StoredAs>,
    pub location: Option<String>,
    pub properties: BTreeMap<String, String>,
}

/// A value in `WITH (…)` of CREATE TABLE AS and UNLOAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyValue {
    Text(String),
    Number(i64),
    Bool(bool),
    List(Vec<String>),
}

pub type Properties = BTreeMap<String, PropertyValue>;

/// A statement. Queries within are text, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    CreateDatabase {
        name: String,
        if_not_exists: bool,
        comment: Option<String>,
        location: Option<String>,
        properties: BTreeMap<String, String>,
    },
    SetDatabaseProperties {
        name: String,
        properties: BTreeMap<String, String>,
    },
    DropDatabase {
        name: String,
        if_exists: bool,
        cascade: bool,
    },
    CreateTable(Box<CreateTable>),
    DropTable {
        name: TableName,
        if_exists: bool,
    },
    DropView {
        name: TableName,
        if_exists: bool,
    },
    AddPartitions {
        table: TableName,
        if_not_exists: bool,
        partitions: Vec<(PartitionValues, Option<String>)>,
    },
    DropPartitions {
        table: TableName,
        if_exists: bool,
        partitions: Vec<PartitionValues>,
    },
    RenamePartition {
        table: TableName,
        from: PartitionValues,
        to: PartitionValues,
    },
    SetLocation {
        table: TableName,
        partition: Option<PartitionValues>,
        location: String,
    },
    SetTableProperties {
        table: TableName,
        properties: BTreeMap<String, String>,
    },
    AddColumns {
        table: TableName,
        columns: Vec<ColumnDef>,
        replace: bool,
    },
    MsckRepair {
        table: TableName,
    },
    ShowDatabases {
        like: Option<String>,
    },
    ShowTables {
        database: Option<String>,
        like: Option<String>,
    },
    ShowViews {
        database: Option<String>,
        like: Option<String>,
    },
    ShowPartitions {
        table: TableName,
    },
    ShowColumns {
        table: TableName,
    },
    ShowCreateTable {
        table: TableName,
    },
    ShowCreateView {
        table: TableName,
    },
    ShowTableProperties {
        table: TableName,
        key: Option<String>,
    },
    Describe {
        table: TableName,
        formatted: bool,
    },
    CreateView {
        name: TableName,
        or_replace: bool,
        query: String,
    },
    CreateTableAs {
        name: TableName,
        if_not_exists: bool,
        properties: Properties,
        query: String,
        with_data: bool,
    },
    Unload {
        query: String,
        to: String,
        properties: Properties,
    },
    Insert {
        table: TableName,
        columns: Vec<String>,
        query: String,
    },
    Explain {
        analyze: bool,
        query: String,
    },
    Prepare {
        name: String,
        query: String,
    },
    Execute {
        name: String,
        parameters: Vec<String>,
    },
    Deallocate {
        name: String,
    },
    /// SELECT, WITH, VALUES, or what only a planner can refuse.
    Query(String),
}

/// `StatementType` of a query execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementType {
    Ddl,
    Dml,
    Utility,
}

impl StatementType {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ddl => "DDL",
            Self::Dml => "DML",
            Self::Utility => "UTILITY",
        }
    }
}

impl Statement {
    /// `StatementType` and `SubstatementType`.
    pub fn kind(&self) -> (StatementType, &'static str) {
        use StatementType::{Ddl, Dml, Utility};
        match self {
            Self::CreateDatabase { .. } => (Ddl, "CREATE_DATABASE"),
            Self::SetDatabaseProperties { .. } => (Ddl, "ALTER_DATABASE_SET_PROPERTIES"),
            Self::DropDatabase { .. } => (Ddl, "DROP_DATABASE"),
            Self::CreateTable(_) => (Ddl, "CREATE_TABLE"),
            Self::DropTable { .. } => (Ddl, "DROP_TABLE"),
            Self::DropView { .. } => (Ddl, "DROP_VIEW"),
            Self::AddPartitions { .. } => (Ddl, "ALTER_TABLE_ADD_PARTITION"),
            Self::DropPartitions { .. } => (Ddl, "ALTER_TABLE_DROP_PARTITION"),
            Self::RenamePartition { .. } => (Ddl, "ALTER_TABLE_RENAME_PARTITION"),
            Self::SetLocation { .. } => (Ddl, "ALTER_TABLE_SET_LOCATION"),
            Self::SetTableProperties { .. } => (Ddl, "ALTER_TABLE_SET_PROPERTIES"),
            Self::AddColumns { replace: false, .. } => (Ddl, "ALTER_TABLE_ADD_COLUMNS"),
            Self::AddColumns { replace: true, .. } => (Ddl, "ALTER_TABLE_REPLACE_COLUMNS"),
            Self::MsckRepair { .. } => (Ddl, "MSCK_REPAIR_TABLE"),
            Self::ShowDatabases { .. } => (Utility, "SHOW_DATABASES"),
            Self::ShowTables { .. } => (Utility, "SHOW_TABLES"),
            Self::ShowViews { .. } => (Utility, "SHOW_VIEWS"),
            Self::ShowPartitions { .. } => (Utility, "SHOW_PARTITIONS"),
            Self::ShowColumns { .. } => (Utility, "SHOW_COLUMNS"),
            Self::ShowCreateTable { .. } => (Utility, "SHOW_CREATE_TABLE"),
            Self::ShowCreateView { .. } => (Utility, "SHOW_CREATE_VIEW"),
            Self::ShowTableProperties { .. } => (Utility, "SHOW_TBLPROPERTIES"),
            Self::Describe { .. } => (Utility, "DESCRIBE_TABLE"),
            Self::CreateView { .. } => (Ddl, "CREATE_VIEW"),
            Self::CreateTableAs { .. } => (Ddl, "CREATE_TABLE_AS_SELECT"),
            Self::Unload { .. } => (Dml, "UNLOAD"),
            Self::Insert { .. } => (Dml, "INSERT"),
            Self::Explain { .. } => (Dml, "EXPLAIN"),
            Self::Prepare { .. } => (Dml, "PREPARE"),
            Self::Execute { .. } => (Dml, "SELECT"),
            Self::Deallocate { .. } => (Dml, "DEALLOCATE"),
            Self::Query(_) => (Dml, "SELECT"),
        }
    }
}
