//! What [`crate::testrun`] needs of the handle: interfaces without a device.

use super::*;

impl Capture {
    /// Programs without a device; `test`: with a clock that the caller sets.
    pub(crate) fn attach_nowhere(
        &self,
        number: InterfaceNumber,
        side: Side,
        mode: Mode,
        rules: &CompiledRules,
        test: bool,
    ) -> Result<Pair, CaptureError> {
        let mut interfaces = lock(&self.interfaces);
        self.check_free(&interfaces, number)?;
        self.divide(interfaces.len() + 1, number)?;
        let (pair, config) = self.prepare(number, side, mode, rules, test)?;
        interfaces.insert(number, Attached { links: None, config, device: None, netns: None });
        lock(&self.windows).note(number);
        Ok(pair)
    }

    pub(crate) fn maps(&self) -> &crate::object::Maps {
        &self.loaded.maps
    }

    pub(crate) fn load_empty(&self) -> Result<std::os::fd::OwnedFd, CaptureError> {
        self.loaded.load_empty()
    }

    pub(crate) fn load_renewing(
        &self,
        number: InterfaceNumber,
    ) -> Result<std::os::fd::OwnedFd, CaptureError> {
        self.loaded.load_renewing(number)
    }
}
