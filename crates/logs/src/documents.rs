//! What an account has besides groups: resource policies, query definitions,
//! destinations, export tasks, index policies.
//!
//! Each is a JSON document in the log, kept whole in memory.
//!
//! Source: CloudWatch Logs API reference, PutResourcePolicy, PutQueryDefinition
//! and their neighbours.

pub(crate) mod destination;
mod export_task;
mod index_policy;
mod query_definition;
mod resource_policy;

pub use destination::{LogDestination, LogDestinations};
pub use export_task::{ExportStatus, ExportTask, ExportTasks};
pub use index_policy::IndexPolicy;
pub use query_definition::{QueryDefinition, QueryDefinitions, QueryParameter};
pub use resource_policy::{PutResourcePolicy, ResourcePolicies, ResourcePolicy};

use crate::index::State;
use crate::record::{Document, Record};
use crate::store::Scope;
use serde::{Serialize, de::DeserializeOwned};

/// A kind of document.
trait Kind: Serialize + DeserializeOwned {
    const KIND: &'static str;
    /// Unique among those of its kind in an account and region.
    fn id(&self) -> String;
}

fn put<T: Kind>(scope: &Scope, value: &T) -> Record {
    // Texts, numbers and lists of texts always have a JSON form.
    let text = serde_json::to_string(value).unwrap_or_default();
    Record::Document(Document {
        scope: scope.clone(),
        kind: T::KIND.to_owned(),
        id: value.id(),
        value: Some(text),
    })
}

fn gone<T: Kind>(scope: &Scope, id: &str) -> Record {
    Record::Document(Document {
        scope: scope.clone(),
        kind: T::KIND.to_owned(),
        id: id.to_owned(),
        value: None,
    })
}

fn get<T: Kind>(state: &State, scope: &Scope, id: &str) -> Option<T> {
    let text = state.documents.get(&(scope.clone(), T::KIND.to_owned(), id.to_owned()))?;
    serde_json::from_str(text).ok()
}

/// What goes with a group.
pub(crate) fn gone_with_group(state: &State, scope: &Scope, name: &str) -> Option<Record> {
    get::<IndexPolicy>(state, scope, name).map(|_| gone::<IndexPolicy>(scope, name))
}

/// In order of ids.
fn all<T: Kind>(state: &State, scope: &Scope) -> Vec<T> {
    let start = (scope.clone(), T::KIND.to_owned(), String::new());
    let documents = state.documents.range(start..);
    let documents = documents.take_while(|((s, kind, _), _)| s == scope && kind == T::KIND);
    documents.filter_map(|(_, text)| serde_json::from_str(text).ok()).collect()
}
