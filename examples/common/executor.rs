//! Where an example runs: on threads of this machine, or on the workers of a cluster.

use std::path::PathBuf;

use clap::Args;
use drystone::{Executor, Result, Threads};

use super::machine;

#[derive(Args, Debug)]
pub struct ClusterFlags {
    /// Run on the workers of this scheduler, as 127.0.0.1:8786 (build with --features cluster)
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "threads")]
    cluster: Option<String>,
    /// Directory with the certificate for that scheduler, as `drystone tls init` makes it
    #[arg(long, value_name = "DIR", requires = "cluster", conflicts_with = "insecure")]
    tls: Option<PathBuf>,
    /// Believe whoever is there, unencrypted
    #[arg(long, requires = "cluster")]
    insecure: bool,
}

impl ClusterFlags {
    /// The workers of the scheduler, or so many threads with a budget for blocks.
    pub fn executor(&self, threads: Option<usize>, budget: u64) -> Result<Box<dyn Executor>> {
        match &self.cluster {
            Some(address) => self.connect(address),
            None => Ok(Box::new(Threads::new(machine::threads(threads)?)?.memory_budget(budget))),
        }
    }

    #[cfg(feature = "cluster")]
    fn connect(&self, address: &str) -> Result<Box<dyn Executor>> {
        use drystone::cluster::{Cluster, Trust, tls::Identity};
        let trust = match &self.tls {
            Some(dir) => Trust::Tls(Identity::load(dir)?),
            None if self.insecure => Trust::Insecure,
            None => Trust::of_user()?,
        };
        Ok(Box::new(Cluster::connect_with(address, trust)?))
    }

    #[cfg(not(feature = "cluster"))]
    fn connect(&self, address: &str) -> Result<Box<dyn Executor>> {
        let expected = "left out: this program was built without `--features cluster`";
        Err(drystone::Error::parameter("--cluster", expected, address))
    }
}
