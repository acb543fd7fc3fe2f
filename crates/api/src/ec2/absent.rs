//! Kinds of resources that Weir does not have. Clients ask for them on their
//! way; the true answer is an empty list, and for an id that nothing has it.
//!
//! Whatever is filtered by, nothing passes: names of filters are not checked.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::region;

/// A kind that there is nothing of.
pub struct Absent {
    /// `ec2:DescribeNatGateways`
    pub action: &'static str,
    /// The parameter with ids.
    pub ids: &'static str,
    /// The list in the answer.
    pub set: &'static str,
    /// The code for an id.
    pub not_found: &'static str,
    /// `natGateway ID`, as it stands in the text of the fault.
    pub noun: &'static str,
}

impl Absent {
    /// Answers the empty list.
    ///
    /// Errors: `not_found` for ids.
    pub fn describe(&self, call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
        call.authorize_ec2(params, self.action, &["*".to_owned()], &[])?;
        call.transact(region::ensure)?;
        if let Some(id) = params.list(self.ids).first() {
            let message = format!("The {} '{id}' does not exist", self.noun);
            return Err(ApiError::new(self.not_found, message));
        }
        let mut xml = Xml::new();
        xml.element(self.set, |_| {});
        Ok(xml)
    }
}
