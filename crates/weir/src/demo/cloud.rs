//! The demo's VPC, made through the public AWS-compatible API with signed
//! requests, as any AWS client would.

use super::lab::{CLIENT, DB, Names, WEB};
use crate::client::{Client, xml_text, xml_texts};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// What was made.
pub struct Cloud {
    client: Client,
    pub account_id: String,
    pub acl: String,
    /// The interface of the instance that has visitors.
    pub web_eni: String,
    /// The interface that stays idle.
    pub db_eni: String,
    pub flow_log: String,
}

pub const LOG_GROUP: &str = "weir-demo";

/// The default fields, and the TCP flags.
pub const LOG_FORMAT: &str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} \
    ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status} ${tcp-flags}";

/// The rule that the demo adds while the ping runs.
pub const DENY_PING_REPLIES: &[(&str, &str)] = &[
    ("RuleNumber", "50"),
    ("Protocol", "1"),
    ("RuleAction", "deny"),
    ("Egress", "true"),
    ("CidrBlock", "0.0.0.0/0"),
    ("Icmp.Type", "-1"),
    ("Icmp.Code", "-1"),
];

impl Cloud {
    /// Makes everything and attaches the interfaces in `enforce` mode.
    pub async fn build(client: Client, lab: &Names) -> Result<Self> {
        let ec2 = |action: &'static str, params: Vec<(&'static str, String)>| {
            let client = client.clone();
            async move {
                let params: Vec<(&str, &str)> = params.iter().map(|(n, v)| (*n, v.as_str())).collect();
                client.query("ec2", action, &params).await
            }
        };
        let id = |answer: String, name: &str| {
            xml_text(&answer, name).with_context(|| format!("no {name} in the answer"))
        };

        let vpc = id(ec2("CreateVpc", vec![("CidrBlock", "10.0.0.0/16".into())]).await?, "vpcId")?;
        let mut subnets = Vec::new();
        for cidr in ["10.0.1.0/24", "10.0.2.0/24"] {
            let params = vec![("VpcId", vpc.clone()), ("CidrBlock", cidr.into())];
            subnets.push(id(ec2("CreateSubnet", params).await?, "subnetId")?);
        }

        let params = vec![
            ("GroupName", "web".into()),
            ("GroupDescription", "SSH and ping in, NTP out".into()),
            ("VpcId", vpc.clone()),
        ];
        let group = id(ec2("CreateSecurityGroup", params).await?, "groupId")?;
        for (protocol, from, to) in [("tcp", "22", "22"), ("icmp", "-1", "-1")] {
            ec2("AuthorizeSecurityGroupIngress", permission(&group, protocol, from, to, "0.0.0.0/0")).await?;
        }
        let everything = vec![
            ("GroupId", group.clone()),
            ("IpPermissions.1.IpProtocol", "-1".into()),
            ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0".into()),
        ];
        ec2("RevokeSecurityGroupEgress", everything).await?;
        let clock = format!("{CLIENT}/32");
        ec2("AuthorizeSecurityGroupEgress", permission(&group, "udp", "123", "123", &clock)).await?;

        let acl = id(ec2("CreateNetworkAcl", vec![("VpcId", vpc.clone())]).await?, "networkAclId")?;
        for egress in ["false", "true"] {
            let params = vec![
                ("NetworkAclId", acl.clone()),
                ("RuleNumber", "100".into()),
                ("Protocol", "-1".into()),
                ("RuleAction", "allow".into()),
                ("Egress", egress.into()),
                ("CidrBlock", "0.0.0.0/0".into()),
            ];
            ec2("CreateNetworkAclEntry", params).await?;
        }
        let params =
            vec![("Filter.1.Name", "association.subnet-id".into()), ("Filter.1.Value.1", subnets[0].clone())];
        let answer = ec2("DescribeNetworkAcls", params).await?;
        let associations = xml_texts(&answer, "networkAclAssociationId");
        let mut associations = associations.into_iter().zip(xml_texts(&answer, "subnetId"));
        let (association, _) = associations
            .find(|(_, subnet)| *subnet == subnets[0])
            .context("the subnet has no network ACL")?;
        let params = vec![("AssociationId", association), ("NetworkAclId", acl.clone())];
        ec2("ReplaceNetworkAclAssociation", params).await?;

        let mut interfaces = Vec::new();
        for (subnet, address, description) in [(&subnets[0], WEB, "web"), (&subnets[1], DB, "db")] {
            let params = vec![
                ("SubnetId", subnet.clone()),
                ("PrivateIpAddress", address.to_string()),
                ("Description", description.into()),
                ("SecurityGroupId.1", group.clone()),
            ];
            let eni = id(ec2("CreateNetworkInterface", params).await?, "networkInterfaceId")?;
            interfaces.push(eni);
        }

        let account_id = id(client.query("sts", "GetCallerIdentity", &[]).await?, "Account")?;
        let role = make_role(&client, &account_id).await?;
        client.json("logs", "CreateLogGroup", &json!({ "logGroupName": LOG_GROUP })).await?;
        let params = vec![
            ("ResourceType", "VPC".into()),
            ("ResourceId.1", vpc.clone()),
            ("TrafficType", "ALL".into()),
            ("LogGroupName", LOG_GROUP.into()),
            ("DeliverLogsPermissionArn", role),
            ("LogFormat", LOG_FORMAT.into()),
            ("MaxAggregationInterval", "60".into()),
        ];
        let answer = ec2("CreateFlowLogs", params).await?;
        let flow_log = answer.split_once("<flowLogIdSet>").map_or("", |(_, rest)| rest).to_owned();
        let flow_log =
            id(flow_log, "item").with_context(|| format!("the flow log was not made: {answer}"))?;

        for (eni, netns) in [(&interfaces[0], &lab.web), (&interfaces[1], &lab.db)] {
            let members = json!({
                "Interface": eni,
                "Device": "eth0",
                "NetworkNamespace": netns,
                "Mode": "enforce",
                "Side": "instance",
            });
            client.json("weir", "AttachInterface", &members).await?;
        }
        let [web_eni, db_eni] = [interfaces[0].clone(), interfaces[1].clone()];
        Ok(Self { client, account_id, acl, web_eni, db_eni, flow_log })
    }

    /// Denies ICMP out of the subnet. When it returns, the next packet obeys.
    pub async fn deny_ping_replies(&self) -> Result<()> {
        let mut params = vec![("NetworkAclId", self.acl.as_str())];
        params.extend_from_slice(DENY_PING_REPLIES);
        self.client.query("ec2", "CreateNetworkAclEntry", &params).await?;
        Ok(())
    }

    /// The messages of an interface's log stream, oldest first; none if the
    /// stream does not exist yet.
    pub async fn records(&self, eni: &str) -> Result<Vec<String>> {
        let members = json!({
            "logGroupName": LOG_GROUP,
            "logStreamName": stream(eni),
            "startFromHead": true,
        });
        let answer = match self.client.json("logs", "GetLogEvents", &members).await {
            Ok(answer) => answer,
            Err(error) => {
                let code =
                    error.downcast_ref::<crate::client::ServiceError>().map(|error| error.code.as_str());
                return if code == Some("ResourceNotFoundException") { Ok(Vec::new()) } else { Err(error) };
            }
        };
        let events = answer["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        let message = |event: &Value| event["message"].as_str().map(str::to_owned);
        Ok(events.iter().filter_map(message).collect())
    }
}

/// The log stream of an interface. Source: VPC user guide, "Publish flow logs to CloudWatch Logs".
pub fn stream(eni: &str) -> String {
    format!("{eni}-all")
}

fn permission(group: &str, protocol: &str, from: &str, to: &str, cidr: &str) -> Vec<(&'static str, String)> {
    vec![
        ("GroupId", group.to_owned()),
        ("IpPermissions.1.IpProtocol", protocol.to_owned()),
        ("IpPermissions.1.FromPort", from.to_owned()),
        ("IpPermissions.1.ToPort", to.to_owned()),
        ("IpPermissions.1.IpRanges.1.CidrIp", cidr.to_owned()),
    ]
}

/// A role that the flow logs service may assume and that may write logs.
async fn make_role(client: &Client, account_id: &str) -> Result<String> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "vpc-flow-logs.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": account_id } },
        }],
    });
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
                "logs:DescribeLogGroups", "logs:DescribeLogStreams",
            ],
            "Resource": "*",
        }],
    });
    let (trust, policy) = (trust.to_string(), policy.to_string());
    let params = [("RoleName", "weir-demo-flow-logs"), ("AssumeRolePolicyDocument", trust.as_str())];
    let answer = client.query("iam", "CreateRole", &params).await?;
    let params = [
        ("RoleName", "weir-demo-flow-logs"),
        ("PolicyName", "write-logs"),
        ("PolicyDocument", policy.as_str()),
    ];
    client.query("iam", "PutRolePolicy", &params).await?;
    xml_text(&answer, "Arn").context("no Arn in the answer of CreateRole")
}
