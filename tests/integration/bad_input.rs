//! What users get wrong: each is one line that says what and where, and never a panic.
//!
//! The texts are snapshots, reviewed as a whole: `INSTA_UPDATE=always cargo test` renews
//! them.

use std::fmt::Write;
use std::process::Stdio;

use super::support::{Workdir, before_usage, last_line, wait};

/// Tiny generated data.
const GENERATED: [&str; 4] = ["--blocks 2", "--block-rows 300", "--features 3", "--centers 4"];

/// The case with what it needs to be tiny and complete, but for flags that it gives itself.
fn complete(case: &str) -> String {
    let mut args = case.to_owned();
    let missing = |flag: &&&str| {
        let name = flag.split(' ').next().unwrap_or_default();
        !case.split_whitespace().any(|arg| arg.split('=').next() == Some(name))
    };
    let defaults = if case.contains("--input") { &["--clusters 2"][..] } else { &GENERATED };
    defaults.iter().filter(missing).for_each(|flag| args += &format!(" {flag}"));
    args
}

/// Runs each case; gives command lines and errors as text.
fn refusals(directory: &Workdir, code: i32, cases: &[&str]) -> String {
    let mut text = String::new();
    for case in cases {
        // clap refuses before any work is done, so that its cases need no more.
        let output = directory.run(&if code == 2 { case.to_string() } else { complete(case) });
        let stderr = directory.redact(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{case}: {stderr}");
        assert!(!stderr.contains("panicked"), "{case}: {stderr}");
        assert!(!output.stdout.contains("inertia"), "{case}: a report: {}", output.stdout);
        let error = if code == 1 { last_line(&stderr) } else { before_usage(&stderr) };
        assert!(error.starts_with("error: "), "{case}: {stderr}");
        writeln!(text, "kmeans {case}\n    {error}").expect("text");
    }
    text
}

#[test]
fn flags_that_clap_refuses() {
    let cases = [
        "--nope",
        "positional",
        "--clusters -1",
        "--clusters 1.5",
        "--seed x",
        "--threads many",
        "--dtype f16",
        "--init best",
        "--header perhaps",
        "--clusters 3 --clusters 4",
        "--memory-budget",
        "--oversampling-rows 3 --oversampling-factor 3",
        "--init-centroids x.npy --init random",
        "--input x.csv --clusters 2 --blocks 4",
        "--input x.csv --clusters 2 --features 4",
        "--input x.csv --clusters 2 --cluster-std 4",
        "--columns 0-3",
        "--target 3",
        "--header yes",
        "--blocks 18446744073709551616",
    ];
    insta::assert_snapshot!(refusals(&Workdir::new(), 2, &cases));
}

#[test]
fn flags_out_of_range() {
    let directory = Workdir::new();
    directory.write("file/in.txt", "");
    let cases = [
        "--clusters 0",
        "--clusters 601",
        "--clusters 16777217",
        "--clusters 16777216",
        "--blocks 0",
        "--block-rows 0",
        "--features 0",
        "--centers 0",
        "--centers 99999999999",
        "--features 18446744073709551615",
        "--blocks 99999999999999 --block-rows 99999999999999",
        "--blocks 99999999999999 --block-rows 99999",
        "--cluster-std -1",
        "--cluster-std nan",
        "--cluster-std inf",
        "--cluster-std 1e308",
        "--tol nan",
        "--tol -1",
        "--tol inf",
        "--max-iter 0",
        "--n-init 0",
        "--n-init 1001",
        "--init-max-iter 0",
        "--init-max-iter 1001 --explain",
        "--oversampling-factor 0",
        "--oversampling-factor nan",
        "--oversampling-rows -3",
        "--oversampling-rows 2e7",
        "--threads 0",
        "--threads 1025",
        "--memory-budget foo",
        "--memory-budget=",
        "--memory-budget -1",
        "--memory-budget 1XB",
        "--memory-budget 1e99GB",
        "--out no/such/model",
        "--out file",
        "--labels-out no/such/y.npy",
        "--plot no/such/picture.svg",
        "--plot file/in.txt/picture.svg",
        "--out /dev/null",
        "--out /",
        "--out same --labels-out ./file/../same",
    ];
    insta::assert_snapshot!(refusals(&directory, 1, &cases));
}

#[test]
fn an_unknown_instruction_set() {
    let output = Workdir::new().run_with_isa(&complete(""), Some("abacus"));
    assert_eq!(output.status.code(), Some(1));
    let [start, end] = ["error: parameter `DRYSTONE_ISA` must be ", ", found \"abacus\"\n"];
    assert!(output.stderr.starts_with(start) && output.stderr.ends_with(end), "{}", output.stderr);
}

fn write_csv_files(directory: &Workdir) {
    let files: [(&str, &[u8]); 19] = [
        ("ok.csv", b"x,y,w\n1,2,1\n3,4,1\n4,6,0\n"),
        ("empty.csv", b""),
        ("blank.csv", b"\n\n  \n"),
        ("header.csv", b"x,y\n"),
        ("short.csv", b"x,y\n1,2\n3\n4,5\n"),
        ("long.csv", b"x,y\n1,2\n3,4,5\n4,5\n"),
        ("missing.csv", b"x,y\n1,2\n3,\n4,5\n"),
        ("nan.csv", b"x,y\n1,2\n3,NaN\n4,5\n"),
        ("inf.csv", b"x,y\n1,2\n3,-inf\n4,5\n"),
        ("huge.csv", b"x,y\n1,2\n3,1e400\n4,5\n"),
        ("text.csv", b"x,y\n1,2\n3,abc\n4,5\n"),
        ("bytes.csv", b"x,y\n1,2\n3,\xff\xfe\n"),
        ("quote.csv", b"x,y\n1,\"2\n3\"\n"),
        ("equal.csv", b"x,y\n1,2\n1,2\n1,2\n"),
        ("negative.csv", b"x,w\n1,2\n3,-1\n4,0\n"),
        ("zero.csv", b"x,w\n1,0\n3,0\n4,0\n"),
        ("wmissing.csv", b"x,w\n1,2\n3,\n4,0\n"),
        ("words.csv", b"x,kind\n1,a\n3,b\n4,\n"),
        ("twice.csv", b"x,x\n1,2\n3,4\n"),
    ];
    files.iter().for_each(|(name, bytes)| directory.write(name, bytes));
    directory.write("headers/a.csv", "x,y\n1,2\n");
    directory.write("headers/b.csv", "x,z\n1,2\n");
    directory.write("widths/a.csv", "1,2\n");
    directory.write("widths/b.csv", "1,2,3\n");
    directory.write("x.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
}

#[test]
fn csv_files() {
    let directory = Workdir::new();
    write_csv_files(&directory);
    let cases = [
        "--input nowhere.csv",
        "--input no-*.csv",
        "--input [x",
        "--input empty.csv",
        "--input blank.csv",
        "--input header.csv",
        "--input short.csv",
        "--input long.csv",
        "--input missing.csv",
        "--input nan.csv",
        "--input inf.csv",
        "--input huge.csv",
        "--input text.csv",
        "--input bytes.csv",
        "--input quote.csv",
        "--input equal.csv",
        "--input x.png",
        "--input headers/*.csv",
        "--input widths/*.csv",
        "--input headers",
        "--input ok.csv --clusters 4",
        "--input ok.csv --columns nope",
        "--input ok.csv --columns 7",
        "--input ok.csv --columns 0-9",
        "--input ok.csv --columns 2-0",
        "--input ok.csv --columns x,x",
        "--input ok.csv --columns ,",
        "--input ok.csv --columns x,y --target x",
        "--input ok.csv --columns x,w --weights w",
        "--input ok.csv --target nope",
        "--input ok.csv --weights 9",
        "--input ok.csv --target w --weights w",
        "--input twice.csv --columns x",
        "--input words.csv",
        "--input words.csv --columns x --target kind",
        "--input negative.csv --columns x --weights w",
        "--input zero.csv --columns x --weights w",
        "--input wmissing.csv --columns x --weights w",
        "--input ok.csv --delimiter ab",
        "--input ok.csv --delimiter \"",
        "--input ok.csv --delimiter ;",
        "--input ok.csv --header no",
        "--input ok.csv --block-rows 0",
        "--input ok.csv --out ok.csv",
        "--input ok.csv --labels-out ./ok.csv",
    ];
    insta::assert_snapshot!(refusals(&directory, 1, &cases));
    let input = std::fs::read_to_string(directory.path("ok.csv")).expect("it is still there");
    assert_eq!(input.lines().count(), 4);
}

/// Version 1.0 of the format.
fn npy(descr: &str, fortran_order: &str, shape: &str, values: &[[u8; 8]]) -> Vec<u8> {
    let dict =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{dict:<117}\n").bytes());
    bytes.extend(values.as_flattened());
    bytes
}

fn doubles<const N: usize>() -> [[u8; 8]; N] {
    std::array::from_fn(|value| (value as f64).to_le_bytes())
}

fn write_npy_files(directory: &Workdir) {
    let sound = npy("<f8", "False", "(3, 2)", &doubles::<6>());
    let files = [
        ("int.npy", npy("<i8", "False", "(3, 2)", &[[1, 0, 0, 0, 0, 0, 0, 0]; 6])),
        ("big.npy", npy(">f8", "False", "(3, 2)", &doubles::<6>())),
        ("object.npy", npy("|O", "False", "(3, 2)", &doubles::<6>())),
        ("fortran.npy", npy("<f8", "True", "(3, 2)", &doubles::<6>())),
        ("cube.npy", npy("<f8", "False", "(2, 2, 2)", &doubles::<8>())),
        ("rowless.npy", npy("<f8", "False", "(0, 2)", &[])),
        ("columnless.npy", npy("<f8", "False", "(2, 0)", &[])),
        ("astronomic.npy", npy("<f8", "False", "(4611686018427387904, 2)", &[])),
        ("nan.npy", npy("<f8", "False", "(1, 2)", &[[0; 8], f64::NAN.to_le_bytes()])),
        ("widths/a.npy", npy("<f8", "False", "(2, 2)", &doubles::<4>())),
        ("widths/b.npy", npy("<f8", "False", "(2, 3)", &doubles::<6>())),
        ("types/a.npy", npy("<f8", "False", "(2, 2)", &doubles::<4>())),
        ("types/b.npy", npy("<f4", "False", "(2, 2)", &doubles::<2>())),
        ("2x3.npy", npy("<f8", "False", "(2, 3)", &doubles::<6>())),
        ("4x2.npy", npy("<f8", "False", "(4, 2)", &doubles::<8>())),
        ("4x3-f32.npy", npy("<f4", "False", "(4, 3)", &doubles::<6>())),
        ("4x3-nan.npy", npy("<f8", "False", "(4, 3)", &[f64::NAN.to_le_bytes(); 12])),
        ("cut.npy", sound[..sound.len() - 5].to_vec()),
        ("longer.npy", [&sound[..], b"1234"].concat()),
        ("magic.npy", sound[..7].to_vec()),
        ("garbage.npy", b"this is no array at all, but text".to_vec()),
        ("nothing.npy", Vec::new()),
        ("sound.npy", sound),
    ];
    files.iter().for_each(|(name, bytes)| directory.write(name, bytes));
    directory.write("none/readme.txt", "no arrays here");
}

#[test]
fn npy_files() {
    let directory = Workdir::new();
    write_npy_files(&directory);
    let cases = [
        "--input nowhere.npy",
        "--input none",
        "--input none/*.npy",
        "--input int.npy",
        "--input big.npy",
        "--input object.npy",
        "--input fortran.npy",
        "--input cube.npy",
        "--input rowless.npy",
        "--input columnless.npy",
        "--input astronomic.npy",
        "--input nan.npy",
        "--input widths",
        "--input types/*.npy",
        "--input cut.npy",
        "--input longer.npy",
        "--input magic.npy",
        "--input garbage.npy",
        "--input nothing.npy",
        "--input sound.npy --clusters 4",
        "--input sound.npy --dtype f32",
        "--input sound.npy --columns 0",
        "--input sound.npy --target 0",
        "--input sound.npy --weights 0",
        "--input sound.npy --header yes",
        "--input sound.npy --delimiter ,",
        "--input sound.npy --block-rows 0",
        "--input sound.npy --labels-out sound.npy",
        "--init-centroids nowhere.npy",
        "--init-centroids int.npy",
        "--init-centroids 2x3.npy",
        "--init-centroids 4x2.npy",
        "--init-centroids 4x3-f32.npy",
        "--init-centroids 4x3-nan.npy",
        "--init-centroids sound.npy --out sound.npy",
    ];
    insta::assert_snapshot!(refusals(&directory, 1, &cases));
}

/// As under `kmeans | head -1`, and on a full disk.
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let directory = Workdir::new();
    for flags in ["", " --json", " --explain", " --help"] {
        let mut command = directory.command(&(complete("") + flags));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a child");
        drop(child.stdout.take());
        let status = wait(&mut child, "a reader that has seen enough");
        assert!(status.success(), "{flags}: {status}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk() {
    let directory = Workdir::new();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let mut command = directory.command(&complete("--json"));
    let output = command.stdout(full()).output().expect("a child");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr, "error: cannot write to stdout: No space left on device (os error 28)\n");
}
