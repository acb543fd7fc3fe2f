//! CreateUser: a user without keys and permissions.

use super::request::{creation_keys, lent, required, tags};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::user::{self, CreateUser};
use weir_control::principal::{User, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let request = CreateUser {
        name: required(params, "UserName")?.to_owned(),
        path: params.get("Path").map(str::to_owned),
        boundary: params.get("PermissionsBoundary").map(str::to_owned),
        tags: tags(params)?,
        unchecked: call.services.settings.emulator,
    };
    let path = request.path.as_deref().unwrap_or("/");
    let arn = identity::arn::<User>(&call.scope, path, &request.name).to_string();
    let keys = creation_keys(request.boundary.as_deref(), &request.tags);
    call.authorize("iam:CreateUser", &arn, &lent(&keys))?;
    let user = call.transact(|cx| user::create(cx, &request))?;
    let mut xml = Xml::new();
    xml.element("User", |xml| shape::user(xml, &user, &request.tags));
    Ok(xml)
}
