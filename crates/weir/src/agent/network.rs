//! The capture as the follower sees it.

use super::follow::Network;
use weir_capture::{Capture, InterfaceNumber};
use weir_policy::CompiledRules;
use weir_types::orders::{Attachment, Mode};

fn text(error: weir_capture::CaptureError) -> String {
    weir_api::error::chain(&error)
}

impl Network for Capture {
    fn attach(&self, number: u32, attachment: &Attachment, rules: &CompiledRules) -> Result<(), String> {
        Capture::attach(self, InterfaceNumber(number), attachment, rules).map_err(text)
    }

    fn detach(&self, number: u32) -> Result<(), String> {
        Capture::detach(self, InterfaceNumber(number)).map_err(text)
    }

    fn set_rules(&self, number: u32, rules: &CompiledRules) -> Result<(), String> {
        Capture::set_rules(self, InterfaceNumber(number), rules).map_err(text)
    }

    fn set_mode(&self, number: u32, mode: Mode) -> Result<(), String> {
        Capture::set_mode(self, InterfaceNumber(number), mode).map_err(text)
    }

    fn leftovers(&self) -> Vec<(u32, String)> {
        Capture::leftovers(self).into_iter().map(|(number, id)| (number.0, id)).collect()
    }

    fn counted(&self) -> Vec<u32> {
        Capture::counted(self).into_iter().map(|number| number.0).collect()
    }

    fn discard(&self, number: u32) -> Result<(), String> {
        Capture::discard(self, InterfaceNumber(number)).map_err(text)
    }

    fn vanished(&self) -> Vec<u32> {
        Capture::vanished(self).into_iter().map(|number| number.0).collect()
    }
    fn moved(&self) -> Vec<u32> {
        Capture::moved(self).into_iter().map(|number| number.0).collect()
    }

    fn is_on(&self, number: u32, attachment: &Attachment) -> bool {
        Capture::is_on(self, InterfaceNumber(number), attachment)
    }
}
