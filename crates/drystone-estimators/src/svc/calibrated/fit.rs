//! A calibration from end to end. Holds no arithmetic on rows.

use drystone_core::{ChunkedDataset, Control, Error, Result, Session, Threads};

use super::decided::Decided;
use super::held_out::HeldOut;
use super::{Calibrated, CalibratedParams};
use crate::model_selection::StratifiedKFold;
use crate::svc::params::SvcValidParams;
use crate::svc::survey::{Survey, SurveyPartial};
use crate::svc::{Gamma, Svc};

pub(super) fn fit(
    params: &CalibratedParams<'_>,
    svc: &SvcValidParams<'_>,
    data: &ChunkedDataset,
) -> Result<Calibrated<Svc>> {
    let shared = Threads::shared();
    let executor = svc.executor.unwrap_or(&*shared);
    let control = Control::new(svc.cancel.clone(), None);
    let session = Session::new(executor, svc.observer, &control);
    let data = session.with_known_rows(data)?;
    let survey = session.run(&data, &Survey { n_features: data.n_features() })?;
    check_folds(params.folds, &survey)?;

    let seed = params.seed.unwrap_or(svc.seed);
    let model = params.svc.fit(&data)?;
    let of_fold = params.svc.clone().gamma(Gamma::Value(model.gamma()));
    let mut decided = Decided::new(model.n_classes());
    let mut converged = model.converged();
    let folds = StratifiedKFold::new(params.folds).shuffle(seed).on(executor);
    for (train, test) in folds.split(&data)? {
        let held_out = HeldOut::new(of_fold.fit(&train)?);
        converged &= held_out.svc().converged();
        decided.take_in(session.run(&test, &held_out)?);
    }
    let sigmoids = decided.sigmoids()?;
    Ok(Calibrated { model, sigmoids, folds: params.folds, seed, converged })
}

/// Each fold and its complement must have rows of each class.
fn check_folds(folds: u64, survey: &SurveyPartial) -> Result<()> {
    let few = survey.classes.iter().find(|(_, rows)| rows.n_weighty < folds);
    few.map_or(Ok(()), |(label, rows)| {
        let n = rows.n_weighty;
        let expected = format!("at most the number of rows of each class: class {label} has {n}");
        Err(Error::parameter("folds", expected, folds))
    })
}
