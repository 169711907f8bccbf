//! One part to fit on and one to test on.

use drystone_core::observe::Silent;
use drystone_core::rule::Order;
use drystone_core::{Control, Error, Executor, Label, Result, Session, Threads, ToChunked};

use super::Split;
use super::allot::in_proportion;
use super::classes::Class;
use super::parts::Parts;
use super::strata::Strata;
use super::test_size::TestSize;

/// Splits the rows of a dataset at random into those to fit on and those to test on, lazily:
/// `(train, test)`.
///
/// `test` has ceil(fraction * n) rows, or as many as asked for, and `train` the others; each
/// keeps its rows in their order, in the blocks that they were in, with targets and weights.
/// Which rows go where depends on the seed and the number of rows, not on blocks. Weights do
/// not count.
///
/// ```
/// use drystone_core::laws::small_dataset;
/// use drystone_estimators::model_selection::train_test_split;
/// let data = small_dataset(1000, 64);
/// let (train, test) = train_test_split(&data, 0.25, 7)?;
/// assert_eq!((train.n_samples(), test.n_samples()), (Some(750), Some(250)));
/// let (_, again) = train_test_split(&data.rechunk(99), 0.25, 7)?;
/// assert_eq!(test.compute()?, again.compute()?);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// [`Parameter`](drystone_core::ErrorKind::Parameter) when either part would have no rows; the
/// source's, if rows have to be counted.
///
/// # Performance
/// Nothing is read, but to count rows if their number is unknown: one pass then. Each row's
/// key is computed three times now, on all cores (seconds for 100 million rows), and once in
/// each pass over a part; 8 bytes a block and part are kept. A pass over either part reads
/// all blocks that have rows of it.
pub fn train_test_split(
    data: &impl ToChunked,
    test_size: impl Into<TestSize>,
    seed: u64,
) -> Result<Split> {
    let data = data.to_chunked()?.scan()?;
    let n_samples = data.n_samples().unwrap_or(0);
    let n_test = test_size.into().rows(n_samples)?;
    let sizes = [vec![n_test, n_samples - n_test]];
    let parts = Parts::new(&data, Strata::one(&data), Order::Shuffled { seed }, &sizes);
    Ok((parts.part(1), parts.part(0)))
}

/// As [`train_test_split`], with each class of the targets in proportion in both parts.
///
/// Classes are those of [`Label`]: integers, names or real numbers by their value. The rows to
/// fit on are shared out among classes as scikit-learn does: whole rows of each class's share,
/// and one more where the rest is largest (ties go to the lower class; there at random). So
/// no class is off by a row or more, but a small class may be missing from one part.
///
/// ```
/// use drystone_core::{Block, ChunkedDataset, Targets};
/// use drystone_estimators::model_selection::stratified_train_test_split;
/// use ndarray::Array2;
/// let rare: Vec<i64> = (0..100).map(|row| i64::from(row % 10 == 0)).collect();
/// let block = Block::new(Array2::<f64>::zeros((100, 1))).with_targets(Targets::I64(rare.into()));
/// let data = ChunkedDataset::from_resident(vec![block])?;
/// let (_, test) = stratified_train_test_split(&data, 0.2, 0)?;
/// let Some(Targets::I64(targets)) = test.compute()?.targets else { panic!("integers") };
/// assert_eq!((targets.len(), targets.iter().sum::<i64>()), (20, 2));
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// As for [`train_test_split`]; [`Parameter`](drystone_core::ErrorKind::Parameter) when either
/// part would have fewer rows than there are classes;
/// [`Format`](drystone_core::ErrorKind::Format) when there are no targets, or a class has one
/// row only; [`NotFinite`](drystone_core::ErrorKind::NotFinite) for a target that is no class,
/// with block and row; [`Limit`](drystone_core::ErrorKind::Limit) for over 65,536 classes.
///
/// # Performance
/// One pass over the data for the targets (another before it if row counts are unknown), on
/// all cores; a byte a row in memory until the split is made, four if slices have over 256
/// classes.
pub fn stratified_train_test_split(
    data: &impl ToChunked,
    test_size: impl Into<TestSize>,
    seed: u64,
) -> Result<Split> {
    stratified_train_test_split_on(data, test_size, seed, &*Threads::shared())
}

/// As [`stratified_train_test_split`], on an executor.
///
/// # Errors
/// As for [`stratified_train_test_split`], and the executor's.
pub fn stratified_train_test_split_on(
    data: &impl ToChunked,
    test_size: impl Into<TestSize>,
    seed: u64,
    executor: &dyn Executor,
) -> Result<Split> {
    let control = Control::default();
    let session = Session::new(executor, &Silent, &control);
    let data = session.with_known_rows(&data.to_chunked()?)?;
    let n_samples = data.n_samples().unwrap_or(0);
    let n_test = test_size.into().rows(n_samples)?;
    let strata = Strata::by_class(&session, &data)?;
    check_classes(&strata, n_test)?;
    let train = in_proportion(&strata.classes, n_samples - n_test);
    let size = |(class, n_train): (&Class, u64)| vec![class.n_samples - n_train, n_train];
    let sizes: Vec<Vec<u64>> = strata.classes.iter().zip(train).map(size).collect();
    let parts = Parts::new(&data, strata, Order::Shuffled { seed }, &sizes);
    Ok((parts.part(1), parts.part(0)))
}

fn check_classes(strata: &Strata, n_test: u64) -> Result<()> {
    let least = strata.classes.iter().position(|class| class.n_samples < 2);
    if let Some(class) = least {
        let label = strata.labels.as_ref().map_or(Label::Integer(0), |all| all[class].clone());
        let found = format!("1 of class {label}");
        return Err(Error::format("at least 2 rows of each class to stratify by", found));
    }
    let (n_classes, n_samples) = (strata.classes.len() as u64, strata.n_samples);
    let n_train = n_samples - n_test;
    if n_test < n_classes || n_train < n_classes {
        let expected = format!("such that both parts have a row for each of {n_classes} classes");
        let found = format!("{n_train} rows to fit on and {n_test} to test on");
        return Err(Error::parameter("test_size", expected, found));
    }
    Ok(())
}
