//! Resources of a statement: the checks of their form.
//!
//! IAM takes ARNs of which parts are missing at the end and means `*` by them,
//! as long as no part that is there is empty.
//!
//! Source: messages of IAM as people report them.

use super::PolicyError;
use crate::pattern::ResourcePattern;

const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// How the resources of IAM's own ARNs may begin.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// What the older parser refuses: of a known partition, an ARN whose service is
/// empty, or with too few parts and empty ones among them.
pub(super) fn check_legacy<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<(), PolicyError> {
    for text in texts {
        let parts: Vec<&str> = text.split(':').collect();
        let [_, partition, service, rest @ ..] = parts.as_slice() else { continue };
        let is_short = rest.len() < 3 && rest.iter().any(|part| part.is_empty());
        if is_partition(partition) && (service.is_empty() || is_short) {
            return Err(PolicyError::Legacy(format!("The resource {text} is no ARN.")));
        }
    }
    Ok(())
}

/// A resource as a pattern.
pub(super) fn parse(text: &str, variables: bool) -> Result<ResourcePattern, PolicyError> {
    if text == "*" {
        return Ok(ResourcePattern::Any);
    }
    let Some((_, after)) = text.split_once(':') else {
        return Err(PolicyError::NoArn(text.to_owned()));
    };
    let parts: Vec<&str> = after.splitn(5, ':').collect();
    let padded = |from: &[&str]| {
        let mut all: Vec<&str> = from.to_vec();
        all.resize(5, "*");
        format!("arn:{}", all.join(":"))
    };
    let [partition, others @ ..] = parts.as_slice() else {
        return Err(PolicyError::NoArn(text.to_owned()));
    };
    if !is_partition(partition) {
        return Err(PolicyError::Partition { partition: (*partition).to_owned(), resource: padded(&parts) });
    }
    let Some(service) = others.first() else {
        return Err(PolicyError::NoResourceVendor(text.to_owned()));
    };
    let region = others.get(1).copied().unwrap_or_default();
    let resource = others.get(3).copied().unwrap_or("*");
    let has_region = !region.is_empty() && region != "*";
    if *service == "iam" && has_region {
        return Err(PolicyError::IamRegion(text.to_owned()));
    }
    let is_access_point = resource.starts_with("accesspoint/") || resource.contains("accesspoint");
    if *service == "s3" && has_region && !is_access_point {
        return Err(PolicyError::Region(text.to_owned()));
    }
    let is_iam_path = resource.starts_with(['*', '?', '$'])
        || resource == "root"
        || IAM_PATHS.iter().any(|path| resource.starts_with(path) || is_cut_off(resource, path));
    if *service == "iam" && !is_iam_path {
        return Err(PolicyError::IamPath(text.to_owned()));
    }
    let whole = padded(&parts);
    ResourcePattern::parse(&whole, variables).ok_or_else(|| PolicyError::NoArn(text.to_owned()))
}

/// Whether a wildcard comes before the path's slash, as in `role*`.
fn is_cut_off(resource: &str, path: &str) -> bool {
    let head = resource.split(['*', '?', '$']).next().unwrap_or_default();
    head.len() < resource.len() && path.starts_with(head)
}

fn is_partition(text: &str) -> bool {
    PARTITIONS.contains(&text) || text.contains(['*', '?']) || text.starts_with("${")
}
