//! `CreateSubnet`. Source: EC2 API, `CreateSubnet`.

use super::describe_subnets::{self, Shown};
use super::{tag_spec, unsupported};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::subnet::{self, CreateSubnet};

/// Makes a subnet with its VPC's default network ACL.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let mut request = parse(params)?;
    request.takes_any_ipv6 = call.services.settings.emulator;
    let resources = [call.arn("ec2", "subnet/*"), call.arn("ec2", format!("vpc/{}", request.vpc_id))];
    call.authorize_ec2(params, "ec2:CreateSubnet", &resources, &[])?;
    let subnet = call.transact(|cx| subnet::create(cx, &request))?;
    let mut xml = Xml::new();
    let shown = Shown { subnet, used: 0, tags: request.tags };
    xml.element("subnet", |item| describe_subnets::render(item, &shown, &call.scope));
    Ok(xml)
}

fn parse(params: &Params) -> Result<CreateSubnet, ApiError> {
    let ipam = ["Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength"];
    unsupported::refuse(params, &ipam)?;
    unsupported::refuse(params, &["Ipv6Native", "OutpostArn"])?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    Ok(CreateSubnet {
        vpc_id: params.required("VpcId")?.to_owned(),
        cidr_block: params.required("CidrBlock")?.to_owned(),
        ipv6_cidr_block: text("Ipv6CidrBlock"),
        availability_zone: text("AvailabilityZone"),
        availability_zone_id: text("AvailabilityZoneId"),
        takes_any_ipv6: false,
        tags: tag_spec::parse(params, "subnet")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let form = "VpcId=vpc-1&CidrBlock=10.0.0.0%2F24&AvailabilityZone=us-east-1b&Ipv6Native=false";
        let request = parse(&Params::parse(form.as_bytes()).unwrap()).unwrap();
        assert_eq!((request.vpc_id.as_str(), request.cidr_block.as_str()), ("vpc-1", "10.0.0.0/24"));
        assert_eq!(request.availability_zone.as_deref(), Some("us-east-1b"));
        for form in ["CidrBlock=10.0.0.0%2F24", "VpcId=vpc-1", "VpcId=vpc-1&CidrBlock=x&Ipv6Native=true"] {
            assert!(parse(&Params::parse(form.as_bytes()).unwrap()).is_err(), "{form}");
        }
    }
}
