//! A process that serves others opens no files but those in its data root, whatever is asked
//! of it and whatever becomes of links meanwhile. Every file format is tried alike.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use drystone_core::executor::serve;
use drystone_core::{
    Block, ChunkedDataset, DataRoot, Description, Error, ErrorKind, Executor, Registry, Result,
    StatePolicy, Subprocess, wire,
};
use drystone_sources::{csv, libsvm, npy};
use ndarray::array;
use tempfile::TempDir;

/// The time of all files, so that none is told from another by it.
const TIME: SystemTime = SystemTime::UNIX_EPOCH;

/// A format: how to write a file of it, and to open one.
struct Format {
    write: fn(&Path),
    open: fn(&Path) -> Result<ChunkedDataset>,
}

const FORMATS: [Format; 3] = [
    Format {
        write: |path| fs::write(path, "x,y\n1,2\n3,4\n").unwrap(),
        open: |path| csv::open(path).dataset(),
    },
    Format {
        write: |path| npy::write(path, &array![[1.0, 2.0], [3.0, 4.0]]).unwrap(),
        open: |path| npy::open(path).targets(path.with_file_name("labels")).dataset(),
    },
    Format {
        write: |path| fs::write(path, "1 1:1 2:2\n-1 1:3 2:4\n").unwrap(),
        open: |path| libsvm::open(path).dataset(),
    },
];

/// `root/` and, with the very same files, `away/` and `root/dir/`.
struct Tree {
    path: PathBuf,
    _removed_when_dropped: TempDir,
}

impl Tree {
    fn new(format: &Format) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        let tree = Self { path, _removed_when_dropped: directory };
        for directory in ["root", "away", "root/dir"] {
            fs::create_dir(tree.at(directory)).unwrap();
            let data = tree.at(directory).join("data");
            (format.write)(&data);
            let labels = data.with_file_name("labels");
            npy::write(&labels, &array![[7.0], [8.0]]).unwrap();
            for path in [data, labels] {
                File::options().write(true).open(path).unwrap().set_modified(TIME).unwrap();
            }
        }
        tree
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What names the data file of `root/` as another path, as an enemy may write it.
    fn naming(&self, format: &Format, path: &Path) -> Description {
        let named = (format.open)(&self.at("root/data")).unwrap().describe().unwrap();
        let (from, to) = (wire::encode(&self.at("root/data")), wire::encode(&path));
        replaced(&named, &from.unwrap(), &to.unwrap())
    }

    fn message(&self, error: &Error) -> String {
        error.to_string().replace(self.path.to_str().unwrap(), "DIR")
    }
}

fn replaced(description: &Description, from: &[u8], to: &[u8]) -> Description {
    let body = &description.body;
    let at = body.windows(from.len()).position(|bytes| bytes == from).expect("the path");
    let body = [&body[..at], to, &body[at + from.len()..]].concat();
    Description { body, ..description.clone() }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    drystone_sources::register(&mut registry);
    registry
}

fn rooted(root: &Path) -> Registry {
    let mut registry = registry();
    registry.data_root(root).unwrap();
    registry
}

fn open(registry: &Registry, description: &Description) -> Result<ChunkedDataset> {
    Ok(ChunkedDataset::from_arc(registry.open_source(description)?))
}

/// All blocks, within some seconds: opening a pipe must not wait for a writer.
fn read(registry: &Registry, description: &Description) -> Result<Vec<Block>> {
    let data = open(registry, description)?;
    let (sender, receiver) = mpsc::channel();
    let all = move || (0..data.n_blocks()).map(|block_idx| data.read(block_idx)).collect();
    std::thread::spawn(move || sender.send(all()));
    receiver.recv_timeout(Duration::from_secs(20)).expect("it hangs")
}

#[track_caller]
fn check_outside<T>(result: Result<T>) -> Error {
    let error = result.map(|_| ()).expect_err("it is refused");
    assert!(is_outside(&error), "{error}");
    error
}

fn is_outside(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::OutsideDataRoot { .. })
}

#[test]
fn files_in_the_root_are_read_at_any_depth() {
    for format in FORMATS {
        let tree = Tree::new(&format);
        let data = (format.open)(&tree.at("root/data")).unwrap();
        let blocks: Vec<Block> = vec![data.read(0).unwrap()];
        symlink(tree.at("root/dir/data"), tree.at("root/link")).unwrap();
        symlink(tree.at("root"), tree.at("to_root")).unwrap();
        let paths = ["root/data", "root/dir/data", "root/dir/../data", "root/link", "to_root/data"];
        for root in ["root", "to_root", ".", "root/../root"] {
            let registry = rooted(&tree.at(root));
            for path in paths {
                let there = tree.naming(&format, &tree.at(path));
                assert_eq!(read(&registry, &there).unwrap(), blocks, "{path} in {root}");
                assert_eq!(open(&registry, &there).unwrap().count_rows(0).unwrap(), 2);
            }
            drystone_core::laws::check_source(&data.scan().unwrap(), &registry);
        }
    }
}

#[test]
fn files_outside_are_refused() {
    for format in FORMATS {
        let tree = Tree::new(&format);
        let registry = rooted(&tree.at("root/dir"));
        fs::create_dir(tree.at("root/dirt")).unwrap();
        fs::copy(tree.at("root/data"), tree.at("root/dirt/data")).unwrap();
        symlink(tree.at("away/data"), tree.at("root/dir/link")).unwrap();
        symlink(tree.at("away"), tree.at("root/dir/links")).unwrap();
        symlink("../../away", tree.at("root/dir/relative")).unwrap();
        let paths = [
            "away/data",
            "away/none",
            "away",
            "root/data",
            "root/dirt/data",
            "root/dir/../data",
            "root/dir/../../away/data",
            "root/dir/../none",
            "root/dir/link",
            "root/dir/links/data",
            "root/dir/relative/data",
            "root/dir/..",
        ];
        for path in paths {
            let error = check_outside(open(&registry, &tree.naming(&format, &tree.at(path))));
            let expected = format!(
                "DIR/{path}: the file is not in DIR/root/dir, the data root of this process; start \
                 the worker with --data-root DIR, a directory that the file is in"
            );
            assert_eq!(tree.message(&error), expected);
        }
        for path in ["/etc/passwd", "/proc/self/environ", "data", "./data", "", "~/data"] {
            check_outside(open(&registry, &tree.naming(&format, Path::new(path))));
        }
    }
}

#[test]
fn a_part_of_steps_and_a_second_file_are_refused() {
    let [_, format, _] = FORMATS;
    let tree = Tree::new(&format);
    let registry = rooted(&tree.at("root/dir"));
    let (inside, outside) = (tree.at("root/dir/data"), tree.at("away/data"));
    let [inside, outside] = [inside, outside].map(|path| (format.open)(&path).unwrap());
    assert!(open(&registry, &inside.describe().unwrap()).is_ok());
    let both = ChunkedDataset::concat(&[inside.clone(), outside]).unwrap();
    for steps in [both.clone(), both.slice(0..1), both.rechunk(3)] {
        check_outside(open(&registry, &steps.describe().unwrap()));
    }
    let labels = [tree.at("root/dir/labels"), tree.at("away/labels")];
    let [from, to] = labels.map(|path| wire::encode(&path).unwrap());
    check_outside(open(&registry, &replaced(&inside.describe().unwrap(), &from, &to)));
}

/// Puts a link to `away` where `path` was.
fn swap(tree: &Tree, path: &str, away: &str) {
    fs::rename(tree.at(path), tree.at("gone")).unwrap();
    symlink(tree.at(away), tree.at(path)).unwrap();
}

#[test]
fn links_that_are_put_in_place_of_what_was_opened_are_refused() {
    for (path, away) in [("root/dir", "away"), ("root/dir/data", "away/data"), ("root", "away")] {
        for format in FORMATS {
            let tree = Tree::new(&format);
            fs::create_dir(tree.at("away/dir")).unwrap();
            fs::rename(tree.at("away/data"), tree.at("away/dir/data")).unwrap();
            fs::rename(tree.at("away/labels"), tree.at("away/dir/labels")).unwrap();
            let away =
                if path == "root" { away.to_owned() } else { away.replace("away", "away/dir") };
            let named = (format.open)(&tree.at("root/dir/data")).unwrap().describe().unwrap();
            let restricted = open(&rooted(&tree.at("root")), &named).unwrap();
            let free = open(&registry(), &named).unwrap();
            swap(&tree, path, &away);
            let error = check_outside(restricted.read(0));
            assert_eq!(error.location().block, Some(0));
            assert_eq!(error.location().file, Some(tree.at("root/dir/data")));
            // Nothing but the root refuses it: it is the same file by all that is known of it.
            assert!(free.read(0).is_ok());
        }
    }
}

#[test]
fn pipes_devices_and_directories_are_refused_at_once() {
    for format in FORMATS {
        let tree = Tree::new(&format);
        let made = Command::new("mkfifo").arg(tree.at("root/pipe")).status().unwrap();
        assert!(made.success());
        for registry in [rooted(&tree.at("root")), registry()] {
            for (path, found) in [("pipe", "a pipe, a device or a socket"), ("dir", "a directory")]
            {
                let named = tree.naming(&format, &tree.at("root").join(path));
                let error = read(&registry, &named).expect_err("no file");
                assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
                assert!(error.to_string().ends_with(&format!("expected a file, found {found}")));
            }
            // One that is put in place of the file.
            let named = (format.open)(&tree.at("root/dir/data")).unwrap().describe().unwrap();
            let data = open(&registry, &named).unwrap();
            fs::rename(tree.at("root/dir/data"), tree.at("saved")).unwrap();
            fs::hard_link(tree.at("root/pipe"), tree.at("root/dir/data")).unwrap();
            let error = data.read(0).expect_err("no file");
            assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
            fs::rename(tree.at("saved"), tree.at("root/dir/data")).unwrap();
        }
        for (root, path) in
            [("/dev", "/dev/zero"), ("/", "/dev/null"), ("/proc", "/proc/self/stat")]
        {
            for registry in [rooted(Path::new(root)), registry()] {
                assert!(read(&registry, &tree.naming(&format, Path::new(path))).is_err(), "{path}");
            }
        }
    }
}

#[test]
fn paths_that_are_none_are_errors() {
    for format in FORMATS {
        let tree = Tree::new(&format);
        let path = tree.at("root/dat\0");
        for registry in [rooted(&tree.at("root")), registry()] {
            assert!(read(&registry, &tree.naming(&format, &path)).is_err(), "NUL");
            let named = (format.open)(&tree.at("root/data")).unwrap().describe().unwrap();
            let not_unicode = replaced(&named, b"root/data", b"root/dat\xff");
            let error = open(&registry, &not_unicode).map(drop).expect_err("it does not decode");
            assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
        }
        let missing = open(&rooted(&tree.at("root")), &tree.naming(&format, &tree.at("root/none")));
        let missing = missing.map(drop).expect_err("it is not there");
        assert!(matches!(missing.kind(), ErrorKind::Io { .. }), "{missing}");
    }
}

#[test]
fn where_a_link_leads_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let [format, ..] = FORMATS;
    let tree = Tree::new(&format);
    let strange = tree.path.join(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
    fs::rename(tree.at("away"), &strange).unwrap();
    symlink(strange, tree.at("root/link")).unwrap();
    let named = tree.naming(&format, &tree.at("root/link/data"));
    let error = check_outside(open(&rooted(&tree.at("root")), &named));
    assert!(wire::encode(&error.to_wire()).is_ok(), "the error does not travel");
}

#[test]
fn a_process_without_a_root_may_open_no_files_at_all() {
    for format in FORMATS {
        let tree = Tree::new(&format);
        let mut registry = registry();
        let error = open(registry.no_files(), &tree.naming(&format, &tree.at("root/data")));
        let expected = "DIR/root/data: this process opens no files for others; start the worker \
                        with --data-root DIR, a directory that the file is in";
        assert_eq!(tree.message(&check_outside(error)), expected);
    }
}

#[test]
fn a_root_must_be_a_directory() {
    let [format, ..] = FORMATS;
    let tree = Tree::new(&format);
    for path in ["root/data", "none", "root/data/none"] {
        let error = registry().data_root(tree.at(path)).map(drop).expect_err("no directory");
        assert!(matches!(error.kind(), ErrorKind::Parameter { .. }), "{error}");
        let expected = format!(
            "parameter `data_root` must be a directory that is there, found \"DIR/{path}\""
        );
        assert!(tree.message(&error).starts_with(&expected), "{error}");
    }
    assert!(registry().data_root("").is_err());
}

/// While a directory gives way to a link that leads outside, time and again, nothing from
/// outside is ever read: also when that happens after the path was looked at.
#[test]
#[cfg(target_os = "linux")]
fn a_link_that_comes_and_goes() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for (name, text) in [("root/dir", "inside"), ("away", "away")] {
        fs::create_dir_all(at(name)).unwrap();
        fs::write(at(name).join("data"), text).unwrap();
    }
    let root = DataRoot::directory(at("root")).unwrap();
    let done = AtomicBool::new(false);
    let (mut texts, mut read, mut refused) = (BTreeSet::new(), 0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                fs::rename(at("root/dir"), at("root/saved")).unwrap();
                symlink(at("away"), at("root/dir")).unwrap();
                std::thread::yield_now();
                fs::remove_file(at("root/dir")).unwrap();
                fs::rename(at("root/saved"), at("root/dir")).unwrap();
                std::thread::yield_now();
            }
        });
        // Threads may have to wait for a processor: some of each is what counts, not the time.
        let end = Instant::now() + Duration::from_secs(120);
        while Instant::now() < end && (read < 1_000 || refused == 0) {
            let mut text = String::new();
            match root.open(&at("root/dir/data")) {
                Ok(mut file) => {
                    // A panic here would leave the other thread running.
                    text = file.read_to_string(&mut text).map_or("error".into(), |_| text);
                    texts.insert(text);
                    read += 1;
                }
                Err(error) => refused += u64::from(is_outside(&error)),
            }
        }
        done.store(true, Relaxed);
    });
    assert_eq!(texts, BTreeSet::from(["inside".to_owned()]));
    assert!(refused > 0, "no link was met in {read} times");
}

const ROOT: &str = "DRYSTONE_TEST_DATA_ROOT";

/// What the child runs; it does nothing in the parent.
#[test]
fn worker_process() {
    if let Some(root) = std::env::var_os(ROOT) {
        serve(&rooted(Path::new(&root)), std::io::stdin(), std::io::stdout()).unwrap();
    }
}

#[test]
fn a_worker_says_what_it_may_not_open() {
    // CSV, so that it counts rows as well.
    let [format, ..] = FORMATS;
    let tree = Tree::new(&format);
    let command = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["worker_process", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(ROOT, tree.at("root"));
        command
    };
    let worker = Subprocess::spawn(1, 0, StatePolicy::Keep, command).unwrap();
    let sum = |path: &str| (format.open)(&tree.at(path)).unwrap().sum().compute_on(&worker);
    assert_eq!(sum("root/data").unwrap().to_vec(), [4.0, 6.0]);
    let error = check_outside(sum("away/data"));
    assert!(tree.message(&error).starts_with("DIR/away/data: the file is not in DIR/root, the"));
    let count = |path: &str| worker.count_rows(&(format.open)(&tree.at(path)).unwrap());
    assert_eq!(count("root/data").unwrap(), [2]);
    check_outside(count("away/data"));
    assert_eq!(sum("root/dir/data").unwrap().to_vec(), [4.0, 6.0]);
}
