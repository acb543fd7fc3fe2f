//! `DetachNetworkInterface`. Source: EC2 API, `DetachNetworkInterface`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{attachment, region};

/// Detaches a network interface: its packets are no longer judged or counted.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("AttachmentId")?;
    let attached = call.transact(|cx| {
        region::ensure(cx)?;
        attachment::attached_by(cx, id)
    })?;
    let interface = attached.as_ref().map_or("*", |interface| interface.id.as_str());
    let mut resources = vec![call.arn("ec2", format!("network-interface/{interface}"))];
    let instance = attached.as_ref().and_then(|interface| interface.attached.as_ref());
    resources.extend(instance.map(|at| call.arn("ec2", format!("instance/{}", at.instance))));
    call.authorize_ec2(params, "ec2:DetachNetworkInterface", &resources, &[])?;
    call.transact(|cx| attachment::detach(cx, id))?;
    Ok(super::done())
}
