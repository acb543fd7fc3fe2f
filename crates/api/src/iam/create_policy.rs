//! CreatePolicy: a managed policy with its first version.

use super::request::{lent, request_tag_keys, required, tags};
use super::shape::{self, Usage};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::managed_policy::{self, CreatePolicy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let request = CreatePolicy {
        name: required(params, "PolicyName")?.to_owned(),
        document: required(params, "PolicyDocument")?.to_owned(),
        path: params.get("Path").map(str::to_owned),
        description: params.get("Description").map(str::to_owned),
        tags: tags(params)?,
    };
    let path = request.path.as_deref().unwrap_or("/");
    let arn = managed_policy::arn(&call.scope, path, &request.name).to_string();
    call.authorize("iam:CreatePolicy", &arn, &lent(&request_tag_keys(&request.tags)))?;
    let policy = call.transact(|cx| managed_policy::create(cx, &request))?;
    let mut xml = Xml::new();
    xml.element("Policy", |xml| {
        let unused = Usage { attached: 0, as_boundary: 0 };
        shape::managed_policy(xml, &policy, unused);
        shape::tags(xml, &request.tags);
    });
    Ok(xml)
}
