//! `CreateNetworkInterface`. Source: EC2 API, `CreateNetworkInterface`.

use super::{describe_network_interfaces, tag_spec, unsupported};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_interface::{self, CreateNetworkInterface, PrivateIpAddress};

/// Makes a network interface.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let mut request = parse(params)?;
    request.requester = call.principal.user_id().map(|id| id.into_owned());
    let mut resources = vec![
        call.arn("ec2", "network-interface/*"),
        call.arn("ec2", format!("subnet/{}", request.subnet_id)),
    ];
    resources.extend(request.groups.iter().map(|id| call.arn("ec2", format!("security-group/{id}"))));
    call.authorize_ec2(params, "ec2:CreateNetworkInterface", &resources, &[])?;
    let shown = call.transact(|cx| {
        let interface = network_interface::create(cx, &request)?;
        describe_network_interfaces::show(cx, vec![interface])
    })?;
    let mut xml = Xml::new();
    for shown in &shown {
        xml.element("networkInterface", |item| {
            describe_network_interfaces::render(item, shown, &call.scope.account);
        });
    }
    xml.optional("clientToken", request.client_token.as_deref());
    Ok(xml)
}

fn parse(params: &Params) -> Result<CreateNetworkInterface, ApiError> {
    let prefixes = ["Ipv4Prefix", "Ipv4PrefixCount", "Ipv6Prefix", "Ipv6PrefixCount"];
    unsupported::refuse(params, &prefixes)?;
    unsupported::refuse(params, &["ConnectionTrackingSpecification", "EnablePrimaryIpv6", "Operator"])?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    let private_ip_addresses = params.structs("PrivateIpAddresses").into_iter().map(|item| {
        let address = item.required("PrivateIpAddress")?.to_owned();
        Ok(PrivateIpAddress { address, primary: item.boolean("Primary")?.unwrap_or(false) })
    });
    let ipv6_addresses = params.structs("Ipv6Addresses").into_iter();
    let ipv6_addresses = ipv6_addresses.map(|item| item.required("Ipv6Address").map(str::to_owned));
    Ok(CreateNetworkInterface {
        subnet_id: params.required("SubnetId")?.to_owned(),
        description: text("Description"),
        groups: params.list("SecurityGroupId").into_iter().map(str::to_owned).collect(),
        private_ip_address: text("PrivateIpAddress"),
        private_ip_addresses: private_ip_addresses.collect::<Result<_, ApiError>>()?,
        secondary_private_ip_address_count: params.integer("SecondaryPrivateIpAddressCount")?,
        ipv6_addresses: ipv6_addresses.collect::<Result<_, _>>()?,
        ipv6_address_count: params.integer("Ipv6AddressCount")?,
        interface_type: text("InterfaceType"),
        client_token: text("ClientToken"),
        requester: None,
        tags: tag_spec::parse(params, "network-interface")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let form = "SubnetId=subnet-1&Description=door&SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2\
                    &PrivateIpAddress=10.0.0.9&PrivateIpAddresses.1.PrivateIpAddress=10.0.0.8\
                    &PrivateIpAddresses.1.Primary=false&SecondaryPrivateIpAddressCount=2\
                    &Ipv6Addresses.1.Ipv6Address=fd00%3A%3A5&ClientToken=t";
        let request = parse(&Params::parse(form.as_bytes()).unwrap()).unwrap();
        assert_eq!(request.groups, ["sg-1", "sg-2"]);
        assert_eq!(request.private_ip_address.as_deref(), Some("10.0.0.9"));
        assert_eq!(request.private_ip_addresses[0].address, "10.0.0.8");
        assert_eq!(request.secondary_private_ip_address_count, Some(2));
        assert_eq!(request.ipv6_addresses, ["fd00::5"]);
        for form in ["Description=x", "SubnetId=s&Ipv4PrefixCount=1", "SubnetId=s&Ipv6AddressCount=x"] {
            assert!(parse(&Params::parse(form.as_bytes()).unwrap()).is_err(), "{form}");
        }
    }
}
