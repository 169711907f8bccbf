//! `drystone tls`: the keys that the processes of a cluster know each other by.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use drystone_cluster::tls::{self, CLIENT};
use drystone_core::Result;

#[derive(Subcommand, Debug)]
pub enum TlsCommand {
    /// Make an authority, and keys of hosts that it vouches for; or keys of more hosts
    Init(InitFlags),
}

#[derive(clap::Args, Debug)]
pub struct InitFlags {
    /// Host names and IP addresses by which others connect, as in node-1,10.0.0.2: no others
    /// will do, so name localhost or 127.0.0.1 too if they are used
    #[arg(long, required = true, value_delimiter = ',', value_name = "HOST,...")]
    hosts: Vec<String>,
    /// Where the keys are made
    #[arg(long, default_value = "drystone-tls")]
    dir: PathBuf,
}

pub fn run(command: &TlsCommand) -> Result<()> {
    let TlsCommand::Init(flags) = command;
    let made = tls::init(&flags.dir, &flags.hosts)?;
    print!("{}", to_do(&flags.dir, &made));
    Ok(())
}

/// What was made, and what is to be done with it.
fn to_do(dir: &Path, made: &[PathBuf]) -> String {
    let lines = made.iter().map(|path| format!("made {}: for {}\n", path.display(), user_of(path)));
    let key = dir.join("ca.key");
    lines.collect::<String>()
        + &format!(
            "\nCopy each directory to where it is for (scp -rp keeps it private), and name it to the\n\
             processes there with --tls. They hold for two years, their authority for ten.\n\
             {} vouches for hosts: it stays here, and nobody else needs it.\n",
            key.display()
        )
}

fn user_of(path: &Path) -> String {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(CLIENT) | None => "drivers and `drystone status`, on any machine".to_owned(),
        Some(host) => format!("the scheduler or workers on {host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_goes_where() {
        let made = ["keys/a", "keys/client"].map(PathBuf::from);
        let said = to_do(Path::new("keys"), &made);
        let expected = "\
made keys/a: for the scheduler or workers on a
made keys/client: for drivers and `drystone status`, on any machine

Copy each directory to where it is for (scp -rp keeps it private), and name it to the
processes there with --tls. They hold for two years, their authority for ten.
keys/ca.key vouches for hosts: it stays here, and nobody else needs it.
";
        assert_eq!(said, expected);
    }
}
