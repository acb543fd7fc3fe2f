//! PutQueryDefinition: saves a Logs Insights query, or changes one by its id.

use super::{arn, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::{QueryDefinition, QueryParameter};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name, query] = required::texts(members, ["name", "queryString"])?;
    let given = members.text("queryDefinitionId")?;
    let groups = members.texts("logGroupNames")?.unwrap_or_default();
    let mut parameters = Vec::new();
    for parameter in required::objects(members, "parameters")? {
        let [name] = required::texts(parameter, ["name"])?;
        parameters.push(QueryParameter {
            name: name.to_owned(),
            default_value: parameter.text("defaultValue")?.map(str::to_owned),
            description: parameter.text("description")?.map(str::to_owned),
        });
    }
    let definition = QueryDefinition {
        id: given.map_or_else(super::random_id, |id| Ok(id.to_owned()))?,
        name: name.to_owned(),
        query_string: query.to_owned(),
        query_language: members.text("queryLanguage")?.unwrap_or("CWLI").to_owned(),
        log_group_names: groups.into_iter().map(str::to_owned).collect(),
        parameters,
        last_modified: 0,
        client_token: members.text("clientToken")?.map(str::to_owned),
    };
    call.authorize("logs:PutQueryDefinition", "*", &[])?;
    let scope = arn::store_scope(&call.scope);
    let id = call.services.logs.put_query_definition(&scope, definition, given.is_some(), call.now)?;
    Ok(Some(json!({ "queryDefinitionId": id })))
}
