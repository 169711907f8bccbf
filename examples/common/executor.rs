//! Where an example runs: on threads of this machine, or on the workers of a cluster.

use drystone::{Executor, Result, Threads};

use super::machine;

/// The workers of the scheduler at an address, or so many threads with a budget for blocks.
pub fn of(cluster: Option<&str>, threads: Option<usize>, budget: u64) -> Result<Box<dyn Executor>> {
    match cluster {
        Some(address) => connect(address),
        None => Ok(Box::new(Threads::new(machine::threads(threads)?)?.memory_budget(budget))),
    }
}

#[cfg(feature = "cluster")]
fn connect(address: &str) -> Result<Box<dyn Executor>> {
    Ok(Box::new(drystone::cluster::Cluster::connect(address)?))
}

#[cfg(not(feature = "cluster"))]
fn connect(address: &str) -> Result<Box<dyn Executor>> {
    let expected = "left out: this program was built without `--features cluster`";
    Err(drystone::Error::parameter("--cluster", expected, address))
}
