//! CreateNamedQuery: keeps a query under a name.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::{NamedQuery, named_query, work_group};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name, database, text] = required::texts(members, ["Name", "Database", "QueryString"])?;
    let group = members.text("WorkGroup")?.unwrap_or(work_group::PRIMARY);
    permit::group(call, "CreateNamedQuery", group)?;
    let query = NamedQuery {
        id: String::new(),
        name: name.to_owned(),
        description: members.text("Description")?.map(str::to_owned),
        database: database.to_owned(),
        query: text.to_owned(),
        work_group: group.to_owned(),
        client_token: members.text("ClientRequestToken")?.map(str::to_owned),
    };
    let id = call.transact(|cx| named_query::create(cx, query.clone()))?;
    Ok(Some(json!({ "NamedQueryId": id })))
}
