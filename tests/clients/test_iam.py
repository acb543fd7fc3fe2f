"""IAM and STS as administrators use them, through boto3 and the AWS CLI."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, Server

LOGS = "arn:aws:iam::aws:policy/CloudWatchLogsFullAccess"
VPC_READ_ONLY = "arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess"


def document(action, effect="Allow", resource="*"):
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def weir(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("iam") / "data")
    yield server
    server.stop()


@pytest.fixture
def iam(weir):
    return weir.boto("iam")


def outcome(call, **arguments):
    """`ok`, or the error's code."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


def key_of(weir, user):
    made = weir.boto("iam").create_access_key(UserName=user)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def test_a_team_gets_its_permissions_from_its_group_within_a_boundary(weir, iam):
    boundary = iam.create_policy(PolicyName="network-only", PolicyDocument=document(["ec2:*", "iam:Get*"]))
    boundary = boundary["Policy"]["Arn"]
    iam.create_group(GroupName="network")
    iam.create_user(UserName="kim", PermissionsBoundary=boundary)
    iam.add_user_to_group(GroupName="network", UserName="kim")
    key = key_of(weir, "kim")
    ec2, logs = weir.boto("ec2", key), weir.boto("logs", key)

    def allowed():
        return outcome(ec2.describe_vpcs), outcome(ec2.create_vpc, CidrBlock="10.0.0.0/16"), outcome(
            logs.describe_log_groups
        )

    assert allowed() == ("UnauthorizedOperation", "UnauthorizedOperation", "AccessDeniedException")
    iam.attach_group_policy(GroupName="network", PolicyArn=VPC_READ_ONLY)
    assert allowed() == ("ok", "UnauthorizedOperation", "AccessDeniedException")
    iam.attach_group_policy(GroupName="network", PolicyArn=LOGS)
    iam.put_user_policy(UserName="kim", PolicyName="vpcs", PolicyDocument=document("ec2:CreateVpc"))
    assert allowed() == ("ok", "ok", "AccessDeniedException")
    iam.delete_user_permissions_boundary(UserName="kim")
    assert allowed() == ("ok", "ok", "ok")
    used = iam.get_access_key_last_used(AccessKeyId=key[0])
    assert used["UserName"] == "kim" and used["AccessKeyLastUsed"]["ServiceName"] in ("ec2", "logs")
    iam.update_access_key(UserName="kim", AccessKeyId=key[0], Status="Inactive")
    assert outcome(ec2.describe_vpcs) == "AuthFailure"


def test_a_policys_versions_through_the_command_line(weir):
    arn = weir.aws("iam", "create-policy", "--policy-name", "v", "--policy-document", document("s3:Get*"))["Policy"]["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/v"
    made = weir.aws(
        "iam", "create-policy-version", "--policy-arn", arn, "--policy-document", document("s3:*"), "--set-as-default"
    )
    assert (made["PolicyVersion"]["VersionId"], made["PolicyVersion"]["IsDefaultVersion"]) == ("v2", True)
    got = weir.aws("iam", "get-policy-version", "--policy-arn", arn, "--version-id", "v2")["PolicyVersion"]
    assert got["Document"] == json.loads(document("s3:*"))
    assert weir.aws_error("iam", "delete-policy", "--policy-arn", arn) == "DeleteConflict"
    weir.aws("iam", "delete-policy-version", "--policy-arn", arn, "--version-id", "v1")
    weir.aws("iam", "delete-policy", "--policy-arn", arn)
    assert weir.aws_error("iam", "get-policy", "--policy-arn", arn) == "NoSuchEntity"


def test_pages_of_policies_hold_each_policy_once(iam):
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 9})
    names = [policy["PolicyName"] for page in pages for policy in page["Policies"]]
    assert len(names) == len(set(names)) > 40
    assert {"AdministratorAccess", "CloudWatchLogsFullAccess", "ReadOnlyAccess"} <= set(names)


def test_a_denial_is_decoded_and_simulated(weir, iam):
    iam.create_user(UserName="lee")
    iam.put_user_policy(UserName="lee", PolicyName="p", PolicyDocument=document("ec2:Describe*"))
    ec2 = weir.boto("ec2", key_of(weir, "lee"))
    with pytest.raises(ClientError) as caught:
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    message = caught.value.response["Error"]["Message"]
    encoded = message.split("Encoded authorization failure message: ")[1]
    decoded = json.loads(weir.boto("sts").decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["context"]["action"] == "ec2:CreateVpc" and not decoded["allowed"]
    result = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/lee", ActionNames=["ec2:CreateVpc", "ec2:DescribeVpcs"]
    )
    decisions = {one["EvalActionName"]: one["EvalDecision"] for one in result["EvaluationResults"]}
    assert decisions == {"ec2:CreateVpc": "implicitDeny", "ec2:DescribeVpcs": "allowed"}
    simulated = weir.aws(
        "iam", "simulate-custom-policy", "--policy-input-list", document("ec2:*", "Deny"), "--action-names", "ec2:RunInstances"
    )
    result = simulated["EvaluationResults"][0]
    assert result["EvalDecision"] == "explicitDeny"
    assert result["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"


def test_temporary_credentials(weir, iam):
    iam.create_user(UserName="bo")
    iam.attach_user_policy(UserName="bo", PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
    iam.put_user_policy(UserName="bo", PolicyName="sts", PolicyDocument=document("sts:*"))
    key = key_of(weir, "bo")

    def client(service, credentials):
        pair = (credentials["AccessKeyId"], credentials["SecretAccessKey"])
        return weir.boto(service, pair, token=credentials["SessionToken"])

    sts = weir.boto("sts", key)
    session = sts.get_session_token(DurationSeconds=900)["Credentials"]
    assert client("sts", session).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/bo"
    assert outcome(client("ec2", session).describe_vpcs) == "ok"
    assert outcome(client("iam", session).list_users) == "InvalidClientTokenId"
    federated = sts.get_federation_token(Name="guest", PolicyArns=[{"arn": VPC_READ_ONLY}])
    assert federated["FederatedUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/guest"
    ec2 = client("ec2", federated["Credentials"])
    assert (outcome(ec2.describe_vpcs), outcome(ec2.create_vpc, CidrBlock="10.1.0.0/16")) == ("ok", "UnauthorizedOperation")
    assert sts.get_access_key_info(AccessKeyId=key[0])["Account"] == ACCOUNT


def test_everything_survives_a_restart(weir, iam):
    iam.create_user(UserName="stays", Tags=[{"Key": "team", "Value": "net"}])
    key = key_of(weir, "stays")
    details = iam.get_account_authorization_details()
    weir.kill()
    weir.start()
    assert weir.boto("sts", key).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/stays"
    again = weir.boto("iam").get_account_authorization_details()
    assert again["UserDetailList"] == details["UserDetailList"] and again["Policies"] == details["Policies"]
