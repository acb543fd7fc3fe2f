//! Query definitions: saved Logs Insights queries.

use serde::{Deserialize, Serialize};

use super::{Kind, all, get, gone, put};
use crate::error::LogsError;
use crate::limits::{Constraints, at_most, one_of};
use crate::store::{Scope, Store};
use crate::token::{list_token, read_list_token};
use weir_types::time::UnixMillis;

/// Most definitions of one account and region.
const MAX_DEFINITIONS: usize = 1_000;

/// A saved query.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueryDefinition {
    pub id: String,
    pub name: String,
    pub query_string: String,
    /// `CWLI`, `SQL` or `PPL`.
    pub query_language: String,
    #[serde(default)]
    pub log_group_names: Vec<String>,
    #[serde(default)]
    pub parameters: Vec<QueryParameter>,
    /// Milliseconds since 1970.
    pub last_modified: i64,
    /// Of the request that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

/// A placeholder of a saved query.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueryParameter {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A page in order of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryDefinitions {
    pub query_definitions: Vec<QueryDefinition>,
    pub next_token: Option<String>,
}

impl Kind for QueryDefinition {
    const KIND: &'static str = "query-definition";

    fn id(&self) -> String {
        self.id.clone()
    }
}

const LANGUAGES: [&str; 3] = ["CWLI", "SQL", "PPL"];

impl Store {
    /// PutQueryDefinition: makes one (`update` false, `definition.id` is new) or
    /// replaces the one with that id. The id of the definition; of an earlier
    /// one if the client token is of that.
    pub fn put_query_definition(
        &self,
        scope: &Scope,
        mut definition: QueryDefinition,
        update: bool,
        now: UnixMillis,
    ) -> Result<String, LogsError> {
        let mut constraints = Constraints::new();
        constraints.length(&definition.name, "name", 1, 255);
        constraints.length(&definition.query_string, "queryString", 1, 10_000);
        constraints.length(&definition.id, "queryDefinitionId", 1, 256);
        let language = &definition.query_language;
        let known = LANGUAGES.contains(&language.as_str());
        constraints.that(known, language, "queryLanguage", one_of(LANGUAGES));
        for (i, group) in definition.log_group_names.iter().enumerate() {
            constraints.group_name(group, &format!("logGroupNames.{}.member", i + 1));
        }
        if let Some(token) = &definition.client_token {
            constraints.length(token, "clientToken", 36, 128);
        }
        let count = definition.parameters.len();
        let shown = format!("[{count} parameters]");
        constraints.that(count <= 20, shown, "parameters", at_most("length", 20));
        constraints.finish()?;
        definition.last_modified = now.0;
        let given = definition.id.clone();
        let scope = scope.clone();
        let written = self.change(move |state| {
            let known = all::<QueryDefinition>(state, &scope);
            if update {
                if get::<QueryDefinition>(state, &scope, &definition.id).is_none() {
                    return Err(LogsError::ResourceNotFound(
                        "The specified query definition does not exist.",
                    ));
                }
            } else if let Some(token) = &definition.client_token
                && let Some(earlier) = known.iter().find(|d| d.client_token.as_ref() == Some(token))
            {
                definition.id = earlier.id.clone();
            } else if known.len() >= MAX_DEFINITIONS {
                return Err(LogsError::LimitExceeded("Resource limit exceeded."));
            }
            Ok(vec![put(&scope, &definition)])
        })?;
        let id = written.into_iter().find_map(|record| match record {
            crate::record::Record::Document(document) => Some(document.id),
            _ => None,
        });
        Ok(id.unwrap_or(given))
    }

    /// DescribeQueryDefinitions. `max_results` 1 to 1,000, default 1,000.
    pub fn describe_query_definitions(
        &self,
        scope: &Scope,
        name_prefix: Option<&str>,
        language: Option<&str>,
        max_results: Option<i64>,
        next_token: Option<&str>,
    ) -> Result<QueryDefinitions, LogsError> {
        const LIST: &str = "query definitions";
        let mut constraints = Constraints::new();
        constraints.range(max_results, "maxResults", 1, 1000);
        if let Some(prefix) = name_prefix {
            constraints.length(prefix, "queryDefinitionNamePrefix", 1, 255);
        }
        if let Some(language) = language {
            let known = LANGUAGES.contains(&language);
            constraints.that(known, language, "queryLanguage", one_of(LANGUAGES));
        }
        constraints.finish()?;
        let after = next_token.map(|token| read_list_token(token, LIST)).transpose()?;
        let size = max_results.and_then(|n| usize::try_from(n).ok()).unwrap_or(1000);
        let key = |definition: &QueryDefinition| format!("{}\n{}", definition.name, definition.id);
        let mut found = all::<QueryDefinition>(&self.state(), scope);
        found.retain(|d| {
            name_prefix.is_none_or(|prefix| d.name.starts_with(prefix))
                && language.is_none_or(|language| d.query_language == language)
                && after.as_ref().is_none_or(|after| key(d) > *after)
        });
        found.sort_by_cached_key(key);
        let more = found.len() > size;
        found.truncate(size);
        let next_token = found.last().filter(|_| more).map(|last| list_token(LIST, &key(last)));
        Ok(QueryDefinitions { query_definitions: found, next_token })
    }

    /// DeleteQueryDefinition. `ResourceNotFound` if there is none of this id.
    pub fn delete_query_definition(&self, scope: &Scope, id: &str) -> Result<(), LogsError> {
        Constraints::new().length(id, "queryDefinitionId", 1, 256).finish()?;
        let (scope, id) = (scope.clone(), id.to_owned());
        self.change(move |state| {
            if get::<QueryDefinition>(state, &scope, &id).is_none() {
                return Err(LogsError::ResourceNotFound("The specified query definition does not exist."));
            }
            Ok(vec![gone::<QueryDefinition>(&scope, &id)])
        })?;
        Ok(())
    }
}
