//! The certificate of a model that is given.

use std::sync::Arc;

use drystone_core::{ChunkedDataset, Control, Error, ErrorKind, Result, Session, Threads};

use super::certificate::Certificate;
use super::classes::pairs;
use super::fit::{Problem, Sweeps};
use super::log::Pool;
use super::model::{Status, Svc};
use super::pair::Pair;
use super::params::SvcValidParams;
use crate::rows::row_values;

pub(crate) fn certify(
    params: &SvcValidParams<'_>,
    model: &Svc,
    data: &ChunkedDataset,
) -> Result<Vec<Certificate>> {
    let shared = Threads::shared();
    let executor = params.executor.unwrap_or(&*shared);
    let control = Control::new(params.cancel.clone(), params.max_time);
    let mut problem = Problem::new(params, executor, &control, data)?;
    if *problem.classes != model.classes || problem.frame.n_features() != model.n_features() {
        let found = "data of other classes or columns";
        return Err(Error::format("the data that the model was fitted to", found));
    }
    problem.frame = Arc::new(model.frame.clone());
    let mut pool = Pool::new(model.n_features());
    for (idx, &row) in model.support.iter().enumerate() {
        pool.add(row, &row_values(&model.support_vectors, idx));
    }
    let solutions = model.solutions();
    let goal = problem.goal(params);
    let mut problems = Vec::with_capacity(solutions.len());
    for ((index, classes), solution) in pairs(model.n_classes() as u32).enumerate().zip(&solutions)
    {
        let intercept = model.sign() * model.intercept[index];
        problems.push(Pair::solved(index as u32, classes, goal, solution, intercept));
    }
    let mut sweeps = Sweeps::new(&problem, pool, problems, false);
    let session = Session::new(executor, params.observer, &control);
    if let Some(status) = sweeps.run(&session)? {
        let reason = match status {
            Status::MaxTime => drystone_core::StopReason::MaxTime,
            _ => drystone_core::StopReason::Cancelled,
        };
        return Err(ErrorKind::Stopped { reason }.into());
    }
    let certificates = sweeps.pairs.iter().zip(&solutions).map(|(pair, solution)| {
        let n_found = pair.n_watched as u64;
        if n_found != solution.len() as u64 {
            let expected =
                format!("{} support vectors among the rows of their classes", solution.len());
            return Err(Error::format(expected, n_found));
        }
        // The coefficients of two classes must come to the same.
        let sum: f64 = solution.iter().map(|(_, _, beta)| beta).sum();
        let mut certificate = pair.certificate;
        certificate.max_kkt_violation = certificate.max_kkt_violation.max(sum.abs());
        Ok(certificate)
    });
    certificates.collect()
}

#[cfg(test)]
mod tests;
