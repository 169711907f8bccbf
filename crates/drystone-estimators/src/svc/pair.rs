//! The driver's side of one problem of two classes: takes what a sweep found, improves the
//! coordinates, and says what the next sweep is to take in.

use std::collections::BTreeMap;
use std::sync::Arc;

use drystone_kernels::ExactSum;
use drystone_kernels::smo::Stop;

use super::certificate::Certificate;
use super::kernel::Frame;
use super::log::{Change, Extremes, Log, Pool, Segment};
use super::sweep::{Latest, PairPartial, PairTask};
use super::working_set::{Member, WorkingSet};
use crate::draws::Drawn;

/// Steps between those that lay rows aside.
const SHRINK_EVERY: usize = 3;
/// A working set is solved until the violation is this share of what it was.
const INNER_SHARE: f64 = 0.1;
/// Rounding of single precision must not decide about convergence, so sweeps in it aim lower.
const SINGLE_SHARE: f64 = 0.95;
/// Confirmations that may fail before the problem is given up.
const MAX_FAILED: u32 = 20;
/// Confirmations without much progress before single precision is given up.
const MAX_STALLED: u32 = 2;
/// Steps of the inner solver for each place in the working set, at most.
const INNER_ITER: usize = 200;
/// A log of so many changes for each row of the pool is cut short.
const LOG_PER_ROW: usize = 32;

/// What a problem is solved to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub tol: f64,
    /// Steps of the inner solver, at most.
    pub max_iter: usize,
    pub shrinking: bool,
    /// Whether the kernel has no negative eigenvalues.
    pub convex: bool,
    /// Whether single precision cannot hold the kernels' arguments.
    pub precise: bool,
    /// What rounding does to a gradient, relative to the coordinates times their rows' kernels.
    pub rounding: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Solving,
    /// The sweep sums up all gradients from the coordinates, in double precision.
    Refreshing,
    /// The sweep measures what the intercept leaves to be desired.
    Measuring,
    Done,
}

/// What is known of a row that was ever in a working set.
#[derive(Clone, Copy, Debug)]
struct Known {
    place: u32,
    bound: f64,
    beta: f64,
}

/// A problem of two classes on its way to the optimum.
#[derive(Debug)]
pub(crate) struct Pair {
    pub index: u32,
    pub first: u32,
    pub second: u32,
    goal: Goal,
    phase: Phase,
    log: Arc<Log>,
    known: BTreeMap<u64, Known>,
    set: Set,
    /// Most members of the working set.
    size: usize,
    watched: Arc<Vec<u64>>,
    /// Steps of the inner solver so far.
    pub n_iter: usize,
    /// Whether it is to end here, whatever is violated.
    ending: bool,
    /// The least violation that was confirmed in double precision.
    best_gap: f64,
    /// The greatest dual objective that was found in double precision.
    best_dual: f64,
    /// What rounding may do to gradients.
    rounding: f64,
    n_stalled: u32,
    n_failed: u32,
    /// Whether the next refresh is there to cut the log short, not to confirm.
    is_cut: bool,
    intercept: f64,
    /// Rows whose gradients came back from the last sweep that asked for those of all
    /// support vectors.
    pub n_watched: usize,
    /// Whether the intercept was given, not to be found.
    is_given: bool,
    pub certificate: Certificate,
}

#[derive(Debug)]
enum Set {
    Single(WorkingSet<f32>),
    Double(WorkingSet<f64>),
}

impl Set {
    fn new(precise: bool) -> Self {
        if precise {
            Self::Double(WorkingSet::default())
        } else {
            Self::Single(WorkingSet::default())
        }
    }

    fn members(&mut self) -> &mut Vec<Member> {
        match self {
            Self::Single(set) => &mut set.members,
            Self::Double(set) => &mut set.members,
        }
    }

    fn keep(&mut self, order: &[usize]) {
        match self {
            Self::Single(set) => set.keep(order),
            Self::Double(set) => set.keep(order),
        }
    }

    fn solve(
        &mut self,
        added: Vec<Member>,
        frame: &Frame,
        pool: &Pool,
        stop: Stop,
    ) -> (usize, Vec<Change>) {
        match self {
            Self::Single(set) => {
                set.add(added, frame, pool);
                set.solve(stop)
            }
            Self::Double(set) => {
                set.add(added, frame, pool);
                set.solve(stop)
            }
        }
    }
}

/// Most members of the working set of a problem of so many rows: candidates should be few
/// among the rows, and their matrix small beside what a sweep costs.
fn working_set_size(n_rows: u64) -> usize {
    let root = (n_rows as f64).sqrt();
    let wanted = (4.0 * root).min(n_rows as f64 / 12.0) as usize;
    wanted.next_power_of_two().clamp(64, 1024)
}

/// The candidates that violate the conditions of the optimum, and their gradients.
pub(crate) fn violators(found: &PairPartial) -> impl Iterator<Item = (&Drawn, f64)> {
    let Extremes { least, greatest } = found.extremes;
    let growers = found.growers.winners().iter().map(|row| (row, row.key));
    let shrinkers = found.shrinkers.winners().iter().map(|row| (row, -row.key));
    let growers = growers.filter(move |(_, gradient)| *gradient < greatest);
    growers.chain(shrinkers.filter(move |(_, gradient)| *gradient > least))
}

impl Pair {
    pub fn new(index: u32, classes: (u32, u32), n_rows: u64, goal: Goal) -> Self {
        let log =
            Log { precise: goal.precise, segments: vec![Segment::default()], ..Log::default() };
        Self {
            index,
            first: classes.0,
            second: classes.1,
            goal,
            phase: Phase::Solving,
            log: Arc::new(log),
            known: BTreeMap::new(),
            set: Set::new(goal.precise),
            size: working_set_size(n_rows),
            watched: Arc::default(),
            n_iter: 0,
            ending: false,
            best_gap: f64::INFINITY,
            best_dual: f64::NEG_INFINITY,
            rounding: 0.0,
            n_stalled: 0,
            n_failed: 0,
            is_cut: false,
            intercept: 0.0,
            n_watched: 0,
            is_given: false,
            certificate: Certificate::default(),
        }
    }

    /// A problem whose solution is given, for its certificate: for each row its position, its
    /// place in the pool and its coordinate, and the intercept.
    pub fn solved(
        index: u32,
        classes: (u32, u32),
        goal: Goal,
        solution: &[(u64, u32, f64)],
        intercept: f64,
    ) -> Self {
        let mut pair = Self::new(index, classes, 0, goal);
        // How far a coordinate may go is known where the rows are.
        let known = |&(row, place, beta): &(u64, u32, f64)| {
            (row, Known { place, bound: f64::INFINITY.copysign(beta), beta })
        };
        pair.known = solution.iter().map(known).collect();
        (pair.intercept, pair.is_given) = (intercept, true);
        pair.end();
        pair
    }

    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// What the next sweep is to do.
    pub fn task(&mut self) -> PairTask {
        let n_kept = self.set.members().len();
        let measuring = self.phase == Phase::Measuring;
        PairTask {
            pair: self.index,
            first: self.first,
            second: self.second,
            log: Arc::clone(&self.log),
            watched: Arc::clone(&self.watched),
            n_candidates: if measuring { 0 } else { (self.size - n_kept) / 2 },
            intercept: measuring.then_some(self.intercept),
            latest: Latest::default(),
        }
    }

    /// The rows whose coordinate is not 0, with it and their place in the pool.
    pub fn support(&self) -> impl Iterator<Item = (u64, u32, f64)> + '_ {
        let known = self.known.iter().filter(|(_, known)| known.beta != 0.0);
        known.map(|(&row, known)| (row, known.place, known.beta))
    }

    /// Sums up the gradients once more and ends there.
    pub fn end(&mut self) {
        self.ending = true;
        if self.phase == Phase::Solving {
            self.refresh();
        }
    }

    /// Takes in what a sweep found, of which the pool has all that [`violators`] gives.
    pub fn take_in(&mut self, found: &PairPartial, frame: &Frame, pool: &Pool) {
        match self.phase {
            Phase::Solving => self.advance(found, frame, pool),
            Phase::Refreshing => self.confirm(found, frame, pool),
            Phase::Measuring => {
                self.certificate.measured(found.loss(), found.violation);
                self.phase = Phase::Done;
            }
            Phase::Done => {}
        }
    }

    fn advance(&mut self, found: &PairPartial, frame: &Frame, pool: &Pool) {
        let n_changes: usize = self.log.segments.iter().map(|segment| segment.changes.len()).sum();
        let too_long = n_changes > LOG_PER_ROW * pool.n_rows().max(self.size);
        if found.extremes.gap() <= self.target() {
            self.refresh();
        } else if too_long {
            self.is_cut = true;
            self.refresh();
        } else if self.n_iter >= self.goal.max_iter {
            self.end();
        } else if !self.improve(found, frame, pool) {
            self.refresh();
        }
    }

    /// The violation that sweeps aim at.
    fn target(&self) -> f64 {
        self.goal.tol * if self.log.precise { 1.0 } else { SINGLE_SHARE }
    }

    /// Solves the problem over a new working set; whether anything came of it.
    fn improve(&mut self, found: &PairPartial, frame: &Frame, pool: &Pool) -> bool {
        self.keep_watched(&found.watched);
        let added = self.choose(found, pool);
        let left = self.goal.max_iter.saturating_sub(self.n_iter);
        let max_iter = left.min(INNER_ITER * self.size);
        let stop = Stop { gap: self.target() / 2.0, share: INNER_SHARE, max_iter };
        let (n_iter, changes) = self.set.solve(added, frame, pool, stop);
        self.n_iter += n_iter;
        if changes.is_empty() {
            return false;
        }
        for change in &changes {
            if let Some(known) = self.known.get_mut(&change.row) {
                known.beta = change.to;
            }
        }
        let log = Arc::make_mut(&mut self.log);
        let shrinks = self.goal.shrinking && log.segments.len().is_multiple_of(SHRINK_EVERY);
        log.segments.push(Segment { changes, shrink: shrinks.then_some(found.extremes) });
        self.choose_kept();
        true
    }

    /// Members that still take part stay, with their new gradients.
    fn keep_watched(&mut self, watched: &[(u64, f64)]) {
        let gradient = |row: u64| {
            let at = watched.binary_search_by_key(&row, |(row, _)| *row).ok()?;
            Some(watched[at].1)
        };
        let members = self.set.members();
        let mut order = Vec::with_capacity(members.len());
        for (idx, member) in members.iter_mut().enumerate() {
            if let Some(gradient) = gradient(member.row) {
                member.gradient = gradient;
                order.push(idx);
            }
        }
        if order.len() < members.len() {
            self.set.keep(&order);
        }
    }

    /// New members: of the candidates, those that violate the conditions of the optimum.
    fn choose(&mut self, found: &PairPartial, pool: &Pool) -> Vec<Member> {
        let mut taken = std::collections::HashSet::new();
        let mut members = Vec::new();
        for (drawn, gradient) in violators(found) {
            if let (true, Some(place)) = (taken.insert(drawn.row), pool.place(drawn.row)) {
                let known = Known { place, bound: drawn.weight, beta: 0.0 };
                let &mut Known { place, bound, beta } =
                    self.known.entry(drawn.row).or_insert(known);
                members.push(Member { row: drawn.row, place, bound, beta, gradient });
            }
        }
        members
    }

    /// Half of the working set stays: first those within their bounds, then the latest.
    fn choose_kept(&mut self) {
        let n_kept = self.size / 2;
        let members = self.set.members();
        let mut order: Vec<usize> = (0..members.len()).rev().collect();
        let is_free = |idx: &usize| members[*idx].may_grow() && members[*idx].may_shrink();
        order.sort_by_key(|idx| !is_free(idx));
        order.truncate(n_kept);
        self.set.keep(&order);
        let mut watched: Vec<u64> = self.set.members().iter().map(|member| member.row).collect();
        watched.sort_unstable();
        self.watched = Arc::new(watched);
    }

    /// The next sweep sums up all gradients from the coordinates, in double precision.
    fn refresh(&mut self) {
        let base: Vec<Change> = self
            .support()
            .map(|(row, place, beta)| Change { row, place, by: beta, to: beta })
            .collect();
        self.watched = Arc::new(base.iter().map(|change| change.row).collect());
        let precise = self.log.precise;
        let epoch = self.log.epoch + 1;
        let segments = vec![Segment::default()];
        self.log = Arc::new(Log { epoch, precise, base, segments, ..Log::default() });
        self.set = Set::new(precise);
        self.phase = Phase::Refreshing;
    }

    /// The gradients are exact now: is this the optimum?
    fn confirm(&mut self, found: &PairPartial, frame: &Frame, pool: &Pool) {
        let gap = found.extremes.gap();
        self.note_optimum(found, frame, pool);
        self.certificate.converged = gap <= self.goal.tol && self.rounding <= self.goal.tol;
        let is_cut = std::mem::take(&mut self.is_cut);
        // Steps of mere rounding change the objective no more.
        let has_gained =
            self.certificate.dual_objective > self.best_dual + 1e-12 * self.best_dual.abs();
        self.best_dual = self.best_dual.max(self.certificate.dual_objective);
        if !is_cut || !has_gained {
            self.n_failed += 1;
            self.n_stalled += u32::from(gap > 0.5 * self.best_gap);
            self.best_gap = self.best_gap.min(gap);
        }
        let out_of_steps = self.ending || self.n_iter >= self.goal.max_iter;
        if self.certificate.converged || out_of_steps || self.n_failed >= MAX_FAILED {
            return self.measure();
        }
        if self.n_stalled >= MAX_STALLED {
            self.be_precise();
        }
        let found = self.with_watched(found, pool);
        self.phase = Phase::Solving;
        if self.improve(&found, frame, pool) {
            return;
        }
        // Rounding hides what is left to be gained.
        let was_precise = self.log.precise;
        self.be_precise();
        if was_precise || !self.improve(&found, frame, pool) {
            self.measure();
        }
    }

    /// From now on, kernels are evaluated in double precision in each step.
    fn be_precise(&mut self) {
        Arc::make_mut(&mut self.log).precise = true;
        self.set = Set::new(true);
    }

    /// The support vectors, which were watched, are candidates too.
    fn with_watched(&self, found: &PairPartial, pool: &Pool) -> PairPartial {
        let mut found = found.clone();
        let watched = std::mem::take(&mut found.watched);
        for (row, gradient) in watched {
            let Some(&Known { place, bound, beta }) = self.known.get(&row) else { continue };
            let member = Member { row, place, bound, beta, gradient };
            let values = || pool.row(place).to_vec();
            if member.may_grow() {
                found.growers.offer(gradient, row, bound, values);
            }
            if member.may_shrink() {
                found.shrinkers.offer(-gradient, row, bound, values);
            }
        }
        found.growers.seal();
        found.shrinkers.seal();
        found
    }

    /// The intercept and the objective, from the gradients of the support vectors.
    fn note_optimum(&mut self, found: &PairPartial, frame: &Frame, pool: &Pool) {
        self.n_watched = found.watched.len();
        let (mut free, mut n_free) = (ExactSum::new(), 0_u64);
        let (mut quadratic, mut linear) = (ExactSum::new(), ExactSum::new());
        let mut squares = 0.0;
        for &(row, gradient) in &found.watched {
            let Some(&Known { place, bound, beta }) = self.known.get(&row) else { continue };
            let member = Member { row, place, bound, beta, gradient };
            if member.may_grow() && member.may_shrink() {
                free.add(gradient);
                n_free += 1;
            }
            // b'Kb = sum of b (gradient + y)
            quadratic.add(beta * (gradient + bound.signum()));
            linear.add(beta.abs());
            if self.goal.rounding > 0.0 {
                squares += (beta * frame.kernel_of_itself(pool.row(place))).powi(2);
            }
        }
        self.rounding = self.goal.rounding * squares.sqrt();
        if !self.is_given {
            self.intercept = match n_free {
                0 => -found.extremes.middle(),
                _ => -free.value() / n_free as f64,
            };
        }
        self.certificate = Certificate::new(quadratic.value(), linear.value(), self.goal.convex);
    }

    fn measure(&mut self) {
        let log = Arc::make_mut(&mut self.log);
        log.segments.push(Segment::default());
        self.watched = Arc::default();
        self.phase = Phase::Measuring;
    }

    /// The constant of the decision function.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
}
