//! The lazy whole: a source, and the steps to apply to each block.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::block::Block;
use crate::column::{Column, ColumnReduction};
use crate::error::{Error, ErrorKind, Result};
use crate::fingerprint::Fingerprint;
use crate::layout::{BlockRows, Dtype, Layout};
use crate::rule::Rule;
use crate::source::{BlockSource, Description};
use crate::steps::{
    Broken, Closure, Concat, Map, Rechunk, Recounted, Resident, Select, Slice, empty_block,
};

/// A dataset in blocks, none of which is read before it is needed.
///
/// A row is known by its position in the dataset it is fitted in, after `concat` and
/// `slice`. Cloning is cheap. What cannot be (a slice past the end) becomes an error
/// when it is read, so that steps can be chained.
///
/// ```
/// use drystone_core::{Block, ChunkedDataset, Dtype, Layout};
/// use ndarray::Array2;
///
/// // The deck's `from_delayed`: a function that makes block `i`, and the declared shape.
/// let data = ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 3, 10, 4), |block_idx| {
///     let rows = if block_idx == 2 { 2 } else { 4 };
///     Ok(Block::new(Array2::from_elem((rows, 3), block_idx as f64)))
/// });
/// assert_eq!(data.to_string(), "ChunkedDataset (10, 3) f64, 3 blocks of up to 4 rows, 240 B");
/// let tail = data.slice(7..10);
/// assert_eq!(tail.sum().compute()?[0], 1.0 + 2.0 + 2.0);
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a chunked dataset is lazy: nothing is read until a model is fitted or a value computed"]
pub struct ChunkedDataset {
    source: Arc<dyn BlockSource>,
    fingerprint: Fingerprint,
    /// Steps taken since the first source.
    depth: usize,
}

/// Steps that may follow each other: reading goes through all of them on the stack.
const MAX_DEPTH: usize = 256;

impl ChunkedDataset {
    /// A dataset over a source.
    pub fn new(source: impl BlockSource) -> Self {
        Self::from_arc(Arc::new(source))
    }

    /// A dataset over a source that has other owners.
    pub fn from_arc(source: Arc<dyn BlockSource>) -> Self {
        let fingerprint = Fingerprint::of(&*source);
        Self { source, fingerprint, depth: 0 }
    }

    /// Blocks from a function, with their declared shape. The function must be pure: it
    /// is called again in each pass for blocks that are not kept.
    #[doc(alias = "from_delayed")]
    pub fn from_blocks(
        layout: Layout,
        make: impl Fn(usize) -> Result<Block> + Send + Sync + 'static,
    ) -> Self {
        Self::new(Closure::new(layout, make))
    }

    /// A dataset that cannot be made: the error comes when it is read.
    pub fn broken(error: Error, layout: Layout) -> Self {
        Self::new(Broken::new(error, &layout))
    }

    /// Blocks that are in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`] or [`ErrorKind::Dtype`]
    /// when they are not of one kind, [`ErrorKind::Empty`] when there are none.
    pub fn from_resident(blocks: Vec<Block>) -> Result<Self> {
        Ok(Self::new(Resident::new(blocks)?))
    }

    /// What is known without reading anything.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.source.layout()
    }

    /// Number of rows, if known without reading anything.
    #[must_use]
    pub fn n_samples(&self) -> Option<u64> {
        self.layout().n_samples()
    }

    /// Columns of the records.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.layout().n_features
    }

    /// Number of blocks.
    #[must_use]
    pub fn n_blocks(&self) -> usize {
        self.layout().n_blocks()
    }

    /// Element type of the records.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.layout().dtype
    }

    /// By which blocks and state are kept.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What another process needs to make the same blocks, if one can.
    #[must_use]
    pub fn describe(&self) -> Option<Description> {
        self.source.describe()
    }

    /// Whether the blocks are in memory already.
    #[must_use]
    pub fn in_memory(&self) -> bool {
        self.source.in_memory()
    }

    /// Reads one block, and checks that it is what the layout says.
    ///
    /// # Errors
    /// The source's, [`ErrorKind::Shape`] or
    /// [`ErrorKind::Dtype`], with the block.
    pub fn read(&self, block_idx: usize) -> Result<Block> {
        self.check_index(block_idx)?;
        let rows = self.layout().rows.rows_of(block_idx).map(|rows| rows.end - rows.start);
        let block = self.source.read(block_idx).and_then(|block| {
            block.check(self.layout(), rows)?;
            Ok(block)
        });
        block.map_err(|error| error.in_block(block_idx as u64))
    }

    /// Reads each block once, on all cores, and merges what `map` makes of it. `merge` must
    /// be associative and commutative: blocks come in any order.
    ///
    /// For work in this process that need not travel; otherwise write a [`Job`](crate::Job).
    ///
    /// # Errors
    /// Those of reading and of `map`, with the block. A row that an error of `map` says is
    /// counted from the first of its block; where row counts are known, from here on from the
    /// first of the dataset.
    pub fn fold_blocks<T: Send>(
        &self,
        identity: impl Fn() -> T + Send + Sync,
        map: impl Fn(&Block) -> Result<T> + Send + Sync,
        merge: impl Fn(T, T) -> T + Send + Sync,
    ) -> Result<T> {
        self.mapped_blocks(map).try_reduce(identity, |a, b| Ok(merge(a, b)))
    }

    /// What `map` makes of each block, in the order of blocks; otherwise as
    /// [`fold_blocks`](Self::fold_blocks).
    ///
    /// ```
    /// let data = drystone_core::laws::small_dataset(10, 4);
    /// let sizes = data.collect_blocks(|block| Ok(block.n_samples()))?;
    /// assert_eq!(sizes, [4, 4, 2]);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`fold_blocks`](Self::fold_blocks).
    pub fn collect_blocks<T: Send>(
        &self,
        map: impl Fn(&Block) -> Result<T> + Send + Sync,
    ) -> Result<Vec<T>> {
        self.mapped_blocks(map).collect()
    }

    fn mapped_blocks<T: Send>(
        &self,
        map: impl Fn(&Block) -> Result<T> + Send + Sync,
    ) -> impl ParallelIterator<Item = Result<T>> {
        let rows = &self.layout().rows;
        (0..self.n_blocks()).into_par_iter().map(move |block_idx| {
            let first_row = rows.rows_of(block_idx).map_or(0, |rows| rows.start);
            let mapped = map(&self.read(block_idx)?);
            mapped.map_err(|error| error.moved_down(first_row).in_block(block_idx as u64))
        })
    }

    /// Number of rows of one block; reads or scans it if that is not known.
    ///
    /// # Errors
    /// The source's, with the block.
    pub fn count_rows(&self, block_idx: usize) -> Result<u64> {
        self.check_index(block_idx)?;
        self.source.count_rows(block_idx).map_err(|error| error.in_block(block_idx as u64))
    }

    fn check_index(&self, block_idx: usize) -> Result<()> {
        if block_idx < self.n_blocks() {
            return Ok(());
        }
        Err(Error::parameter("block_idx", format!("below {}", self.n_blocks()), block_idx))
    }

    /// The same rows with known counts: all blocks are counted now, on all cores.
    ///
    /// # Errors
    /// The source's.
    ///
    /// # Performance
    /// One pass over the data when counts are unknown, none otherwise.
    pub fn scan(&self) -> Result<Self> {
        if self.n_samples().is_some() {
            return Ok(self.clone());
        }
        let counts = crate::executor::Threads::shared().count_rows(self)?;
        self.with_row_counts(&counts)
    }

    /// The same blocks with the rows that an executor has counted, which may have asked others.
    pub(crate) fn with_row_counts(&self, counts: &[u64]) -> Result<Self> {
        if counts.len() != self.n_blocks() {
            return Err(Error::shape("counts", self.n_blocks() as u64, counts.len() as u64));
        }
        if counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count)).is_none() {
            return Err(Error::format("counts of at most 2^64 - 1 rows together", "more"));
        }
        Ok(self.recounted(BlockRows::from_counts(counts)))
    }

    /// The same blocks with rows that the other side of a wire has counted.
    pub(crate) fn with_rows(&self, rows: BlockRows) -> Result<Self> {
        if rows.n_blocks() == self.n_blocks() {
            return Ok(self.recounted(rows));
        }
        Err(Error::shape("blocks", self.n_blocks() as u64, rows.n_blocks() as u64))
    }

    fn recounted(&self, rows: BlockRows) -> Self {
        let recounted = Self::new(Recounted::new(self.clone(), rows));
        let mut recounted = Self { depth: self.depth + 1, ..recounted };
        if recounted.describe().is_none() {
            // The rows are the same, so blocks that are kept stay valid. A description has
            // a fingerprint that is the same in every process.
            recounted.fingerprint = self.fingerprint;
        }
        recounted
    }

    /// The rows of these datasets, one after the other.
    ///
    /// # Errors
    /// When there are none, or their layouts differ.
    pub fn concat(parts: &[Self]) -> Result<Self> {
        let depth = parts.iter().map(|part| part.depth).max().unwrap_or(0) + 1;
        check_depth(depth)?;
        Ok(Self { depth, ..Self::new(Concat::new(parts)?) })
    }

    /// Some of the rows. A range past the end is an error when it is read.
    pub fn slice(&self, rows: Range<u64>) -> Self {
        self.step(Slice::new(self, rows))
    }

    /// The same rows in blocks of `block_rows`. Where row counts are unknown, call
    /// [`scan`](Self::scan) first: it is an error otherwise, when it is read.
    ///
    /// # Performance
    /// Each new block reads all of the old ones that hold rows of it: an old block that is
    /// cut into `n` is read `n` times in a pass over blocks that are not kept.
    pub fn rechunk(&self, block_rows: u64) -> Self {
        self.step(Rechunk::new(self, block_rows))
    }

    /// The rows that a rule keeps, in their order and in the blocks that they are in; a block
    /// may be left without rows. `counts` are the rows kept of each block, so that the layout
    /// knows them: a block that keeps another number is
    /// [`SourceChanged`](ErrorKind::SourceChanged) when it is read. So is a rule that does
    /// not fit the dataset an error then, or a dataset of unknown row counts.
    ///
    /// ```
    /// use drystone_core::rule::{Order, Place, Rule};
    /// let data = drystone_core::laws::small_dataset(10, 4);
    /// let first_six = Rule::new(Order::Rows, Place::START..Order::Rows.place(6));
    /// assert_eq!(data.select(first_six.clone(), &[4, 2, 0]).sum().compute()?[0], 15.0);
    /// assert_eq!(data.select(first_six.others(), &[0, 2, 2]).sum().compute()?[0], 30.0);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    pub fn select(&self, rule: Rule, counts: &[u64]) -> Self {
        self.step(Select::new(self, rule, counts))
    }

    /// Each block through a function that keeps its shape and types.
    pub fn map(&self, f: impl Fn(Block) -> Result<Block> + Send + Sync + 'static) -> Self {
        self.map_to(self.layout().clone(), f)
    }

    /// Each block through a function that gives blocks of this layout, with the same rows.
    pub fn map_to(
        &self,
        mut layout: Layout,
        f: impl Fn(Block) -> Result<Block> + Send + Sync + 'static,
    ) -> Self {
        layout.rows = self.layout().rows.clone();
        self.step(Ok(Map::new(self.clone(), layout, f)))
    }

    /// The same dataset with all of its blocks in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] when they do not fit in the memory that
    /// is available; the source's.
    pub fn persist(&self) -> Result<Self> {
        if self.in_memory() {
            return Ok(self.clone());
        }
        Ok(Self::new(Resident::read(self)?))
    }

    /// All rows as one block in memory; [`slice`](Self::slice) first for some of them.
    ///
    /// ```
    /// # use drystone_core::{Block, ChunkedDataset};
    /// # use ndarray::array;
    /// # let data = ChunkedDataset::from_resident(vec![Block::new(array![[1.0], [2.0], [3.0]])])?;
    /// let block = data.slice(1..3).compute()?;
    /// assert_eq!(block.records.view::<f64>()?, array![[2.0], [3.0]]);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The source's.
    pub fn compute(&self) -> Result<Block> {
        let known = self.scan()?;
        match known.n_samples() {
            Some(0) => empty_block(self.layout()),
            Some(n_samples) => known.rechunk(n_samples).read(0),
            None => known.read(0),
        }
    }

    /// The sum of each column, lazily.
    pub fn sum(&self) -> ColumnReduction {
        ColumnReduction::new(self, Column::Sum)
    }

    /// The mean of each column, lazily.
    pub fn mean(&self) -> ColumnReduction {
        ColumnReduction::new(self, Column::Mean)
    }

    /// The least value of each column, lazily.
    pub fn min(&self) -> ColumnReduction {
        ColumnReduction::new(self, Column::Min)
    }

    /// The greatest value of each column, lazily.
    pub fn max(&self) -> ColumnReduction {
        ColumnReduction::new(self, Column::Max)
    }

    /// The variance of each column (over n), lazily; two passes.
    pub fn var(&self) -> ColumnReduction {
        ColumnReduction::new(self, Column::Var)
    }

    /// A step of one's own: a source that reads this dataset. One that describes itself, and
    /// is registered, can be made in another process; a [`map`](Self::map) cannot.
    ///
    /// One that cannot be made, or is one too many, is an error when it is read.
    pub fn step(&self, source: Result<impl BlockSource>) -> Self {
        let depth = self.depth + 1;
        match check_depth(depth).and(source) {
            Ok(source) => Self { depth, ..Self::new(source) },
            Err(error) => Self::broken(error, self.layout().clone()),
        }
    }
}

fn check_depth(found: usize) -> Result<()> {
    if found <= MAX_DEPTH {
        return Ok(());
    }
    let what = "the number of steps on a dataset (persist() starts anew)".to_owned();
    Err(ErrorKind::Limit { what, limit: MAX_DEPTH as u64, found: found as u64 }.into())
}

impl fmt::Display for ChunkedDataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkedDataset {}", self.layout())
    }
}

impl fmt::Debug for ChunkedDataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkedDataset")
            .field("layout", self.layout())
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}
