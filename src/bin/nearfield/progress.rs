//! Progress on standard error, for people only: nothing is shown where it is no terminal, nor
//! for what takes less than a second.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long a stage runs before it is shown.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);

/// One stage of the work. It disappears when dropped.
pub struct Stage {
    bar: ProgressBar,
    /// Dropping the sender ends the thread that waits to show the bar.
    waiting: Option<(mpsc::Sender<()>, std::thread::JoinHandle<()>)>,
}

impl Stage {
    /// A stage of unknown length.
    pub fn spinner(what: &str) -> Self {
        Self::new(ProgressBar::no_length(), "{spinner} {msg} {elapsed}", what)
    }

    /// A stage that goes through a file.
    pub fn bytes(what: &str, path: &Path) -> Self {
        let length = std::fs::metadata(path).map_or(0, |m| m.len());
        let template = "{spinner} {msg} {wide_bar} {bytes} of {total_bytes}, {eta} left";
        Self::new(ProgressBar::new(length), template, what)
    }

    /// A stage of so many steps.
    pub fn steps(what: &str, n: usize) -> Self {
        let template = "{spinner} {msg} {wide_bar} {human_pos} of {human_len}, {eta} left";
        Self::new(ProgressBar::new(n as u64), template, what)
    }

    fn new(bar: ProgressBar, template: &str, what: &str) -> Self {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        if !std::io::stderr().is_terminal() {
            return Self { bar, waiting: None };
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        let (sender, receiver) = mpsc::channel::<()>();
        let shown = bar.clone();
        let thread = std::thread::spawn(move || {
            if receiver.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
            }
        });
        Self { bar, waiting: Some((sender, thread)) }
    }

    /// How far it is.
    pub fn set(&self, position: u64) {
        self.bar.set_position(position);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.waiting.take() {
            drop(sender);
            // A thread that failed to draw has nothing to tell.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
