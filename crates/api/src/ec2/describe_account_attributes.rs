//! `DescribeAccountAttributes`. Source: EC2 API, `DescribeAccountAttributes`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{region, vpc};

/// Security groups of an interface, at most, as
/// [`weir_control::network_interface`] has it.
const GROUPS: &str = "16";

/// Shows limits of the account and its default VPC.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    call.authorize_ec2(params, "ec2:DescribeAccountAttributes", &["*".to_owned()], &[])?;
    let default = call.transact(|cx| {
        region::ensure(cx)?;
        vpc::default(cx)
    })?;
    let default = default.map_or_else(|| "none".to_owned(), |vpc| vpc.id.to_string());
    // Weir runs no instances and gives no public addresses.
    let all = [
        ("vpc-max-security-groups-per-interface", GROUPS),
        ("max-instances", "0"),
        ("supported-platforms", "VPC"),
        ("default-vpc", &default),
        ("max-elastic-ips", "0"),
        ("vpc-max-elastic-ips", "0"),
    ];
    let wanted = params.list("AttributeName");
    if let Some(unknown) = wanted.iter().find(|name| !all.iter().any(|(known, _)| known == *name)) {
        let message = format!("Value ({unknown}) for parameter attributeName is invalid.");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let shown = all.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name));
    let mut xml = Xml::new();
    xml.set("accountAttributeSet", shown, |item, (name, value)| {
        item.text("attributeName", name).set("attributeValueSet", [value], |item, value| {
            item.text("attributeValue", value);
        });
    });
    Ok(xml)
}
