//! LIBSVM files: what is written is read, any cut gives the same rows, and whatever does
//! not fit is an error that says where.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use drystone_core::executor::serve;
use drystone_core::{
    Block, ChunkedDataset, Dtype, Error, ErrorKind, Registry, StatePolicy, Subprocess, TargetKind,
    Targets, laws,
};
use drystone_sources::libsvm::{self, Libsvm};
use proptest::prelude::*;
use tempfile::TempDir;

const WORKER: &str = "DRYSTONE_LIBSVM_WORKER";

fn registry() -> Registry {
    let mut registry = Registry::new();
    drystone_sources::register(&mut registry);
    registry
}

/// A directory under its real path, so that messages can be compared.
struct Directory {
    path: PathBuf,
    _removed_when_dropped: TempDir,
}

impl Directory {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        Self { path, _removed_when_dropped: directory }
    }

    fn write(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join("a.txt");
        fs::write(&path, text).unwrap();
        path
    }

    fn open(&self, text: impl AsRef<[u8]>) -> Libsvm {
        libsvm::open(self.write(text))
    }

    /// Another file of the same length and time, which goes unnoticed.
    fn forge(&self, text: impl AsRef<[u8]>) {
        let path = self.path.join("a.txt");
        let before = fs::metadata(&path).unwrap();
        let mut file = File::create(&path).unwrap();
        file.write_all(text.as_ref()).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        assert_eq!(before.len(), text.as_ref().len() as u64);
    }

    fn message(&self, error: &Error) -> String {
        error.to_string().replace(self.path.to_str().unwrap(), "DIR")
    }
}

fn real(name: &str) -> Libsvm {
    libsvm::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name))
}

fn blocks(data: &ChunkedDataset) -> Vec<Block> {
    (0..data.n_blocks()).map(|idx| data.read(idx).unwrap()).collect()
}

fn values(data: &ChunkedDataset) -> Vec<f64> {
    blocks(data).iter().flat_map(|block| block.records.to_f64()).collect()
}

fn labels(data: &ChunkedDataset) -> Vec<f64> {
    let of = |block: &Block| match block.targets.as_ref().unwrap() {
        Targets::I64(labels) => labels.iter().map(|&label| label as f64).collect(),
        Targets::F64(labels) => labels.to_vec(),
        other => panic!("labels are numbers, not {other:?}"),
    };
    blocks(data).iter().flat_map(|block| -> Vec<f64> { of(block) }).collect()
}

/// All rows, whatever the blocks, and the laws besides.
fn check_rows(libsvm: &Libsvm, expected: &[f64], expected_labels: &[f64]) {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<u64>>();
    let cut = [1, 2, 3, 1_000, usize::MAX].map(|rows| libsvm.clone().block_rows(rows));
    for libsvm in [libsvm.clone()].iter().chain(&cut) {
        let data = libsvm.clone().dataset().unwrap();
        assert_eq!(bits(&values(&data)), bits(expected), "{data}");
        assert_eq!(labels(&data), expected_labels, "{data}");
        assert_eq!(data.n_samples(), Some(expected_labels.len() as u64));
        laws::check_source(&data, &registry());
    }
}

#[test]
fn shapes_of_files() {
    let dir = Directory::new();
    let rows = [1.0, 0.0, 3.0, 0.0, -2.5, 0.0];
    for text in [
        "1 1:1 3:3\n-1 2:-2.5\n",
        "1 1:1 3:3\n-1 2:-2.5",
        "+1 1:1 2:0 3:3\n-1 1:0 2:-2.5 3:0\n",
        "+1 1:1 3:3 \r\n-1 2:-2.5\r\n",
        "+1 1:1 3:3\r\n-1 2:-2.5\r",
        "\u{feff}1 1:1 3:3\n-1 2:-2.5\n",
        "\n\n1 1:1 3:3\n\n  \t\n-1 2:-2.5\n\n",
        " 1\t1:1  3:3\t\n   -1   2:-2.5   ",
        "# comment\n1 1:1 3:3 # 4:4\n  # 5:5\n-1 2:-2.5 #\n#end",
        "1 1:+1.0 3:0.3e1#\n-1 2:-25E-1\n".replace('#', " # ").as_str(),
        "1.0 1:1. 3:3\n-1e0 2:-2.5\n",
        "1 01:1 0000000000000000000003:3\n-1 2:-2.5\n",
    ] {
        check_rows(&dir.open(text), &rows, &[1.0, -1.0]);
    }
    check_rows(&dir.open(b"1 1:2 # caf\xe9 \0\n"), &[2.0], &[1.0]);
    check_rows(&dir.open("1 1:-0\n2 1:1e-300\n0\n"), &[-0.0, 1e-300, 0.0], &[1.0, 2.0, 0.0]);
}

#[test]
fn the_number_of_features_is_the_largest_index_or_given() {
    let dir = Directory::new();
    let text = "1 2:5\n0\n";
    check_rows(&dir.open(text), &[0.0, 5.0, 0.0, 0.0], &[1.0, 0.0]);
    check_rows(&dir.open(text).n_features(3), &[0.0, 5.0, 0.0, 0.0, 0.0, 0.0], &[1.0, 0.0]);
    check_rows(&dir.open("3\n").n_features(2), &[0.0, 0.0], &[3.0]);
    let wide = dir.open("1 16777216:2\n").dtype(Dtype::F32).dataset().unwrap();
    assert_eq!(wide.n_features(), 1 << 24);
    let block = wide.read(0).unwrap();
    assert_eq!(block.records.as_rows::<f32>().unwrap().values().last(), Some(&2.0));
}

#[test]
fn labels_are_integers_if_all_are() {
    let dir = Directory::new();
    let targets = |text: &str| {
        let data = dir.open(text).block_rows(1_000).dataset().unwrap();
        let targets = data.read(0).unwrap().targets.unwrap();
        assert_eq!(data.layout().targets, Some(targets.kind()));
        targets
    };
    let text = "+1 1:1\n-1\n3.0\n-0\n9007199254740992\n-9007199254740992\n";
    let integers = vec![1, -1, 3, 0, 1 << 53, -1 << 53];
    assert_eq!(targets(text), Targets::I64(integers.into()));
    assert_eq!(targets("1 1:1\n2.5\n"), Targets::F64(vec![1.0, 2.5].into()));
    assert_eq!(targets("1 1:1\n1e300\n"), Targets::F64(vec![1.0, 1e300].into()));
    let over = vec![9_007_199_254_740_992.0];
    assert_eq!(targets("9007199254740993 1:1\n"), Targets::F64(over.into()), "not exact");
    let last = "1 1:1\n".repeat(9) + "0.5\n";
    let data = dir.open(last).block_rows(5).dataset().unwrap();
    assert_eq!(data.read(0).unwrap().targets.unwrap().kind(), TargetKind::F64, "the last decides");
}

#[test]
fn f32_is_rounded_once() {
    let dir = Directory::new();
    // Rounded to f64 first, the first would be a tie and go the other way.
    let text = "1 1:1.00000017881393432617187499 2:16777217 3:0.1\n";
    let data = dir.open(text).dtype(Dtype::F32).dataset().unwrap();
    assert_eq!(data.dtype(), Dtype::F32);
    let expected = [1.000_000_119_209_289_6, 16_777_216.0, f64::from(0.1_f32)];
    assert_eq!(values(&data), expected);
}

/// Shape, number of values that are not 0, sum of all values and of all labels. The sums
/// of the whole files are awk's.
fn check_real(
    libsvm: &Libsvm,
    shape: (u64, usize),
    nonzero: usize,
    sum: f64,
    sum_of_labels: f64,
) -> ChunkedDataset {
    let data = libsvm.clone().dataset().unwrap();
    laws::check_source(&data, &registry());
    assert_eq!((data.n_samples(), data.n_features()), (Some(shape.0), shape.1));
    assert_eq!(data.layout().targets, Some(TargetKind::I64));
    let all = values(&data);
    assert_eq!(all.iter().filter(|&&value| value != 0.0).count(), nonzero);
    assert!((all.iter().sum::<f64>() - sum).abs() <= 1e-7);
    assert_eq!(labels(&data).iter().sum::<f64>(), sum_of_labels);
    data
}

#[test]
fn heart_scale() {
    let data = real("heart_scale").block_rows(100);
    let data = check_real(&data, (270, 13), 3_378, -666.4008603, -30.0);
    assert_eq!(data.layout().rows.rows_of(2), Some(200..270));
    let block = data.read(0).unwrap();
    // +1 1:0.708333 2:1 3:1 4:-0.320755 5:-0.105023 6:-1 7:1 8:-0.419847 9:-1 10:-0.225806 12:1 13:-1
    let first = [
        0.708333, 1.0, 1.0, -0.320755, -0.105023, -1.0, 1.0, -0.419847, -1.0, -0.225806, 0.0, 1.0,
        -1.0,
    ];
    let rows = block.records.as_rows::<f64>().unwrap();
    assert_eq!(rows.row(0), first);
    let Some(Targets::I64(labels)) = &block.targets else { panic!("integers") };
    assert_eq!(labels[..4], [1, -1, 1, -1]);
    // +1 1:0.583333 2:1 3:1 4:0.245283 5:-0.269406 6:-1 7:1 8:-0.435115 9:1 10:-0.516129 12:1 13:-1
    let last = [
        0.583333, 1.0, 1.0, 0.245283, -0.269406, -1.0, 1.0, -0.435115, 1.0, -0.516129, 0.0, 1.0,
        -1.0,
    ];
    assert_eq!(data.read(2).unwrap().records.as_rows::<f64>().unwrap().row(69), last);
}

#[test]
fn pendigits() {
    let all = |name, rows, nonzero, sum, labels| {
        check_real(&real(name).block_rows(1_000), (rows, 16), nonzero, sum, labels)
    };
    let train = all("pendigits", 7_494, 104_535, 6_079_367.0, 33_205.0);
    let _ = all("pendigits.t", 3_498, 48_773, 2_839_286.0, 15_507.0);
    // 8 1:47 2:100 3:27 4:81 5:57 6:37 7:26 10:23 11:56 12:53 13:100 14:90 15:40 16:98
    let first = [47, 100, 27, 81, 57, 37, 26, 0, 0, 23, 56, 53, 100, 90, 40, 98].map(f64::from);
    assert_eq!(train.read(0).unwrap().records.as_rows::<f64>().unwrap().row(0), first);
    assert_eq!(labels(&train)[..3], [8.0, 2.0, 1.0]);
}

#[test]
fn a9a_and_its_test_data_are_equally_wide() {
    let train = real("a9a");
    let data = check_real(&train, (32_561, 123), 451_592, 451_592.0, -16_879.0);
    let shape =
        "ChunkedDataset (32561, 123) f64, 4 blocks of up to 8456 rows, 32.3 MB, targets i64";
    assert_eq!(data.to_string(), shape);
    // -1 3:1 11:1 14:1 19:1 39:1 42:1 55:1 64:1 67:1 73:1 75:1 76:1 80:1 83:1
    let ones = [3, 11, 14, 19, 39, 42, 55, 64, 67, 73, 75, 76, 80, 83];
    let mut first = [0.0; 123];
    ones.into_iter().for_each(|index: usize| first[index - 1] = 1.0);
    assert_eq!(data.read(0).unwrap().records.as_rows::<f64>().unwrap().row(0), first);
    let test = real("a9a.t").block_rows(5_000);
    assert_eq!(test.clone().dataset().unwrap().n_features(), 122);
    let test = check_real(&test.n_features(123), (16_281, 123), 225_731, 225_731.0, -8_589.0);
    let both = ChunkedDataset::concat(&[data, test]).unwrap();
    assert_eq!(both.n_samples(), Some(48_842));
}

/// Stretches of 4 MiB are read at a time, whatever the blocks: rows, comments and errors
/// are where they are.
#[test]
fn files_and_blocks_of_many_stretches() {
    let dir = Directory::new();
    let mut text = "# a comment\n".to_owned();
    for row in 0..20_000 {
        let comment = "x".repeat(row % 1_001);
        text += &format!("{} 1:{row} 3:-{row}.5 # {comment}\n", row % 7);
        if row % 1_000 == 0 {
            text += &format!("#{}\n", "y".repeat(5_000));
        }
    }
    assert!(text.len() > 10 << 20);
    let libsvm = dir.open(&text);
    for libsvm in [libsvm.clone(), libsvm.clone().block_rows(777), libsvm.block_rows(15_000)] {
        let data = libsvm.dataset().unwrap();
        assert_eq!((data.n_samples(), data.n_features()), (Some(20_000), 3));
        let expected = (0..20_000).flat_map(|row| [f64::from(row), 0.0, -f64::from(row) - 0.5]);
        assert!(values(&data).into_iter().eq(expected));
        let last = data.read(data.n_blocks() - 1).unwrap().targets.unwrap();
        let Targets::I64(last) = last else { panic!("integers") };
        assert_eq!(last.last(), Some(&(19_999 % 7)));
    }
    let first_decides = dir.open("0.5 5:1\n".to_owned() + &text).dataset().unwrap();
    assert_eq!(first_decides.n_features(), 5);
    assert_eq!(first_decides.layout().targets, Some(TargetKind::F64));
    text += "1 1:1\n1 1:oops\n1 0:0\n";
    let error = dir.open(&text).dataset().unwrap_err();
    let lines = text.lines().count() as u64;
    assert_eq!((error.location().line, error.location().column), (Some(lines - 1), Some(0)));
}

#[test]
fn there_are_not_more_than_2_to_the_20_blocks() {
    let dir = Directory::new();
    let libsvm = dir.open("1\n".repeat((1 << 20) + 1));
    let data = libsvm.clone().n_features(10_000).dataset().unwrap();
    let shape = "(1048577, 10000) f64, 10083 blocks of up to 104 rows, 83.9 GB, targets i64";
    assert_eq!(data.layout().to_string(), shape);
    assert_eq!(data.read(10_082).unwrap().n_samples(), 1_048_577 - 10_082 * 104);
    // One row is 8 MiB and a block could be one row, but there are places for two.
    let data = libsvm.clone().n_features(1 << 20).dataset().unwrap();
    assert_eq!((data.n_blocks(), data.read(1).unwrap().n_samples()), ((1 << 19) + 1, 2));
    assert_eq!(
        dir.message(&libsvm.block_rows(1).dataset().unwrap_err()),
        "DIR/a.txt: parameter `block_rows` must be large enough that there are at most 1048576 \
         blocks, found 1"
    );
}

/// A few bytes of text can ask for any amount of memory.
#[test]
fn blocks_that_do_not_fit_in_memory_are_refused() {
    let dir = Directory::new();
    let libsvm = dir.open("1 16777216:1\n".repeat(100_000));
    assert_eq!(libsvm.clone().dataset().unwrap().layout().block_bytes(), Some((1 << 27) + 8));
    let error = libsvm.block_rows(100_000).dataset().unwrap_err();
    let message = dir.message(&error);
    let expected = "DIR/a.txt: the size of a dense block in bytes (fewer `block_rows` make it \
                    smaller) is 13421773600000, over the limit of ";
    assert!(message.starts_with(expected), "{message}");
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }));
}

#[test]
fn a_file_that_changed_is_noticed() {
    let dir = Directory::new();
    let data = dir.open("1 1:1\n").dataset().unwrap();
    dir.write("1 1:1\n2 1:2\n");
    let error = data.read(0).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::SourceChanged { .. }), "{error}");
    fs::remove_file(dir.path.join("a.txt")).unwrap();
    assert!(matches!(data.read(0).unwrap_err().kind(), ErrorKind::Io { .. }));
}

/// Length and time are the same, the bytes are not.
#[test]
fn a_file_that_changed_unnoticed_is_rows_or_an_error() {
    let dir = Directory::new();
    let check = |text: &str, expected: &str| {
        let data = dir.open("1 1:1 2:2\n3 1:3 2:4\n").block_rows(2).dataset().unwrap();
        dir.forge(text);
        assert_eq!(dir.message(&data.read(0).unwrap_err()), format!("DIR/a.txt, {expected}"));
    };
    let changed = "the source gave other data than in an earlier pass: expected";
    let must = "a source must give the same block each time it is read";
    let rows = |found: &str| format!("{changed} 2 rows in the block, found {found}; {must}");
    check("1 1:1 2:2 # 1:3 2:4\n", &format!("block 0: {}", rows("1")));
    check("1 1:1 2:2\n3 1:3\n4  \n", &format!("line 3, block 0: {}", rows("more")));
    check(
        "1 1:1 2:2\n.5 1:3 2:\n",
        "line 2, block 0, column 1: a value is missing; nothing follows \"2:\" (a file that was \
         cut off can end so)",
    );
    check(
        "1 1:1 2:2\n.5 1:3 2:4",
        &format!("block 0: {changed} labels that are integers, found 0.5; {must}"),
    );
    check(
        "1 1:1 2:2\n3 1:3 3:4\n",
        "line 2, block 0: expected an index of at most 2, which is `n_features`, found \"3:4\"",
    );
}

#[test]
fn errors_in_lines_say_where() {
    let dir = Directory::new();
    let check = |text: &[u8], expected: &str| {
        let message = dir.message(&dir.open(text).dataset().unwrap_err());
        assert_eq!(message, format!("DIR/a.txt, {expected}"));
    };
    check(b"1 1:1\nx 1:2\n", "line 2: expected a number as label, found \"x\"");
    check(b"# c\n\n1,2 1:1\n", "line 3: expected a number as label, found \"1,2\"");
    check(b"1:1 2:2\n", "line 1: expected a label before the features, found \"1:1\"");
    check(b"nan 1:1\n", "line 1: expected a finite number, found \"nan\"");
    check(b"-inf 1:1\n", "line 1: expected a finite number, found \"-inf\"");
    check(
        b"1e999 1:1\n",
        "line 1: expected a number as label in the range of f64, found \"1e999\"",
    );
    check(b"\xff\xff\n", "line 1: expected a number as label, found \"\u{fffd}\u{fffd}\"");
    check(b"1 1:1\n\0\0\n", "line 2: expected a number as label, found \"\\0\\0\"");
    check(
        b"1 0:1\n",
        "line 1: expected an index of at least 1, since indices count from 1, found \"0:1\"",
    );
    check(
        b"1 1:1 3:1 3:2\n",
        "line 1: expected an index over 3, since indices ascend, found \"3:2\"",
    );
    check(
        b"1 1:1\n1 3:1 2:1\n",
        "line 2: expected an index over 3, since indices ascend, found \"2:1\"",
    );
    check(b"1 16777217:1\n", "line 1: expected an index of at most 16777216, found \"16777217:1\"");
    check(
        b"1 99999999999999999999999:1\n",
        "line 1: expected an index of at most 16777216, found \"99999999999999999999999:1\"",
    );
    check(b"1 1\n", "line 1: expected a feature as index:value, found \"1\"");
    check(b"1 1:2 2", "line 1: expected a feature as index:value, found \"2\"");
    check(b"1 -1:2\n", "line 1: expected a feature as index:value, found \"-1:2\"");
    check(b"1 +1:2\n", "line 1: expected a feature as index:value, found \"+1:2\"");
    check(b"1 :2\n", "line 1: expected a feature as index:value, found \":2\"");
    check(b"1 a:2\n", "line 1: expected a feature as index:value, found \"a:2\"");
    check(b"1 1:2\r2:3\n", "line 1, column 0: expected a number as value, found \"1:2\\r2:3\"");
    check(
        b"1 qid:7 1:2\n",
        "line 1: expected a feature as index:value, found \"qid:7\" (ranking is not supported)",
    );
    check(
        b"1 1:0.5 2:",
        "line 1, column 1: a value is missing; nothing follows \"2:\" (a file that was \
         cut off can end so)",
    );
    check(
        b"1 1: 0.5\n",
        "line 1, column 0: a value is missing; nothing follows \"1:\" (a file that was \
         cut off can end so)",
    );
    check(b"1 1:1 2:x\n", "line 1, column 1: expected a number as value, found \"2:x\"");
    check(b"1 1:0x1\n", "line 1, column 0: expected a number as value, found \"1:0x1\"");
    check(b"1 1:1#x\n", "line 1, column 0: expected a number as value, found \"1:1#x\"");
    check(b"1 1:1.#INF\n", "line 1, column 0: expected a number as value, found \"1:1.#INF\"");
    check(b"1 1:1:1\n", "line 1, column 0: expected a number as value, found \"1:1:1\"");
    check(b"1 1:\xff\n", "line 1, column 0: expected a number as value, found \"1:\u{fffd}\"");
    check(b"1 5:NaN\n", "line 1, column 4: expected a finite number, found \"5:NaN\"");
    check(b"1 1:inf\n", "line 1, column 0: expected a finite number, found \"1:inf\"");
    check(
        b"1 1:1e999\n",
        "line 1, column 0: expected a number as value in the range of f64, found \"1:1e999\"",
    );
    let error = dir.open("1 1:1e39\n").dtype(Dtype::F32).dataset().unwrap_err();
    let expected =
        "line 1, column 0: expected a number as value in the range of f32, found \"1:1e39\"";
    assert_eq!(dir.message(&error), format!("DIR/a.txt, {expected}"));
    let error = dir.open("1 1:1\n0 4:1\n").n_features(3).dataset().unwrap_err();
    let expected = "line 2: expected an index of at most 3, which is `n_features`, found \"4:1\"";
    assert_eq!(dir.message(&error), format!("DIR/a.txt, {expected}"));
}

#[test]
fn errors_at_opening_say_what_to_do() {
    let dir = Directory::new();
    let check = |libsvm: Libsvm, expected: &str| {
        assert_eq!(dir.message(&libsvm.dataset().unwrap_err()), expected);
    };
    let sound = || dir.open("1 1:1\n");
    check(dir.open(""), "DIR/a.txt: there are no rows");
    check(dir.open("\n# 1 1:1\n \t\r\n").n_features(3), "DIR/a.txt: there are no rows");
    check(
        dir.open("1\n2\n"),
        "DIR/a.txt: no row has a feature, so that their number is unknown; say it with \
         `n_features`",
    );
    check(sound().block_rows(0), "parameter `block_rows` must be at least 1, found 0");
    check(sound().n_features(0), "parameter `n_features` must be from 1 to 16777216, found 0");
    check(
        sound().n_features((1 << 24) + 1),
        "parameter `n_features` must be from 1 to 16777216, found 16777217",
    );
    check(
        dir.open(b"\x1f\x8b\x08"),
        "DIR/a.txt: expected text in UTF-8, found gzip data; decompress it first",
    );
    check(
        dir.open(b"\xff\xfe1\0"),
        "DIR/a.txt: expected text in UTF-8, found UTF-16; convert it with iconv -f UTF-16 -t \
         UTF-8",
    );
    check(
        libsvm::open(dir.path.join("b.txt")),
        "DIR/b.txt: cannot open the file: No such file or directory (os error 2)",
    );
    check(
        libsvm::open(&dir.path),
        "DIR: expected a file, found a directory (open its files, and join them with `concat`)",
    );
}

#[test]
fn a_line_of_any_length_is_read_or_refused() {
    let dir = Directory::new();
    let row = "1 1:2\n";
    let text = |zeros| row.repeat(20_000) + "1 1:" + &"0".repeat(zeros) + "3\n" + row;
    let fits = dir.open(text((16 << 20) - 5)).dataset().unwrap();
    assert_eq!(fits.n_samples(), Some(20_002));
    assert_eq!(values(&fits)[20_000..], [3.0, 2.0]);
    let error = dir.open(text(16 << 20)).dataset().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    assert_eq!(error.location().line, Some(20_001));
    let first = dir.open("# ".repeat(9 << 20)).dataset().unwrap_err();
    assert!(matches!(first.kind(), ErrorKind::Limit { .. }), "{first}");
}

/// A description is not trusted: it ends in a source, or in an error.
#[test]
fn a_description_is_checked() {
    let dir = Directory::new();
    let data = dir.open("1 1:1 2:2\n-1\n3 2:1\n").block_rows(2).dataset().unwrap();
    let description = data.describe().unwrap();
    assert_eq!(description.kind, "libsvm/1");
    for at in 0..description.body.len() {
        for value in [0, 1, 2, 0x7f, 0xff] {
            let mut hostile = description.clone();
            hostile.body[at] = value;
            if let Ok(source) = registry().open_source(&hostile) {
                let data = ChunkedDataset::from_arc(source);
                let read = |block_idx| drop(data.read(block_idx));
                (0..data.n_blocks()).for_each(read);
                drop((data.to_string(), data.count_rows(0)));
            }
        }
    }
    for len in 0..description.body.len() {
        let mut hostile = description.clone();
        hostile.body.truncate(len);
        assert!(registry().open_source(&hostile).is_err());
    }
}

/// What the children run; it does nothing in the parent.
#[test]
fn worker_process() {
    if std::env::var_os(WORKER).is_some() {
        serve(&registry(), std::io::stdin(), std::io::stdout()).unwrap();
    }
}

#[test]
fn other_processes_read_the_same_rows() {
    let this_binary = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["worker_process", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(WORKER, "1").current_dir(std::env::temp_dir());
        command
    };
    let children = Subprocess::spawn(2, 1 << 20, StatePolicy::Keep, this_binary).unwrap();
    for data in [real("heart_scale").block_rows(40), real("a9a.t").n_features(123)] {
        let data = data.dataset().unwrap();
        let (here, there) = (data.sum().compute(), data.sum().compute_on(&children));
        assert_eq!(here.unwrap(), there.unwrap());
    }
}

fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let likely = prop::sample::select(&b"0123459.::::    \n\n\n\r\t-+e#q\xff"[..]);
    let tokens = prop::sample::select(
        &["1", " ", "\n", "-1 ", " 1:", " 2:0.5", " 3:", "4", "#", " # ", "\r\n", "nan", "\n2 "][..],
    );
    prop_oneof![
        prop::collection::vec(likely, 0..120),
        prop::collection::vec(any::<u8>(), 0..120),
        prop::collection::vec(tokens, 0..60).prop_map(|tokens| tokens.concat().into_bytes()),
    ]
}

/// A line that says the same in one of many ways.
fn line(label: f64, row: &[Option<f64>], comment: bool) -> String {
    let mut line = label.to_string();
    for (column, value) in row.iter().enumerate() {
        if let Some(value) = value {
            let index = column + 1;
            line += &match column % 3 {
                0 => format!(" {index}:{value}"),
                1 => format!("  {index}:{value:e}"),
                _ => format!("\t{index}:{value:?} "),
            };
        }
    }
    if comment { line + " # 1:1\n\n#\r\n" } else { line + "\r\n" }
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        (-1_000_i32..1_000).prop_map(|value| f64::from(value) / 8.0),
    ]
}

/// A label, and the values that are written.
type Row = (f64, Vec<Option<f64>>);

fn sparse() -> impl Strategy<Value = (usize, Vec<Row>)> {
    (1_usize..12).prop_flat_map(|n_features| {
        let row = prop::collection::vec(prop::option::of(finite()), n_features);
        let label = prop_oneof![4 => (-9_i32..9).prop_map(f64::from), 1 => finite()];
        (Just(n_features), prop::collection::vec((label, row), 1..20))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_end_in_rows_or_an_error(text in any_text(), block_rows in 1_usize..10) {
        let dir = Directory::new();
        let libsvm = dir.open(&text);
        for libsvm in [libsvm.clone().block_rows(block_rows), libsvm.n_features(5)] {
            let Ok(data) = libsvm.dataset() else { continue };
            // What was opened can be read.
            let rows: usize = blocks(&data).iter().map(Block::n_samples).sum();
            prop_assert_eq!(data.n_samples(), Some(rows as u64));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_written_is_read((n_features, rows) in sparse(), comment in any::<bool>()) {
        let dir = Directory::new();
        let text: String = rows.iter().map(|(label, row)| line(*label, row, comment)).collect();
        let dense: Vec<f64> =
            rows.iter().flat_map(|(_, row)| row.iter().map(|value| value.unwrap_or(0.0))).collect();
        let labels: Vec<f64> = rows.iter().map(|(label, _)| *label).collect();
        check_rows(&dir.open(text).n_features(n_features), &dense, &labels);
    }
}
