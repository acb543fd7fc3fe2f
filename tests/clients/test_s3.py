"""S3: the AWS CLI and boto3 on buckets and objects of a real server."""

import io
import json
import os
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("s3") / "data")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


@pytest.fixture
def bucket(s3, request):
    name = "b-" + "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:40].strip("-")
    s3.create_bucket(Bucket=name)
    return name


def code(error):
    return error.value.response["Error"]["Code"]


def test_the_command_line_copies_there_and_back(server, bucket, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(os.urandom(20_000_000))
    (tmp_path / "small").write_text("hello\n")
    quiet = "--no-progress"
    assert server.run_aws("s3", "cp", str(large), f"s3://{bucket}/x/large", quiet).returncode == 0
    assert server.run_aws("s3", "cp", str(tmp_path / "small"), f"s3://{bucket}/small", quiet).returncode == 0
    listed = server.run_aws("s3", "ls", f"s3://{bucket}").stdout
    assert "PRE x/" in listed and "6 small" in listed
    assert server.run_aws("s3", "cp", f"s3://{bucket}/x/large", str(tmp_path / "back"), quiet).returncode == 0
    assert (tmp_path / "back").read_bytes() == large.read_bytes()


def test_objects_keep_what_they_were_given(s3, bucket):
    s3.put_object(
        Bucket=bucket, Key="a/ü +&.txt", Body=b"0123456789", ContentType="text/plain", Metadata={"who": "me"},
        CacheControl="no-cache", Tagging="k=v%201", ServerSideEncryption="AES256",
    )  # fmt: skip
    got = s3.get_object(Bucket=bucket, Key="a/ü +&.txt")
    assert got["Body"].read() == b"0123456789"
    assert (got["ContentType"], got["Metadata"], got["CacheControl"]) == ("text/plain", {"who": "me"}, "no-cache")
    assert got["ETag"] == '"781e5e245d69b566979b86e28d23f2c7"'
    assert got["ServerSideEncryption"] == "AES256"
    part = s3.get_object(Bucket=bucket, Key="a/ü +&.txt", Range="bytes=-3")
    assert (part["Body"].read(), part["ContentRange"]) == (b"789", "bytes 7-9/10")
    tags = s3.get_object_tagging(Bucket=bucket, Key="a/ü +&.txt")["TagSet"]
    assert tags == [{"Key": "k", "Value": "v 1"}]
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="a/ü +&.txt", Range="bytes=10-")
    assert code(error) == "InvalidRange"
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="a/ü +&.txt", IfNoneMatch=got["ETag"])
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 304
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="a/ü +&.txt", Body=b"", IfNoneMatch="*")
    assert code(error) == "PreconditionFailed"


def test_a_damaged_body_is_refused(s3, bucket):
    for damage in ({"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, {"ChecksumSHA256": "x" * 43 + "="}):
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"not that", **damage)
        assert code(error) in ("BadDigest", "InvalidDigest", "InvalidRequest"), damage
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=bucket, Key="k")
    assert code(error) == "404"
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm="CRC32")
    assert put["ChecksumCRC32"] == "y/Q5Jg=="
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC32"] == "y/Q5Jg=="


def test_listings_come_in_pages(s3, bucket):
    keys = [f"p/{n:04}/{m}" for n in range(30) for m in range(3)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 7}))
    assert [found["Key"] for page in pages for found in page["Contents"]] == keys
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="p/", Delimiter="/", PaginationConfig={"PageSize": 4}
    )
    assert [p["Prefix"] for page in pages for p in page["CommonPrefixes"]] == [f"p/{n:04}/" for n in range(30)]
    pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig={"PageSize": 11})
    assert [found["Key"] for page in pages for found in page["Contents"]] == keys
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert len(deleted["Deleted"]) == len(keys)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.delete_bucket(Bucket=bucket)


def test_uploads_in_parts(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ContentType="text/x")["UploadId"]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["k"]
    bodies = [os.urandom(5 << 20), b"end"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(
            Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, 1)
    ]  # fmt: skip
    assert len(s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]) == 2
    done = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-2"')
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(bodies) and got["ContentType"] == "text/x"
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert s3.head_object(Bucket=bucket, Key="copy")["ContentLength"] == sum(map(len, bodies))
    with pytest.raises(ClientError) as error:
        s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    assert code(error) == "NoSuchUpload"


def test_an_acknowledged_object_survives_kill_9(tmp_path):
    server = Server(tmp_path / "data")
    s3 = server.boto("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=b"still here")
    server.kill()
    server.start()
    assert server.boto("s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"still here"
    server.stop()


def test_permissions_are_those_of_role_and_bucket_policy(server, s3, bucket):
    iam = server.boto("iam")
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))
    iam.create_user(UserName="boss")
    boss = iam.create_access_key(UserName="boss")["AccessKey"]
    may = lambda action, resource: json.dumps(  # noqa: E731
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    )
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=may("s3:GetObject", f"arn:aws:s3:::{bucket}/ok/*"))
    iam.put_user_policy(UserName="boss", PolicyName="p", PolicyDocument=may("sts:AssumeRole", "*"))
    sts = client(server, "sts", boss["AccessKeyId"], boss["SecretAccessKey"])
    lent = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/reader", RoleSessionName="session")["Credentials"]
    reader = client(server, "s3", lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])
    for key in ("ok/1", "no/1"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert reader.get_object(Bucket=bucket, Key="ok/1")["Body"].read() == b"x"
    for denied in (
        lambda: reader.get_object(Bucket=bucket, Key="no/1"),
        lambda: reader.put_object(Bucket=bucket, Key="ok/2", Body=b""),
        lambda: reader.list_objects_v2(Bucket=bucket),
        lambda: reader.copy_object(Bucket=bucket, Key="ok/3", CopySource={"Bucket": bucket, "Key": "no/1"}),
    ):
        with pytest.raises(ClientError) as error:
            denied()
        assert code(error) == "AccessDenied"
    iam.put_role_policy(
        RoleName="reader", PolicyName="d", PolicyDocument=may("s3:DeleteObject", f"arn:aws:s3:::{bucket}/ok/*")
    )
    s3.put_object(Bucket=bucket, Key="ok/9", Body=b"")
    gone = reader.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "ok/9"}, {"Key": "no/1"}]})
    assert [deleted["Key"] for deleted in gone["Deleted"]] == ["ok/9"]
    assert [(failed["Key"], failed["Code"]) for failed in gone["Errors"]] == [("no/1", "AccessDenied")]
    without_token = client(server, "s3", lent["AccessKeyId"], lent["SecretAccessKey"])
    with pytest.raises(ClientError) as error:
        without_token.get_object(Bucket=bucket, Key="ok/1")
    assert code(error) == "InvalidToken"
    deny = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/reader"}, "Action": "s3:ListBucket",
         "Resource": f"arn:aws:s3:::{bucket}"},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/ok/*"},
    ]}  # fmt: skip
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(deny))
    assert reader.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
    with pytest.raises(ClientError) as error:
        reader.get_object(Bucket=bucket, Key="ok/1")
    assert code(error) == "AccessDenied" and "explicit deny" in error.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as error:
        s3.put_bucket_policy(Bucket=bucket, Policy="{}")
    assert code(error) == "MalformedPolicy"


def test_presigned_and_anonymous(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"seen")
    for version in ("s3v4", "s3"):
        signer = client(server, "s3", *server.key, version=version)
        url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
        assert urllib.request.urlopen(url).read() == b"seen"
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{server.url}/{bucket}/k")
    assert error.value.code == 403 and b"<Code>AccessDenied</Code>" in error.value.read()


def test_errors_have_code_and_text(server, s3, bucket):
    for call, expected in [
        (lambda: s3.get_object(Bucket="nobody-has-it", Key="k"), "NoSuchBucket"),
        (lambda: s3.get_object(Bucket=bucket, Key="k"), "NoSuchKey"),
        (lambda: s3.get_bucket_policy(Bucket=bucket), "NoSuchBucketPolicy"),
        (lambda: s3.get_bucket_cors(Bucket=bucket), "NotImplemented"),
        (lambda: s3.create_bucket(Bucket="Wrong_Name"), "InvalidBucketName"),
        (lambda: client(server, "s3", "AKIAIOSFODNN7EXAMPLE", "x").list_buckets(), "InvalidAccessKeyId"),
        (lambda: client(server, "s3", server.key[0], "wrong").list_buckets(), "SignatureDoesNotMatch"),
    ]:
        with pytest.raises(ClientError) as error:
            call()
        told = error.value.response["Error"]
        assert told["Code"] == expected and len(told["Message"]) > 10, told
    assert bucket in [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_an_emulator_takes_any_key(tmp_path):
    server = Server(tmp_path / "data", "--emulator")
    s3 = client(server, "s3", "any", "thing")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.upload_fileobj(io.BytesIO(b"z" * 9_000_000), "bucket", "k")
    s3.put_object(Bucket="bucket", Key="e", Body=b"gz", ContentEncoding="gzip")
    assert s3.head_object(Bucket="bucket", Key="k")["ContentLength"] == 9_000_000
    got = s3.get_object(Bucket="bucket", Key="e")
    assert (got["Body"].read(), got["ContentEncoding"]) == (b"gz", "gzip")
    assert s3.get_bucket_location(Bucket="bucket")["LocationConstraint"] == "eu-west-1"
    urllib.request.urlopen(urllib.request.Request(server.url + "/moto-api/reset", method="POST"))
    assert s3.list_buckets()["Buckets"] == []
    server.stop()


def client(server, service, key, secret, token=None, version=None):
    return boto3.client(
        service, endpoint_url=server.url, region_name="us-east-1", aws_access_key_id=key,
        aws_secret_access_key=secret, aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, signature_version=version),
    )  # fmt: skip


def test_settings_of_buckets(s3, bucket, server):
    """What infrastructure tools put on every bucket, and read back."""
    here = {"Bucket": bucket}
    block = s3.get_public_access_block(**here)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}, "new buckets block public access"
    public = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
    ]}  # fmt: skip
    with pytest.raises(ClientError) as error:
        s3.put_bucket_policy(**here, Policy=json.dumps(public))
    assert code(error) == "AccessDenied"
    s3.put_object(**here, Key="k", Body=b"open")
    unsigned = urllib.request.Request(f"{server.url}/{bucket}/k")
    s3.delete_public_access_block(**here)
    with pytest.raises(ClientError) as error:
        s3.get_public_access_block(**here)
    assert code(error) == "NoSuchPublicAccessBlockConfiguration"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    s3.put_bucket_policy(**here, Policy=json.dumps(public))
    assert s3.get_bucket_policy_status(**here)["PolicyStatus"]["IsPublic"] is True
    assert urllib.request.urlopen(unsigned).read() == b"open"
    s3.put_public_access_block(**here, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(unsigned)
    assert error.value.code == 403

    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    found = s3.get_bucket_encryption(**here)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert found["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    s3.put_bucket_encryption(**here, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.delete_bucket_encryption(**here)

    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(**here, OwnershipControls=controls)
    assert s3.get_bucket_ownership_controls(**here)["OwnershipControls"] == controls

    with pytest.raises(ClientError) as error:
        s3.get_bucket_lifecycle_configuration(**here)
    assert code(error) == "NoSuchLifecycleConfiguration"
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "AWSLogs/"}, "Expiration": {"Days": 90}}
    s3.put_bucket_lifecycle_configuration(**here, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle_configuration(**here)["Rules"] == [rule]
    moves = rule | {"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}
    with pytest.raises(ClientError) as error:
        s3.put_bucket_lifecycle_configuration(**here, LifecycleConfiguration={"Rules": [moves]})
    assert code(error) == "NotImplemented"
    assert "storage classes" in error.value.response["Error"]["Message"]
    s3.delete_bucket_lifecycle(**here)

    with pytest.raises(ClientError) as error:
        s3.put_bucket_versioning(**here, VersioningConfiguration={"Status": "Enabled"})
    assert code(error) == "NotImplemented"
    s3.put_bucket_versioning(**here, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(**here)["Status"] == "Suspended"
