# Resources and data sources beyond those of docs/guides/terraform.md, which
# has the provider. Names here do not meet names there.

data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_availability_zones" "all" {
  state = "available"
}

resource "aws_vpc" "other" {
  cidr_block           = "10.40.0.0/16"
  enable_dns_hostnames = true
  tags = { Name = "main" }
}

resource "aws_subnet" "many" {
  count             = 2
  vpc_id            = aws_vpc.other.id
  cidr_block        = cidrsubnet(aws_vpc.other.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.all.names[count.index]
  tags = { Name = "a${count.index}" }
}

resource "aws_security_group" "edge" {
  name        = "edge"
  description = "web servers"
  vpc_id      = aws_vpc.other.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "db" {
  name   = "db"
  vpc_id = aws_vpc.other.id
}

resource "aws_vpc_security_group_ingress_rule" "db" {
  security_group_id            = aws_security_group.db.id
  referenced_security_group_id = aws_security_group.edge.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  description                  = "from web"
}

resource "aws_security_group_rule" "old" {
  type              = "egress"
  security_group_id = aws_security_group.db.id
  protocol          = "udp"
  from_port         = 53
  to_port           = 53
  cidr_blocks       = ["10.40.0.0/16"]
}

resource "aws_default_security_group" "d" {
  vpc_id = aws_vpc.other.id
}

resource "aws_network_acl" "n" {
  vpc_id     = aws_vpc.other.id
  subnet_ids = [aws_subnet.many[0].id]
  ingress {
    rule_no    = 100
    protocol   = "tcp"
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 65535
  }
  egress {
    rule_no    = 100
    protocol   = "-1"
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
}

resource "aws_network_acl_rule" "r" {
  network_acl_id = aws_network_acl.m.id
  rule_number    = 50
  protocol       = "icmp"
  rule_action    = "deny"
  cidr_block     = "0.0.0.0/0"
  icmp_type      = 8
  icmp_code      = 0
}

resource "aws_network_acl" "m" {
  vpc_id = aws_vpc.other.id
}

resource "aws_network_acl_association" "m" {
  network_acl_id = aws_network_acl.m.id
  subnet_id      = aws_subnet.many[1].id
}

resource "aws_ec2_managed_prefix_list" "p" {
  name           = "office"
  address_family = "IPv4"
  max_entries    = 5
  entry {
    cidr        = "192.0.2.0/24"
    description = "one"
  }
}

resource "aws_network_interface" "eni" {
  subnet_id       = aws_subnet.many[0].id
  private_ips     = ["10.40.0.10"]
  security_groups = [aws_security_group.edge.id]
}

resource "aws_cloudwatch_log_group" "g" {
  name              = "/vpc/other"
  retention_in_days = 14
  tags = { team = "net" }
}

resource "aws_cloudwatch_log_stream" "s" {
  name           = "one"
  log_group_name = aws_cloudwatch_log_group.g.name
}

resource "aws_cloudwatch_log_metric_filter" "f" {
  name           = "rejected-ssh"
  log_group_name = aws_cloudwatch_log_group.g.name
  pattern        = "[version, account, eni, source, destination, srcport, destport=\"22\", protocol=\"6\", packets, bytes, windowstart, windowend, action=\"REJECT\", flowlogstatus]"
  metric_transformation {
    name      = "RejectedSSH"
    namespace = "Net"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "a" {
  alarm_name          = "ssh"
  namespace           = "Net"
  metric_name         = "RejectedSSH"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  period              = 3600
  threshold           = 10
}

resource "aws_cloudwatch_query_definition" "q" {
  name         = "top"
  query_string = "stats sum(bytes) by srcAddr"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "r" {
  name               = "other"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "p" {
  name = "write"
  role = aws_iam_role.r.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:*"], Resource = "*" }]
  })
}

resource "aws_iam_policy" "m" {
  name   = "m"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["ec2:Describe*"], Resource = "*" }]
  })
}

resource "aws_iam_role_policy_attachment" "m" {
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.m.arn
}

resource "aws_iam_user" "u" {
  name = "kim"
}

resource "aws_iam_access_key" "k" {
  user = aws_iam_user.u.name
}

resource "aws_iam_group" "g" {
  name = "ops"
}

resource "aws_iam_user_group_membership" "gm" {
  user   = aws_iam_user.u.name
  groups = [aws_iam_group.g.name]
}

resource "aws_iam_instance_profile" "ip" {
  name = "ip"
  role = aws_iam_role.r.name
}

resource "aws_flow_log" "cwl" {
  vpc_id                   = aws_vpc.other.id
  traffic_type             = "ALL"
  iam_role_arn             = aws_iam_role.r.arn
  log_destination          = aws_cloudwatch_log_group.g.arn
  max_aggregation_interval = 60
  tags = { Name = "fl" }
}

resource "aws_flow_log" "eni" {
  eni_id          = aws_network_interface.eni.id
  traffic_type    = "REJECT"
  iam_role_arn    = aws_iam_role.r.arn
  log_destination = aws_cloudwatch_log_group.g.arn
  log_format      = "$${version} $${srcaddr} $${dstaddr} $${action}"
}

resource "aws_s3_bucket" "b" {
  bucket = "flow-bucket"
}

resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Sid       = "AWSLogDeliveryWrite"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.b.arn}/*"
    }]
  })
}

resource "aws_s3_object" "o" {
  bucket  = aws_s3_bucket.b.id
  key     = "hello.txt"
  content = "hello"
}

output "account" { value = data.aws_caller_identity.me.account_id }

resource "aws_vpc" "six" {
  cidr_block                       = "10.30.0.0/16"
  assign_generated_ipv6_cidr_block = true
}

resource "aws_vpc_ipv4_cidr_block_association" "x" {
  vpc_id     = aws_vpc.six.id
  cidr_block = "10.31.0.0/16"
}

resource "aws_subnet" "six" {
  vpc_id                          = aws_vpc.six.id
  cidr_block                      = "10.30.1.0/24"
  ipv6_cidr_block                 = cidrsubnet(aws_vpc.six.ipv6_cidr_block, 8, 1)
  assign_ipv6_address_on_creation = true
  map_public_ip_on_launch         = true
}

resource "aws_network_interface" "six" {
  subnet_id          = aws_subnet.six.id
  ipv6_address_count = 1
  private_ips_count  = 2
  source_dest_check  = false
  description        = "six"
}

resource "aws_default_network_acl" "d" {
  default_network_acl_id = aws_vpc.six.default_network_acl_id
  subnet_ids             = [aws_subnet.six.id]
  ingress {
    rule_no    = 100
    protocol   = "-1"
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
}

resource "aws_default_vpc" "d" {
  tags = { Name = "default" }
}

resource "aws_default_subnet" "d" {
  availability_zone = "us-east-1a"
}


resource "aws_vpc_security_group_egress_rule" "e" {
  security_group_id = aws_security_group.db.id
  prefix_list_id    = aws_ec2_managed_prefix_list.p.id
  ip_protocol       = "-1"
}

resource "aws_ec2_managed_prefix_list_entry" "e" {
  prefix_list_id = aws_ec2_managed_prefix_list.q.id
  cidr           = "198.51.100.0/24"
}
resource "aws_ec2_managed_prefix_list" "q" {
  name           = "q"
  address_family = "IPv4"
  max_entries    = 5
}

resource "aws_cloudwatch_log_resource_policy" "p" {
  policy_name = "es"
  policy_document = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "es.amazonaws.com" }, Action = ["logs:PutLogEvents", "logs:CreateLogStream"], Resource = "arn:aws:logs:*" }]
  })
}






resource "aws_iam_service_linked_role" "d" {
  aws_service_name = "delivery.logs.amazonaws.com"
}

resource "aws_iam_user_policy" "u" {
  name   = "u"
  user   = aws_iam_user.u.name
  policy = data.aws_iam_policy_document.doc.json
}
data "aws_iam_policy_document" "doc" {
  statement {
    actions   = ["logs:Get*"]
    resources = ["*"]
  }
}
resource "aws_iam_group_policy_attachment" "x" {
  group      = aws_iam_group.g.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
resource "aws_iam_account_alias" "a" { account_alias = "weir" }

data "aws_subnets" "all" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.other.id]
  }
}
data "aws_network_interface" "x" { id = aws_network_interface.eni.id }
data "aws_security_groups" "x" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.other.id]
  }
}
data "aws_network_acls" "x" { vpc_id = aws_vpc.other.id }
data "aws_cloudwatch_log_groups" "x" { log_group_name_prefix = "/vpc" }
data "aws_regions" "r" {}
data "aws_partition" "p" {}
data "aws_prefix_list" "s3" { name = "com.amazonaws.us-east-1.s3" }
data "aws_route_tables" "x" { vpc_id = aws_vpc.other.id }
data "aws_vpcs" "x" {}
data "aws_iam_roles" "x" {}
data "aws_iam_policy" "x" { name = "ReadOnlyAccess" }
data "aws_security_group" "x" { id = aws_security_group.edge.id }
data "aws_vpc" "x" { id = aws_vpc.other.id }
data "aws_subnet" "x" { id = aws_subnet.many[0].id }
data "aws_ec2_managed_prefix_list" "x" { id = aws_ec2_managed_prefix_list.p.id }
data "aws_iam_role" "x" { name = aws_iam_role.r.name }
data "aws_s3_bucket" "x" { bucket = aws_s3_bucket.b.id }
data "aws_vpc_security_group_rules" "x" {
  filter {
    name   = "group-id"
    values = [aws_security_group.db.id]
  }
}

resource "aws_s3_bucket_public_access_block" "b" {
  bucket                  = aws_s3_bucket.b.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# Not aws_s3_bucket_lifecycle_configuration: it works, but the provider waits a minute on purpose.

resource "aws_s3_bucket_ownership_controls" "b" {
  bucket = aws_s3_bucket.b.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}
