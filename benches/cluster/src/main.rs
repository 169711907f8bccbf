//! Trials of a cluster with real processes on this machine: what a step costs, what faults
//! cost, and whether the bits are the same whatever is done to workers and schedulers.

mod deck;
mod faults;
mod model;
mod overhead;
mod relay;
mod soak;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use drystone_core::{Error, Result};

/// Trials of a cluster with real processes on this machine.
#[derive(Parser, Debug)]
struct Flags {
    #[command(subcommand)]
    trial: Trial,
    /// The program that is tried [default: `drystone` beside this one]
    #[arg(long, global = true)]
    program: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Trial {
    /// What a step costs without work, and a fit over cached blocks beside local threads
    Overhead(overhead::Overhead),
    /// The deck's job on workers of one slot
    Deck(deck::Deck),
    /// What a SIGKILL and a SIGSTOP of a worker cost
    Faults(faults::Faults),
    /// Random schedules of faults: the same bits in all
    Soak(soak::Soak),
    /// A model of steps over many workers and blocks, from what a step was measured to cost
    Model(model::Model),
    /// Hand on bytes after a while, as a network of some length would
    Relay(relay::Relay),
}

/// What all trials have in common.
struct Setting {
    program: PathBuf,
    json: bool,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags) -> Result<()> {
    let (given, json) = (flags.program, flags.json);
    let setting = || -> Result<Setting> { Ok(Setting { program: program(given)?, json }) };
    match flags.trial {
        Trial::Overhead(overhead) => overhead.run(&setting()?),
        Trial::Deck(deck) => deck.run(&setting()?),
        Trial::Faults(faults) => faults.run(&setting()?),
        Trial::Soak(soak) => soak.run(&setting()?),
        Trial::Model(model) => {
            model.run();
            Ok(())
        }
        Trial::Relay(relay) => relay.run(),
    }
}

fn program(given: Option<PathBuf>) -> Result<PathBuf> {
    let own = std::env::current_exe().map_err(|error| Error::io("cannot find itself", error))?;
    let program = given.unwrap_or_else(|| own.with_file_name("drystone"));
    if program.is_file() {
        return Ok(program);
    }
    let expected = "a program: build it with `cargo build --release -p drystone-cli`";
    Err(Error::parameter("--program", expected, program.display()))
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
