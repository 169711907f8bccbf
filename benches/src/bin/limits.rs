//! What this machine can do at most: fused multiply-adds a second from registers, and bytes
//! a second read from memory, on one thread and on several. The tables of
//! `benches/peers/compare.py` state parts of these.
//!
//! Only compiled for vectors does it tell the truth; it refuses to run otherwise:
//!
//! ```console
//! $ cargo rustc --release -p drystone-benches --bin limits -- -C target-feature=+avx2,+fma
//! ```

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::{Value, json};

/// Independent chains: enough to hide the latency of two multiply-adds a cycle (at least
/// ten), and few enough to stay in sixteen registers.
const CHAINS: usize = 12;
/// Multiply-adds of a chain between two looks at the clock.
const STEPS: u64 = 100_000;

/// Measure peak rates.
#[derive(Parser)]
struct Args {
    /// Threads of the second measurement; the first is on one.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Size of the array that is read, in MiB: much more than all caches.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    mib: u32,
    /// Milliseconds of a trial.
    #[arg(long, default_value_t = 200)]
    millis: u64,
    /// Trials, of which the best counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    trials: u16,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let Some(vectors) = vectors() else {
        eprintln!("error: compiled without fused multiply-add: see the head of limits.rs");
        return ExitCode::FAILURE;
    };
    let several = usize::from(args.threads);
    let measured = [1, several].map(|threads| Limits::measure(&args, threads));
    if args.json {
        let on_threads = measured.iter().map(Limits::to_json);
        println!("{}", json!({"vectors": vectors, "on": on_threads.collect::<Vec<_>>()}));
    } else {
        measured.iter().for_each(|limits| println!("{}", limits.to_text()));
    }
    ExitCode::SUCCESS
}

/// The vectors that it was compiled for, if they fuse.
fn vectors() -> Option<&'static str> {
    if cfg!(target_feature = "avx512f") {
        Some("avx512f")
    } else if cfg!(all(target_feature = "avx2", target_feature = "fma")) {
        Some("avx2+fma")
    } else if cfg!(target_arch = "aarch64") {
        Some("neon")
    } else {
        None
    }
}

/// Rates of so many threads together, a second.
struct Limits {
    threads: usize,
    fma_f32: f64,
    fma_f64: f64,
    read_bytes: f64,
}

impl Limits {
    fn measure(args: &Args, threads: usize) -> Self {
        let time = Duration::from_millis(args.millis);
        let best = |trial: &dyn Fn() -> f64| (0..args.trials).map(|_| trial()).fold(0.0, f64::max);
        let array = vec![1.0_f64; (args.mib as usize) << 17];
        Self {
            threads,
            fma_f32: best(&|| rate(threads, |_| repeat(time, || chains_f32(STEPS)))),
            fma_f64: best(&|| rate(threads, |_| repeat(time, || chains_f64(STEPS)))),
            read_bytes: best(&|| rate(threads, |thread| read(part(&array, thread, threads)))),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "threads": self.threads,
            "fma_per_second": {"f32": self.fma_f32, "f64": self.fma_f64},
            "read_bytes_per_second": self.read_bytes,
        })
    }

    fn to_text(&self) -> String {
        format!(
            "{} threads: {:.1} GFMA/s of f32, {:.1} of f64, {:.1} GB/s read",
            self.threads,
            self.fma_f32 / 1e9,
            self.fma_f64 / 1e9,
            self.read_bytes / 1e9,
        )
    }
}

/// What threads that start together do a second; `work` gives the amount of one.
fn rate(threads: usize, work: impl Fn(usize) -> u64 + Sync) -> f64 {
    let barrier = Barrier::new(threads);
    let one = |thread| {
        barrier.wait();
        let start = Instant::now();
        let amount = work(thread);
        (amount, start.elapsed())
    };
    let one = &one;
    let done: Vec<(u64, Duration)> = thread::scope(|scope| {
        let handles = (1..threads).map(|thread| scope.spawn(move || one(thread)));
        let handles: Vec<_> = handles.collect();
        let first = one(0);
        handles.into_iter().map(|handle| handle.join().unwrap_or_default()).chain([first]).collect()
    });
    let amount: u64 = done.iter().map(|(amount, _)| amount).sum();
    let longest = done.iter().map(|(_, time)| *time).max().unwrap_or_default();
    amount as f64 / longest.as_secs_f64()
}

/// The amount that repeated calls did in this time.
fn repeat(time: Duration, work: impl Fn() -> u64) -> u64 {
    let start = Instant::now();
    let mut amount = 0;
    while start.elapsed() < time {
        amount += work();
    }
    amount
}

/// Chains of multiply-adds that stay in registers; gives how many it did.
macro_rules! chains {
    ($name:ident, $float:ty, $lanes:expr) => {
        fn $name(steps: u64) -> u64 {
            let factor = black_box([0.999; $lanes]);
            let term = black_box([0.001; $lanes]);
            let mut chains: [[$float; $lanes]; CHAINS] = black_box([[0.0; $lanes]; CHAINS]);
            for _ in 0..steps {
                for chain in &mut chains {
                    for lane in 0..$lanes {
                        chain[lane] = chain[lane].mul_add(factor[lane], term[lane]);
                    }
                }
            }
            black_box(chains);
            steps * (CHAINS * $lanes) as u64
        }
    };
}

chains!(chains_f32, f32, if cfg!(target_feature = "avx512f") { 16 } else { 8 });
chains!(chains_f64, f64, if cfg!(target_feature = "avx512f") { 8 } else { 4 });

/// The part of an array that a thread reads.
fn part(array: &[f64], thread: usize, threads: usize) -> &[f64] {
    let each = array.len() / threads;
    &array[thread * each..(thread + 1) * each]
}

/// Sums the values in independent lanes; gives the bytes that it read.
fn read(values: &[f64]) -> u64 {
    const LANES: usize = 32;
    let mut sums = [0.0; LANES];
    for chunk in values.chunks_exact(LANES) {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    black_box(sums);
    size_of_val(values) as u64
}
