//! `ModifyAvailabilityZoneGroup`: refused, since every zone is opted in and
//! there are no others. Source: EC2 API, `ModifyAvailabilityZoneGroup`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

/// Refuses to opt in or out.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (group, status) = (params.required("GroupName")?, params.required("OptInStatus")?);
    if !["opted-in", "not-opted-in"].contains(&status) {
        let message = format!("Value ({status}) for parameter optInStatus is invalid.");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    call.authorize_ec2(params, "ec2:ModifyAvailabilityZoneGroup", &["*".to_owned()], &[])?;
    let message = format!("The zones of {group} are always opted in");
    Err(ApiError::new("UnsupportedOperation", message))
}
