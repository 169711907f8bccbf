//! What is written about the held-out rows.

use std::path::Path;

use drystone::npy::NpyWriter;
use drystone::{ChunkedDataset, Label, Result, Svc};

use super::fitted::Fitted;
use super::flags::Flags;
use crate::common::output::write_npy;

/// Writes the files that were asked for.
pub fn write(flags: &Flags, fitted: &Fitted, test: &ChunkedDataset) -> Result<()> {
    let model = fitted.svc();
    if let Some(path) = &flags.predictions_out {
        write_predictions(path, model, test)?;
    }
    if let Some(path) = &flags.decision_out {
        let n_columns = if model.n_classes() == 2 { 1 } else { model.n_classes() };
        let writer = NpyWriter::<f64>::create_rows(path, n_columns)?;
        write_npy(writer, &model.decision_function(test))?;
    }
    if let (Some(path), Some(calibrated)) = (&flags.probabilities_out, fitted.calibrated()) {
        let writer = NpyWriter::<f64>::create_rows(path, model.n_classes())?;
        write_npy(writer, &calibrated.predict_proba(test))?;
    }
    Ok(())
}

/// Integers, real numbers, or positions among classes that are names.
fn write_predictions(path: &Path, model: &Svc, test: &ChunkedDataset) -> Result<()> {
    let classes = model.classes();
    if classes.iter().all(|class| matches!(class, Label::Integer(_))) {
        write_npy(NpyWriter::<i64>::create(path)?, &model.predict::<i64>(test)?)
    } else if classes.iter().all(|class| !matches!(class, Label::Name(_))) {
        write_npy(NpyWriter::<f64>::create(path)?, &model.predict::<f64>(test)?)
    } else {
        write_npy(NpyWriter::<u32>::create(path)?, &model.predict_codes(test))
    }
}
