//! `AttachNetworkInterface`. Source: EC2 API, `AttachNetworkInterface`.
//!
//! Which device of a host is meant cannot be said with it; `weir attach` can.
//! An emulator has no devices, so it takes any instance.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{attachment, instance};

/// Attaches a network interface to an instance, of an emulator.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (id, to) = (params.required("NetworkInterfaceId")?, params.required("InstanceId")?);
    let index = params.required("DeviceIndex").and_then(|_| params.integer("DeviceIndex"))?.unwrap_or(0);
    let index = u32::try_from(index).map_err(|_| {
        let message = format!("Value ({index}) for parameter deviceIndex is invalid.");
        ApiError::new("InvalidParameterValue", message)
    })?;
    let resources =
        [call.arn("ec2", format!("network-interface/{id}")), call.arn("ec2", format!("instance/{to}"))];
    call.authorize_ec2(params, "ec2:AttachNetworkInterface", &resources, &[])?;
    let emulator = call.services.settings.emulator;
    let attachment = call.transact(|cx| {
        if !emulator {
            instance::select(cx, &[to])?;
            return Ok(None);
        }
        attachment::attach_without_device(cx, id, to, index).map(Some)
    })?;
    let attachment = attachment.ok_or_else(|| {
        let message = format!(
            "A network interface is attached to a device of its host. There, use: \
             weir attach --interface {id} --device NAME"
        );
        ApiError::new("UnsupportedOperation", message)
    })?;
    let mut xml = Xml::new();
    xml.text("attachmentId", attachment).text("networkCardIndex", 0);
    Ok(xml)
}
