//! What the tests share: a directory, and an example as a child process in it.
//!
//! No expectations about results are kept here.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use drystone::ChunkedDataset;
use drystone::prelude::*;
use ndarray::Array2;
use serde_json::Value;
use tempfile::TempDir;

/// After this a child hangs; the slowest one takes seconds.
const TIME_OUT: Duration = Duration::from_secs(120);

/// The flags of a dataset that a debug build clusters in a tenth of a second.
pub const TINY: &str = "--blocks 4 --block-rows 3000 --features 6 --centers 5";

/// A directory of one test, in which its children run.
pub struct Workdir {
    directory: TempDir,
    example: &'static str,
}

/// What a child left behind.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Workdir {
    /// For the `kmeans` example.
    pub fn new() -> Self {
        Self::of("kmeans")
    }

    pub fn of(example: &'static str) -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), example }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, contents).expect("a file");
    }

    /// The example with arguments between white space; it sees no `target` to draw to.
    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(example(self.example));
        command.args(args.split_whitespace()).current_dir(self.directory.path());
        command.env_remove("DRYSTONE_ISA").stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &str) -> Output {
        finish(self.command(args), args)
    }

    pub fn run_with_isa(&self, args: &str, isa: Option<&str>) -> Output {
        let mut command = self.command(args);
        command.envs(isa.map(|isa| ("DRYSTONE_ISA", isa)));
        finish(command, args)
    }

    /// The JSON object of a run that succeeds and prints nothing else.
    pub fn json(&self, args: &str) -> Value {
        self.json_with_isa(args, None)
    }

    pub fn json_with_isa(&self, args: &str, isa: Option<&str>) -> Value {
        let output = self.run_with_isa(&format!("{args} --json"), isa);
        assert!(output.status.success(), "{args}: {}", output.stderr);
        assert_eq!(output.stdout.lines().count(), 1, "{args}: {}", output.stdout);
        serde_json::from_str(&output.stdout).expect("one JSON object")
    }

    /// An error's text, without the directory, which has another name each time.
    pub fn redact(&self, text: &str) -> String {
        let real = self.directory.path().canonicalize().expect("the directory");
        text.replace(&*real.to_string_lossy(), "DIR")
            .replace(&*self.directory.path().to_string_lossy(), "DIR")
    }
}

/// The path of an example that cargo has built beside this test.
pub fn example(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this binary");
    let profile = this.parent().and_then(Path::parent).expect("target/<profile>/deps");
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = profile.join("examples").join(file);
    assert!(path.is_file(), "{} is missing: run `cargo build --examples` first", path.display());
    note_newer_sources(&path);
    path
}

/// `cargo test --test integration` alone does not build examples: a failing test says so
/// when the example is older than a source that cargo's list beside it names.
fn note_newer_sources(example: &Path) {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    let list = std::fs::read_to_string(example.with_extension("d")).unwrap_or_default();
    let built = modified(example);
    for source in
        list.split_whitespace().skip(1).filter(|source| modified(Path::new(source)) > built)
    {
        println!("note: {source} is newer than the example: run `cargo build --examples`");
    }
}

/// A dataset of this repository.
pub fn dataset_path(name: &str) -> String {
    format!("{}/datasets/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Waits for a child, and kills it when it hangs.
pub fn finish(mut command: Command, what: &str) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a child");
    let stdout = read_all(child.stdout.take().expect("a pipe"));
    let stderr = read_all(child.stderr.take().expect("a pipe"));
    let status = wait(&mut child, what);
    let text = |reader: JoinHandle<String>| reader.join().expect("text");
    Output { status, stdout: text(stdout), stderr: text(stderr) }
}

pub fn wait(child: &mut Child, what: &str) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a status") {
            return status;
        }
        if started.elapsed() > TIME_OUT {
            child.kill().expect("an end");
            child.wait().expect("a status");
            panic!("`{what}` has not ended after {TIME_OUT:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("UTF-8");
        text
    })
}

/// `n` rows of three columns, all of them eighths, so that text holds them exactly.
pub fn eighths(n: usize) -> Array2<f64> {
    let value = |(row, column): (usize, usize)| {
        let group = ((row % 4) * (column + 1) * 100) as f64;
        group + ((row * 37 + column * 11) % 53) as f64 / 8.0
    };
    Array2::from_shape_fn((n, 3), value)
}

/// A chunked dataset in memory.
pub fn in_memory(rows: Array2<f64>) -> ChunkedDataset {
    memory::Memory::new(rows).dataset().expect("a dataset")
}

/// What the value of a field must be.
pub type Holds = fn(&Value) -> bool;

pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
}

/// Other systems than Linux do not tell.
pub fn is_peak_rss(value: &Value) -> bool {
    value.as_u64().map_or(!cfg!(target_os = "linux"), |bytes| bytes > 1 << 20)
}

/// Numbers and hashes as `#`, so that a snapshot pins words only.
pub fn without_numbers(text: &str) -> String {
    let mut words = String::new();
    for line in text.lines() {
        for word in line.split_inclusive([' ', ',', '[', ']', '(', ')']) {
            let (word, end) = word.split_at(word.trim_end_matches(|c| " ,[]()".contains(c)).len());
            let is_number = word.parse::<f64>().is_ok() || is_sha256(word);
            words += if is_number { "#" } else { word };
            words += end;
        }
        words.push('\n');
    }
    words
}

pub fn last_line(stderr: &str) -> String {
    stderr.lines().last().unwrap_or_default().to_owned()
}

/// What is wrong, of clap's own errors.
pub fn before_usage(stderr: &str) -> String {
    let lines = stderr.lines().take_while(|line| !line.is_empty());
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}
