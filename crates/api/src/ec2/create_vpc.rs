//! `CreateVpc`. Source: EC2 API, `CreateVpc`.

use super::{describe_vpcs, tag_spec, unsupported};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc::{self, CreateVpc};

/// Makes a VPC with its default security group and network ACL.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let request = parse(params)?;
    call.authorize_ec2(params, "ec2:CreateVpc", &[call.arn("ec2", "vpc/*")], &[])?;
    let vpc = call.transact(|cx| vpc::create(cx, &request))?;
    let mut xml = Xml::new();
    xml.element("vpc", |item| describe_vpcs::render(item, &vpc, &request.tags, &call.scope));
    Ok(xml)
}

fn parse(params: &Params) -> Result<CreateVpc, ApiError> {
    let ipam = ["Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength"];
    unsupported::refuse(params, &ipam)?;
    unsupported::refuse(params, &["VpcEncryptionControl"])?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    Ok(CreateVpc {
        cidr_block: text("CidrBlock"),
        ipv6_cidr_block: text("Ipv6CidrBlock"),
        amazon_provided_ipv6_cidr_block: params.boolean("AmazonProvidedIpv6CidrBlock")?.unwrap_or(false),
        instance_tenancy: text("InstanceTenancy"),
        tags: tag_spec::parse(params, "vpc")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let form = "CidrBlock=10.0.0.0%2F16&AmazonProvidedIpv6CidrBlock=true&InstanceTenancy=default\
                    &TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=k\
                    &TagSpecification.1.Tag.1.Value=v";
        let request = parse(&Params::parse(form.as_bytes()).unwrap()).unwrap();
        assert_eq!(request.cidr_block.as_deref(), Some("10.0.0.0/16"));
        assert!(request.amazon_provided_ipv6_cidr_block);
        assert_eq!(request.tags, [("k".to_owned(), "v".to_owned())]);
        for form in
            ["Ipv4IpamPoolId=x", "AmazonProvidedIpv6CidrBlock=x", "TagSpecification.1.ResourceType=eni"]
        {
            assert!(parse(&Params::parse(form.as_bytes()).unwrap()).is_err(), "{form}");
        }
    }
}
