//! `unsuccessful`: what a request over many resources could not do.

use crate::protocol::xml::Xml;
use weir_control::flow_log::Unsuccessful;

/// `<unsuccessful>`, which is there even if it is empty: SDKs count on it.
pub fn render(xml: &mut Xml, items: &[Unsuccessful]) {
    xml.set("unsuccessful", items, |item, failed| {
        item.element("error", |error| {
            error.text("code", &failed.code).text("message", &failed.message);
        });
        item.text("resourceId", &failed.resource_id);
    });
}
