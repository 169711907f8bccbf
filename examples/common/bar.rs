//! A bar on stderr, drawn only if that is a terminal, and not at all for machines.

use std::fmt::Display;

use indicatif::{ProgressBar, ProgressStyle};

pub struct Bar {
    bar: ProgressBar,
    quiet: bool,
}

impl Bar {
    /// A bar of this template.
    pub fn new(quiet: bool, template: &str) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, quiet }
    }

    /// How far it is.
    pub fn advance(&self, done: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(done);
    }

    pub fn message(&self, message: impl Display) {
        self.bar.set_message(message.to_string());
    }

    /// A line for the user, above the bar.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| eprintln!("note: {text}"));
        }
    }

    /// Removes the bar.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
