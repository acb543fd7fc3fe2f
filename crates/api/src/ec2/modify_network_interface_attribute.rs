//! `ModifyNetworkInterfaceAttribute`. Source: EC2 API,
//! `ModifyNetworkInterfaceAttribute`.

use super::{attribute, unsupported};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_interface::{self, Attribute};

/// Changes the description, the security groups, the source/destination check
/// or what becomes of a network interface with its instance.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("NetworkInterfaceId")?;
    let attribute = parse(params)?;
    let mut resources = vec![call.arn("ec2", format!("network-interface/{id}"))];
    if let Attribute::Groups(ids) = &attribute {
        resources.extend(ids.iter().map(|id| call.arn("ec2", format!("security-group/{id}"))));
    }
    call.authorize_ec2(params, "ec2:ModifyNetworkInterfaceAttribute", &resources, &[])?;
    call.transact(|cx| network_interface::modify(cx, id, &attribute))?;
    Ok(super::done())
}

/// The one attribute of the request.
fn parse(params: &Params) -> Result<Attribute, ApiError> {
    unsupported::refuse(params, &["AssociatePublicIpAddress", "AssociatedSubnetId"])?;
    let attachment = params.structure("Attachment");
    unsupported::refuse(&attachment, &["DefaultEnaQueueCount", "EnaQueueCount"])?;
    unsupported::refuse(
        params,
        &["ConnectionTrackingSpecification", "EnablePrimaryIpv6", "EnaSrdSpecification"],
    )?;
    let groups: Vec<String> = params.list("SecurityGroupId").into_iter().map(str::to_owned).collect();
    let description = params.structure("Description").raw("Value").map(str::to_owned);
    let check = attribute::boolean(params, "SourceDestCheck")?;
    let deletion = match attachment.boolean("DeleteOnTermination")? {
        Some(delete) => {
            Some(Attribute::DeleteOnTermination(attachment.required("AttachmentId")?.to_owned(), delete))
        }
        None if attachment.is_empty() => None,
        None => return Err(ApiError::missing_parameter("Attachment.DeleteOnTermination")),
    };
    let given = [
        ("attachment", deletion),
        ("description", description.map(Attribute::Description)),
        ("groupSet", (!groups.is_empty()).then_some(Attribute::Groups(groups))),
        ("sourceDestCheck", check.map(Attribute::SourceDestCheck)),
    ];
    attribute::only(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_attribute() {
        let parse = |form: &str| parse(&Params::parse(form.as_bytes()).unwrap());
        for (form, expected) in [
            ("Description.Value=", Attribute::Description(String::new())),
            (
                "SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2",
                Attribute::Groups(vec!["sg-1".into(), "sg-2".into()]),
            ),
            (
                "Attachment.AttachmentId=eni-attach-1&Attachment.DeleteOnTermination=true",
                Attribute::DeleteOnTermination("eni-attach-1".into(), true),
            ),
            ("SourceDestCheck.Value=false", Attribute::SourceDestCheck(false)),
        ] {
            assert_eq!(parse(form).unwrap(), expected);
        }
        for (form, message) in [
            ("", "No attributes specified."),
            (
                "Description.Value=x&SourceDestCheck.Value=true",
                "Fields for multiple attribute types specified: description, sourceDestCheck",
            ),
            (
                "Attachment.AttachmentId=x",
                "The request must contain the parameter Attachment.DeleteOnTermination",
            ),
            (
                "EnablePrimaryIpv6=true",
                "The parameter EnablePrimaryIpv6 is not supported by this version of Weir",
            ),
        ] {
            assert_eq!(parse(form).unwrap_err().message, message);
        }
    }
}
