//! The deck's data: blobs around the class means of a small sample of blobs.

use drystone::generate::Blobs;
use drystone::{ChunkedDataset, Error, Result, Targets};
use ndarray::Array2;

use super::flags::Flags;

/// Rows of the sample whose class means become the centres.
const SAMPLE_ROWS: u64 = 1000;

/// `blocks` x `block_rows` rows around the class means of `make_blobs(1000, centers)`.
pub fn around_class_means(flags: &Flags) -> Result<ChunkedDataset> {
    let block_rows = flags.generated_rows();
    for (flag, found) in [("--blocks", flags.blocks), ("--block-rows", block_rows)] {
        if found == 0 {
            return Err(Error::parameter(flag, "at least 1", found));
        }
    }
    let n_samples = flags.blocks.checked_mul(block_rows);
    let n_samples = n_samples.ok_or_else(|| {
        Error::parameter("--blocks", "fewer: there are over 2^64 rows", flags.blocks)
    })?;
    Blobs::new(n_samples, flags.features)
        .center_points(class_means(flags)?)
        .cluster_std(flags.cluster_std)
        .seed(flags.seed)
        .block_rows(block_rows)
        .dtype(flags.dtype())
        .try_dataset()
}

fn class_means(flags: &Flags) -> Result<Array2<f64>> {
    let n_rows = SAMPLE_ROWS.max(flags.centers as u64);
    let sample = Blobs::new(n_rows, flags.features)
        .centers(flags.centers)
        .cluster_std(flags.cluster_std)
        .seed(flags.seed)
        .block_rows(n_rows)
        .try_dataset()?
        .read(0)?;
    let Some(Targets::I64(classes)) = &sample.targets else {
        return Err(Error::format("integer targets", "others"));
    };
    let mut means = Array2::zeros((flags.centers, flags.features));
    let mut counts = vec![0.0; flags.centers];
    let rows = sample.records.as_rows::<f64>()?;
    for (row, &class) in rows.view().rows().into_iter().zip(classes.iter()) {
        let mut mean = means.row_mut(class as usize);
        mean += &row;
        counts[class as usize] += 1.0;
    }
    means.rows_mut().into_iter().zip(counts).for_each(|(mut mean, count)| mean /= count);
    Ok(means)
}
