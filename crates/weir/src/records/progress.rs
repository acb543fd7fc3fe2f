//! The bar on stderr: bytes of the inputs as they lie there, so that it tells
//! the truth for compressed ones too; rate, and time left when the end is known.

use super::inputs::Input;
use super::meter::Meter;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub struct Progress {
    bar: Option<ProgressBar>,
    meter: Arc<Meter>,
}

impl Progress {
    /// A bar, if stderr is a terminal and records do not go to the same one.
    pub fn new(inputs: &[Input], meter: &Arc<Meter>, is_output_on_terminal: bool, is_quiet: bool) -> Self {
        let is_shown = io::stderr().is_terminal() && !is_output_on_terminal && !is_quiet;
        let total = inputs.iter().map(|input| input.bytes).sum::<Option<u64>>();
        let bar = is_shown.then(|| {
            let (bar, template) = match total {
                Some(bytes) => {
                    (ProgressBar::new(bytes), "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left")
                }
                None => (ProgressBar::new_spinner(), "{spinner} {bytes}  {bytes_per_sec}"),
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, meter: Arc::clone(meter) }
    }

    pub fn update(&self) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.meter.read_bytes());
        }
    }

    /// Prints something without the bar in between.
    pub fn suspend(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// `; 1.2 GiB in 3.4 s, 361 MiB/s` on a terminal; else nothing, so that the
    /// same run says the same.
    pub fn rate(&self, begun: Instant) -> String {
        if !io::stderr().is_terminal() {
            return String::new();
        }
        let seconds = begun.elapsed().as_secs_f64().max(1e-9);
        let bytes = self.meter.read_bytes();
        let rate = HumanBytes((bytes as f64 / seconds) as u64);
        format!("; {} in {seconds:.1} s, {rate}/s", HumanBytes(bytes))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}
