//! Workgroups. Source: Athena API, `CreateWorkGroup`, `UpdateWorkGroup`.

use super::{NamedQuery, PreparedStatement, QueryExecution, invalid};
use crate::error::Result;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use weir_types::time::UnixMillis;

/// The group that is always there.
pub const PRIMARY: &str = "primary";

/// The smallest limit, in bytes. Source: Athena API, `BytesScannedCutoffValue`.
const CUTOFF_MIN: i64 = 10_000_000;

/// A workgroup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkGroup {
    /// `workgroup/NAME`, as in its ARN.
    id: String,
    pub description: Option<String>,
    pub enabled: bool,
    pub configuration: Configuration,
    pub created: UnixMillis,
}

/// Source: Athena API, `WorkGroupConfiguration`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_configuration: Option<ResultConfiguration>,
    pub enforce_work_group_configuration: Option<bool>,
    pub publish_cloud_watch_metrics_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_scanned_cutoff_per_query: Option<i64>,
    pub requester_pays_enabled: Option<bool>,
    pub enable_minimum_encryption_configuration: Option<bool>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Source: Athena API, `ResultConfiguration`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResultConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_location: Option<String>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Resource for WorkGroup {
    const KIND: &'static str = "athena-work-group";
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
}

impl WorkGroup {
    pub fn name(&self) -> &str {
        self.id.strip_prefix("workgroup/").unwrap_or(&self.id)
    }

    /// Where results go, and whether callers cannot say otherwise.
    pub fn output(&self) -> (Option<&str>, bool) {
        let configuration = &self.configuration;
        let location = configuration.result_configuration.as_ref();
        let location = location.and_then(|result| result.output_location.as_deref());
        (location, configuration.enforce_work_group_configuration == Some(true))
    }
}

fn id(name: &str) -> String {
    format!("workgroup/{name}")
}

fn primary() -> WorkGroup {
    let configuration = Configuration {
        result_configuration: Some(ResultConfiguration::default()),
        enforce_work_group_configuration: Some(false),
        ..Configuration::default()
    };
    WorkGroup {
        id: id(PRIMARY),
        description: None,
        enabled: true,
        configuration: complete(configuration),
        created: UnixMillis(0),
    }
}

/// With what AWS says where nothing was said.
fn complete(mut given: Configuration) -> Configuration {
    given.enforce_work_group_configuration.get_or_insert(true);
    given.publish_cloud_watch_metrics_enabled.get_or_insert(false);
    given.requester_pays_enabled.get_or_insert(false);
    given.enable_minimum_encryption_configuration.get_or_insert(false);
    let version = serde_json::json!({
        "SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"
    });
    given.other.insert("EngineVersion".to_owned(), version);
    given
}

fn check(configuration: &Configuration) -> Result<()> {
    if configuration.bytes_scanned_cutoff_per_query.is_some_and(|bytes| bytes < CUTOFF_MIN) {
        return Err(invalid(format!("BytesScannedCutoffPerQuery must be at least {CUTOFF_MIN}")));
    }
    let location = configuration.result_configuration.as_ref();
    match location.and_then(|result| result.output_location.as_deref()) {
        Some(location) if !location.starts_with("s3://") => {
            Err(invalid("outputLocation is not a valid S3 path."))
        }
        _ => Ok(()),
    }
}

/// Errors: `InvalidRequestException`.
pub fn create(
    cx: Cx<'_>,
    name: &str,
    description: Option<&str>,
    configuration: Configuration,
    tags: &[(String, String)],
) -> Result<()> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(is_letter) {
        return Err(invalid(format!("The name '{name}' must match [a-zA-Z0-9._-]{{1,128}}")));
    }
    if get(cx, name).is_ok() {
        return Err(invalid("WorkGroup already exists"));
    }
    check(&configuration)?;
    let group = WorkGroup {
        id: id(name),
        description: description.map(str::to_owned),
        enabled: true,
        configuration: complete(configuration),
        created: cx.now,
    };
    cx.tx.put(cx.scope, &group)?;
    crate::tags::set(cx, &group.id, tags)
}

/// Errors: `InvalidRequestException`.
pub fn get(cx: Cx<'_>, name: &str) -> Result<WorkGroup> {
    if let Some(found) = cx.tx.get(cx.scope, &id(name))? {
        return Ok(found);
    }
    if name == PRIMARY { Ok(primary()) } else { Err(invalid(format!("WorkGroup {name} is not found."))) }
}

/// By name.
pub fn list(cx: Cx<'_>) -> Result<Vec<WorkGroup>> {
    let mut found: Vec<WorkGroup> = cx.tx.list(cx.scope)?;
    if !found.iter().any(|group| group.name() == PRIMARY) {
        found.push(primary());
        found.sort_by(|a, b| a.id.cmp(&b.id));
    }
    Ok(found)
}

/// Changes a group by `change`.
///
/// Errors: `InvalidRequestException`.
pub fn update(cx: Cx<'_>, name: &str, change: impl Fn(&mut WorkGroup)) -> Result<()> {
    let mut group = get(cx, name)?;
    change(&mut group);
    check(&group.configuration)?;
    cx.tx.put(cx.scope, &group)
}

/// Removes a group, with `recursive` also what is in it.
///
/// Errors: `InvalidRequestException`.
pub fn delete(cx: Cx<'_>, name: &str, recursive: bool) -> Result<()> {
    if name == PRIMARY {
        return Err(invalid("WorkGroup primary is not allowed to be deleted"));
    }
    let group = get(cx, name)?;
    let queries: Vec<NamedQuery> = cx.tx.list_in(cx.scope, name)?;
    let statements: Vec<PreparedStatement> = cx.tx.list_in(cx.scope, name)?;
    let executions: Vec<QueryExecution> = cx.tx.list_in(cx.scope, name)?;
    let is_empty = queries.is_empty() && statements.is_empty() && executions.is_empty();
    if !recursive && !is_empty {
        return Err(invalid(format!("WorkGroup {name} is not empty")));
    }
    for query in queries {
        cx.tx.delete::<NamedQuery>(cx.scope, query.id())?;
    }
    for statement in statements {
        cx.tx.delete::<PreparedStatement>(cx.scope, statement.id())?;
    }
    for execution in executions {
        cx.tx.delete::<QueryExecution>(cx.scope, execution.id())?;
    }
    cx.tx.delete::<WorkGroup>(cx.scope, &group.id)?;
    Ok(())
}
