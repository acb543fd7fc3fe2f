//! DescribeQueryDefinitions: by a prefix of their names.

use super::arn;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::QueryDefinition;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    call.authorize("logs:DescribeQueryDefinitions", "*", &[])?;
    let found = call.services.logs.describe_query_definitions(
        &arn::store_scope(&call.scope),
        members.text("queryDefinitionNamePrefix")?,
        members.text("queryLanguage")?,
        members.integer("maxResults")?,
        members.text("nextToken")?,
    )?;
    let definitions: Vec<Value> = found.query_definitions.iter().map(render).collect();
    let mut answer = json!({ "queryDefinitions": definitions });
    if let Some(token) = found.next_token {
        answer["nextToken"] = json!(token);
    }
    Ok(Some(answer))
}

fn render(definition: &QueryDefinition) -> Value {
    let mut shown = json!({
        "queryDefinitionId": definition.id,
        "name": definition.name,
        "queryString": definition.query_string,
        "queryLanguage": definition.query_language,
        "lastModified": definition.last_modified,
        "logGroupNames": definition.log_group_names,
    });
    if !definition.parameters.is_empty() {
        let parameters = definition.parameters.iter().map(|parameter| {
            let mut shown = json!({ "name": parameter.name });
            for (member, value) in
                [("defaultValue", &parameter.default_value), ("description", &parameter.description)]
            {
                if let Some(value) = value {
                    shown[member] = json!(value);
                }
            }
            shown
        });
        shown["parameters"] = parameters.collect();
    }
    shown
}
