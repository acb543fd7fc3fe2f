"""Weir's own fields: which rule decided, and why a packet was rejected."""

import pytest

from netns import INSIDE, OUTSIDE, Pair
from test_live import Site

pytestmark = pytest.mark.live
FORMAT = "${version} ${dstport} ${flow-direction} ${action} ${weir-deciding-rule} ${weir-reject-reason}"


def test_records_name_the_rule_and_the_reason(serve):
    server = serve("--interval", "1")
    with Pair() as pair:
        site = Site(server, pair, ingress=(), log_format=FORMAT)
        made = site.ec2.authorize_security_group_ingress(
            GroupId=site.group,
            IpPermissions=[
                {"IpProtocol": "udp", "FromPort": 9000, "ToPort": 9002, "IpRanges": [{"CidrIp": f"{OUTSIDE}/32"}]}
            ],
        )
        rule = f"{site.group}/{made['SecurityGroupRules'][0]['SecurityGroupRuleId']}"
        [acl] = site.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])["NetworkAcls"]
        site.ec2.create_network_acl_entry(
            NetworkAclId=acl["NetworkAclId"], RuleNumber=90, Protocol="17", RuleAction="deny", Egress=False,
            CidrBlock="0.0.0.0/0", PortRange={"From": 9002, "To": 9002},
        )  # fmt: skip
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        for port in (9000, 9002, 9003):
            pair.traffic(pair.outside, "udp-from", OUTSIDE, INSIDE, port, 3, 5000)
        expected = {
            f"5 9000 ingress ACCEPT {rule} -",
            "5 9002 ingress REJECT network-acl/90 network-acl-rule",
            "5 9003 ingress REJECT - no-security-group-rule",
        }
        server.wait_until(lambda: expected <= set(site.messages()))
        # The flow goes on in another window: tracked, and its rule is still known.
        pair.traffic(pair.outside, "udp-from", OUTSIDE, INSIDE, 9000, 3, 5000)
        server.wait_until(lambda: site.messages().count(f"5 9000 ingress ACCEPT {rule} -") >= 2)
        sink.communicate(timeout=10)
