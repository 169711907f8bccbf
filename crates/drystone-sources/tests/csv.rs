//! CSV files: what is written is read, any cut gives the same rows, and whatever does not
//! fit is an error that says where.

use std::fs;
use std::path::{Path, PathBuf};

use drystone_core::{
    Block, ChunkedDataset, Dtype, Error, ErrorKind, Registry, TargetKind, Targets, laws,
};
use drystone_sources::csv::{self, Column, Csv, Delimiter, Header, Missing};
use proptest::prelude::*;
use tempfile::TempDir;

fn registry() -> Registry {
    let mut registry = Registry::new();
    csv::register(&mut registry);
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

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn open(&self, text: impl AsRef<[u8]>) -> Csv {
        csv::open(self.write("a.csv", text))
    }

    fn message(&self, error: &Error) -> String {
        error.to_string().replace(self.path.to_str().unwrap(), "DIR")
    }
}

fn real(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name)
}

fn blocks(data: &ChunkedDataset) -> Vec<Block> {
    (0..data.n_blocks()).map(|idx| data.read(idx).unwrap()).collect()
}

fn values(data: &ChunkedDataset) -> Vec<f64> {
    blocks(data).iter().flat_map(|block| block.records.to_f64()).collect()
}

/// All rows, whatever the blocks, and the laws besides.
fn check_rows(csv: &Csv, expected: &[f64]) {
    for block_bytes in [1, 2, 3, 5, 7, 16, 1 << 20] {
        let data = csv.clone().block_bytes(block_bytes).dataset().unwrap();
        assert_eq!(values(&data), expected, "blocks of {block_bytes} bytes");
        laws::check_source(&data, &registry());
    }
}

#[test]
fn shapes_of_files() {
    let dir = Directory::new();
    let six = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    for text in [
        "1,2\n3,4\n5,6\n",
        "1,2\n3,4\n5,6",
        "a,b\n1,2\n3,4\n5,6\n",
        "\n\na,b\n1,2\n\n  \n3,4\n5,6\n\n",
        "a,b\r\n1,2\r\n3,4\r\n\r\n5,6\r\n",
        "\u{feff}a,b\n1,2\n3,4\n5,6\n",
        "\u{feff}1,2\n3,4\n5,6\n",
        "1;2\n3;4\n5;6\n",
        "1\t2\n3\t4\n5\t6\n",
        "  1 2\n 3\t 4 \n\n5   6",
        "   a   b\n   1   2\n   3   4\n   5   6\n",
        " 1 , 2\n3 ,4 \n 5,6\t\n",
        "\"1\",\"2\"\n \"3\" ,4\n5,\"6\"\n",
        "\"a,b\",\"c\"\"d\"\n1,2\n3,4\n5,6\n",
        "\"a b\" \"c\"\n1 2\n3 \"4\"\n5 6\n",
        "+1,2.0\n3e0,.4e1\n5.,0.6E+1\n",
    ] {
        check_rows(&dir.open(text), &six);
    }
    check_rows(&dir.open("7\n8\n"), &[7.0, 8.0]);
    check_rows(&dir.open("1|2\n").delimiter(Delimiter::Byte(b'|')), &[1.0, 2.0]);
    let infinite = [f64::INFINITY, f64::NEG_INFINITY, 1e-300, -0.0];
    check_rows(&dir.open("inf,-Infinity\n1e-300,-0\n"), &infinite);
}

#[test]
fn headers_are_recognised() {
    let dir = Directory::new();
    let names = |csv: Csv| csv.dataset().unwrap().layout().feature_names.clone();
    let some = |names: [&str; 2]| Some(names.map(str::to_owned).to_vec().into());
    assert_eq!(names(dir.open("x,y\n1,2\n")), some(["x", "y"]));
    assert_eq!(names(dir.open("x,y\n")), some(["x", "y"]));
    assert_eq!(names(dir.open("id,2019\n1,2\n")), some(["id", "2019"]), "a year is a name");
    assert_eq!(names(dir.open("1,2\n3,4\n")), None);
    assert_eq!(names(dir.open("1,2\n3,4\n").header(Header::Yes)), some(["1", "2"]));
    assert_eq!(names(dir.open("?,NA\n3,4\n").missing(Missing::Nan)), None);
    let iris = dir.open("5.1,3.5,setosa\n4.9,3.0,setosa\n").target(2);
    assert_eq!(names(iris.clone()), None, "text in both lines is data");
    check_rows(&iris, &[5.1, 3.5, 4.9, 3.0]);
}

#[test]
fn columns_are_chosen() {
    let dir = Directory::new();
    let text = "a,b,c,d\n1,2,3,4\n5,6,7,8\n";
    let check = |csv: Csv, expected: &[f64]| check_rows(&csv, expected);
    check(dir.open(text).columns(["d", "a"]), &[4.0, 1.0, 8.0, 5.0]);
    check(dir.open(text).columns([2]), &[3.0, 7.0]);
    let listed = Column::parse_list("1-2,a").unwrap();
    check(dir.open(text).columns(listed), &[2.0, 3.0, 1.0, 6.0, 7.0, 5.0]);
    check(dir.open(text).target("b"), &[1.0, 3.0, 4.0, 5.0, 7.0, 8.0]);
    let data = dir.open(text).target("b").weights("c").dataset().unwrap();
    let block = data.read(0).unwrap();
    assert_eq!(block.targets, Some(Targets::I64(vec![2, 6].into())));
    assert_eq!(&block.weights.unwrap()[..], [3.0, 7.0]);
    check(dir.open("1,x,2\n3,y,4\n").columns([0, 2]), &[1.0, 2.0, 3.0, 4.0]);
    check(dir.open(b"1,\xff\n3,\xfe\n").columns([0]), &[1.0, 3.0]);
}

#[test]
fn the_type_of_targets_is_decided_by_the_first_lines() {
    let dir = Directory::new();
    let targets = |csv: Csv| csv.target(1).dataset().unwrap().read(0).unwrap().targets.unwrap();
    assert_eq!(targets(dir.open("0,1\n0,-2\n")), Targets::I64(vec![1, -2].into()));
    assert_eq!(targets(dir.open("0,1\n0,2.5\n")), Targets::F64(vec![1.0, 2.5].into()));
    let names = ["b", "a, \"c\"", "b"];
    let text = "0,b\n0,\"a, \"\"c\"\"\"\n0, b \n";
    assert_eq!(targets(dir.open(text)), Targets::categories(&names));
    let forced = dir.open("0,1\n0,2\n").targets_as(TargetKind::Categories);
    assert_eq!(targets(forced), Targets::categories(&["1", "2"]));
    let empty = dir.open("x,y\n").target("y").dataset().unwrap();
    assert_eq!(empty.layout().targets, Some(TargetKind::F64));
}

#[test]
fn missing_values_become_nan_if_asked() {
    let dir = Directory::new();
    let text = "a,b\n,1\n?,2\nNA,3\nn/a,4\nNaN,5\nNULL,6\nnone,7\n-nan,8\n\"\",9\n";
    let data = dir.open(text).missing(Missing::Nan).dtype(Dtype::F32).dataset().unwrap();
    let rows: Vec<f64> = values(&data);
    assert_eq!(rows.len(), 18);
    assert!(rows.chunks(2).all(|row| row[0].is_nan()));
    assert_eq!(rows[17], 9.0);
}

#[test]
fn f32_is_rounded_once() {
    let dir = Directory::new();
    // Rounded to f64 first, this would be a tie and go the other way.
    let text = "1.00000017881393432617187499\n16777217\n0.1\n";
    let data = dir.open(text).dtype(Dtype::F32).dataset().unwrap();
    let expected = [1.000_000_119_209_289_6, 16_777_216.0, f64::from(0.1_f32)];
    assert_eq!(values(&data), expected);
}

#[test]
fn files_follow_each_other() {
    let dir = Directory::new();
    dir.write("p-1.csv", "x,y\n1,2\n");
    dir.write("p-2.csv", "x,y\n");
    dir.write("p-3.csv", "");
    dir.write("p-4.csv", "\r\n");
    dir.write("p-5.csv", "\u{feff}x,y\r\n3,4");
    dir.write("p-6.csv", "\"x\" , y\n5,6\n");
    dir.write("p-7.csv", "another");
    check_rows(&csv::open(dir.path.join("p-[1-6].csv")), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    fs::remove_file(dir.path.join("p-7.csv")).unwrap();
    check_rows(&csv::open(&dir.path), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn no_rows_are_a_dataset() {
    let dir = Directory::new();
    let data = dir.open("x,y\n").dataset().unwrap();
    assert_eq!((data.n_blocks(), data.n_features()), (0, 2));
    laws::check_source(&data, &registry());
    assert_eq!(data.scan().unwrap().n_samples(), Some(0));
}

#[test]
fn real_files() {
    let check = |csv: Csv, shape: (u64, usize), sum: &[f64]| {
        let data = csv.dataset().unwrap();
        laws::check_source(&data, &registry());
        let scanned = data.scan().unwrap();
        assert_eq!((scanned.n_samples(), scanned.n_features()), (Some(shape.0), shape.1));
        let all = values(&data);
        for (column, sum) in sum.iter().enumerate() {
            let found: f64 = all.iter().skip(column).step_by(shape.1).sum();
            assert!((found - sum).abs() <= 1e-9 * sum.abs(), "{found} is not {sum}");
        }
        data
    };
    let s1 = check(csv::open(real("s1.txt")).block_bytes(9_999), (5_000, 2), &[S1[0], S1[1]]);
    assert_eq!(s1.layout().feature_names.as_deref(), Some(&["x".to_owned(), "y".into()][..]));
    let a3 = csv::open(real("a3.txt")).block_rows(1_000);
    let a3 = check(a3, (7_500, 2), &[A3[0], A3[1]]);
    assert_eq!(a3.n_blocks(), 8);
    let spam = csv::open(real("spambase.data")).target(57).block_bytes(100_000);
    let spam = check(spam, (4_601, 57), &[]);
    let spams = blocks(&spam).into_iter().map(|block| match block.targets {
        Some(Targets::I64(labels)) => labels.iter().sum::<i64>(),
        other => panic!("labels are integers, not {other:?}"),
    });
    assert_eq!(spams.sum::<i64>(), 1_813);
    let f32s = csv::open(real("spambase.data")).dtype(Dtype::F32);
    let _ = check(f32s, (4_601, 58), &[]);
}

const S1: [f64; 2] = [2574687783.0, 2473546464.0];
const A3: [f64; 2] = [244_213_145.0, 256_129_052.0];

#[test]
fn a_file_that_changed_is_noticed() {
    let dir = Directory::new();
    let data = dir.open("1,2\n").dataset().unwrap();
    dir.write("a.csv", "1,2\n3,4\n");
    for error in [data.read(0).unwrap_err(), data.count_rows(0).unwrap_err()] {
        assert!(matches!(error.kind(), ErrorKind::SourceChanged { .. }), "{error}");
    }
    fs::remove_file(dir.path.join("a.csv")).unwrap();
    assert!(matches!(data.read(0).unwrap_err().kind(), ErrorKind::Io { .. }));
}

#[test]
fn errors_in_rows_say_where() {
    let dir = Directory::new();
    let check = |csv: Csv, expected: &str| {
        let read = csv.clone().dataset().unwrap().read(0);
        let message = dir.message(&read.unwrap_err());
        assert_eq!(message, format!("DIR/a.csv, {expected}"));
    };
    check(
        dir.open("x,y\n1,2\n\n3,oops\n"),
        "line 4, block 0, column 1 (\"y\"): expected a number, found \"oops\"; if the column is \
         not numeric, choose others with `columns`",
    );
    check(
        dir.open("1,2\n3,0x10\n"),
        "line 2, block 0, column 1: expected a number, found \"0x10\"; if the column is not \
         numeric, choose others with `columns`",
    );
    check(
        dir.open(b"1,2\n3,4\xff\n"),
        "line 2, block 0, column 1: expected a number, found \"4\u{fffd}\"; if the column is \
         not numeric, choose others with `columns`",
    );
    check(
        dir.open("x,y\n1,2\n3,NA\n"),
        "line 3, block 0, column 1 (\"y\"): a value is missing; choose other columns, fill it or \
         drop the row, or read such values as NaN with `missing(Missing::Nan)`",
    );
    check(dir.open("1,2\n3\n"), "line 2, block 0: expected 2 fields, found 1");
    check(dir.open("x,y\r\n1,2\r\n3,4,\r\n"), "line 3, block 0: expected 2 fields, found 3");
    check(
        dir.open("1,2\n\"3,4\n5\",6\n").delimiter(Delimiter::Byte(b',')),
        "line 2, block 0: expected a closing quote in the same line (a field cannot have several \
         lines), found unclosed quote \"\\\"3,4\"",
    );
    check(
        dir.open("1,2\n\"3\"4,5\n"),
        "line 2, block 0: expected a delimiter after the closing quote, found \"4,5\"",
    );
    check(
        dir.open("1 2\n\"3\"4 5\n"),
        "line 2, block 0: expected a delimiter after the closing quote, found \"4 5\"",
    );
    check(
        dir.open("x,y\n1,2\n3,2.5\n").target("y").targets_as(TargetKind::I64),
        "line 3, block 0, column 1 (\"y\"): expected an integer target, found \"2.5\"; read the \
         targets with `targets_as(TargetKind::F64)`",
    );
    check(
        dir.open("1,2\n3,b\n").target(1).targets_as(TargetKind::I64),
        "line 2, block 0, column 1: expected an integer target, found \"b\"; read the targets \
         with `targets_as(TargetKind::Categories)`",
    );
    check(
        dir.open("1,2\n3,b\n").target(1).targets_as(TargetKind::F64),
        "line 2, block 0, column 1: expected a number as target, found \"b\"; read the targets \
         with `targets_as(TargetKind::Categories)`",
    );
    check(
        dir.open("1,2\n3,\n").target(1).missing(Missing::Nan),
        "line 2, block 0, column 1: a value is missing; fill it or drop the row: a target cannot \
         be missing",
    );
    check(
        dir.open("1,2\n3,?\n").weights(1).missing(Missing::Nan),
        "line 2, block 0, column 1: a value is missing; fill it or drop the row: a weight cannot \
         be missing",
    );
    check(
        dir.open("1,2\n3,w\n").weights(1),
        "line 2, block 0, column 1: expected a number as weight, found \"w\"",
    );
    check(
        dir.open(b"1,b\n3,\xff\n").target(1).targets_as(TargetKind::Categories),
        "line 2, block 0, column 1: expected a name in UTF-8, found \"\u{fffd}\"",
    );
}

/// Whether the line ends in its block or far behind it.
#[test]
fn a_line_of_any_length_is_read_or_refused() {
    let dir = Directory::new();
    let row = "1,2\n";
    let text = |zeros| row.repeat(20_000) + &"0".repeat(zeros) + "3,4\n" + row;
    for block_bytes in [1 << 20, 32 << 20] {
        let fits = dir.open(text((16 << 20) - 3)).block_bytes(block_bytes);
        assert_eq!(fits.dataset().unwrap().scan().unwrap().n_samples(), Some(20_002));
        let long = dir.open(text(16 << 20)).block_bytes(block_bytes).dataset().unwrap();
        for error in [long.read(0).unwrap_err(), long.count_rows(0).unwrap_err()] {
            assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
            assert_eq!(error.location().line, Some(20_001));
        }
    }
    let first = dir.open("0".repeat(17 << 20)).dataset().unwrap_err();
    assert!(matches!(first.kind(), ErrorKind::Limit { .. }), "{first}");
}

#[test]
fn a_line_far_into_a_file_has_its_number() {
    let dir = Directory::new();
    let mut text = "x,y\n".to_owned();
    (0..100_000).for_each(|row| text.push_str(&format!("{row},{row}\n")));
    text.push_str("1,oops\n");
    let data = dir.open(&text).block_bytes(10_000).dataset().unwrap();
    let last = data.n_blocks() - 1;
    let error = data.read(last).unwrap_err();
    assert_eq!(error.location().line, Some(100_002));
    assert_eq!(error.location().block, Some(last as u64));
    assert_eq!(error.location().column_name.as_deref(), Some("y"));
}

#[test]
fn errors_at_opening_say_what_to_do() {
    let dir = Directory::new();
    let check = |csv: Csv, expected: &str| {
        assert_eq!(dir.message(&csv.dataset().unwrap_err()), expected);
    };
    let xy = || dir.open("x,y\n1,2\n");
    check(dir.open(""), "DIR/a.csv: there are no lines, so that the columns are unknown");
    check(dir.open("\n \n"), "DIR/a.csv: there are no lines, so that the columns are unknown");
    check(
        dir.open("\n".repeat(100_000)),
        "DIR/a.csv: expected a line that is not blank in the first 65536 bytes, found none",
    );
    check(
        dir.open(b"\x1f\x8b\x08"),
        "DIR/a.csv: expected text in UTF-8, found gzip data; decompress it first",
    );
    check(
        dir.open(b"\xff\xfe1\0"),
        "DIR/a.csv: expected text in UTF-8, found UTF-16; convert it with iconv -f UTF-16 -t \
         UTF-8",
    );
    check(
        xy().columns(["x", "z"]),
        "DIR/a.csv: parameter `columns` must be one of the columns \"x\", \"y\", found \"z\"",
    );
    check(
        xy().target("Y"),
        "DIR/a.csv: parameter `target` must be one of the columns \"x\", \"y\", found \"Y\"",
    );
    check(
        xy().target(2),
        "DIR/a.csv: parameter `target` must be within the 2 columns, which count from 0, found 2",
    );
    check(
        xy().columns([Column::parse("0-5").unwrap()]),
        "DIR/a.csv: parameter `columns` must be within the 2 columns, which count from 0, found \
         0-5",
    );
    check(
        xy().target(Column::parse("0-1").unwrap()),
        "DIR/a.csv: parameter `target` must be one column, found 2",
    );
    check(
        dir.open("x,x\n1,2\n").target("x"),
        "DIR/a.csv: parameter `target` must be a name that one column has (columns 0 and 1 have \
         it: use an index), found \"x\"",
    );
    check(
        dir.open("1,2\n").target("x"),
        "DIR/a.csv: parameter `target` must be an index, because the file has no header, found \
         \"x\"",
    );
    check(
        xy().target("x").columns(["x"]),
        "DIR/a.csv: parameter `columns` must be columns that are not used already, found column \
         0, which is target or weights",
    );
    check(
        xy().columns([1, 1]),
        "DIR/a.csv: parameter `columns` must be columns that are not used already, found column \
         1, which is another",
    );
    check(
        xy().target("x").weights(0),
        "DIR/a.csv: parameter `weights` must be another column than `target`, found the same",
    );
    check(
        dir.open("1\n2\n").target(0),
        "DIR/a.csv: parameter `columns` must be at least one feature, found none",
    );
    check(
        xy().targets_as(TargetKind::F64),
        "parameter `targets_as` must be used with `target`, found no `target`",
    );
    check(xy().block_rows(0), "parameter `block_rows` must be at least 1, found 0");
    check(xy().block_bytes(0), "parameter `block_bytes` must be at least 1, found 0");
    check(
        xy().delimiter(Delimiter::Byte(b'"')),
        "parameter `delimiter` must be a byte other than the quote and line ends, found '\"'",
    );
    check(
        dir.open("x,\"y\n1,2\n").delimiter(Delimiter::Byte(b',')),
        "DIR/a.csv, line 1: expected a closing quote in the same line (a field cannot have \
         several lines), found unclosed quote \"\\\"y\"",
    );
    dir.write("b.csv", "\nx,z\n1,2\n");
    dir.write("a.csv", "x,y\n1,2\n");
    check(
        csv::open(dir.path.join("[ab].csv")),
        "DIR/b.csv, line 2: expected the header of DIR/a.csv, found \"x,z\"",
    );
    check(
        csv::open(dir.path.join("c*.csv")),
        "parameter `path` must be a pattern that matches at least one file (check the directory \
         and the spelling; relative paths start at the working directory), found \"DIR/c*.csv\"",
    );
    let position = dir.path.as_os_str().len() + 2;
    check(
        csv::open(dir.path.join("c[.csv")),
        &format!(
            "parameter `path` must be a well-formed pattern, found \"DIR/c[.csv\": Pattern \
             syntax error near position {position}: invalid range pattern"
        ),
    );
    let wide = format!("{}0\n", "0,".repeat(1 << 20));
    check(
        dir.open(wide),
        "DIR/a.csv, line 1: the number of columns is 1048577, over the limit of 1048576",
    );
    for text in ["", "3-1", "99999999999999999999"] {
        let message = Column::parse(text).unwrap_err().to_string();
        let expected = "parameter `columns` must be an index as 3, an ascending range as 0-56, or \
                        a name, found ";
        assert_eq!(message, format!("{expected}{text:?}"));
    }
}

/// A description is not trusted: it ends in a source, or in an error.
#[test]
fn a_description_is_checked() {
    let dir = Directory::new();
    let data = dir.open("x,y,z\n1,2,3\n4,5,6\n").target("y").dataset().unwrap();
    let description = data.describe().unwrap();
    for at in 0..description.body.len() {
        for value in [0, 1, 2, 0x7f, 0xff] {
            let mut hostile = description.clone();
            hostile.body[at] = value;
            if let Ok(source) = registry().open_source(&hostile) {
                let data = ChunkedDataset::from_arc(source);
                let _ = (data.to_string(), data.read(0), data.count_rows(0));
            }
        }
    }
}

fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let likely = prop::sample::select(&b"0123456789..,,,;\t  \n\n\n\r\"-+eENAx?\xff"[..]);
    prop_oneof![prop::collection::vec(likely, 0..120), prop::collection::vec(any::<u8>(), 0..120),]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_end_in_rows_or_an_error(text in any_text(), block_bytes in 1_u64..40) {
        let dir = Directory::new();
        let csv = dir.open(&text).missing(Missing::Nan).block_bytes(block_bytes);
        for csv in [csv.clone(), csv.clone().target(0), csv.header(Header::No)] {
            let Ok(data) = csv.dataset() else { continue };
            for block_idx in 0..data.n_blocks() {
                if let Ok(block) = data.read(block_idx) {
                    prop_assert_eq!(data.count_rows(block_idx).unwrap(), block.n_samples() as u64);
                }
            }
        }
    }

    #[test]
    fn numbers_are_read_as_the_standard_library_reads_them(
        rows in prop::collection::vec((any::<f64>(), any::<f64>(), -1e3..1e3, -1e6..1e6), 1..20),
        block_bytes in 1_u64..400,
    ) {
        let dir = Directory::new();
        let line = |(a, b, c, d): &(f64, f64, f64, f64)| format!("{a},{b:e},{c:.3},{d:.6}\n");
        let text: String = rows.iter().map(line).collect();
        let expected: Vec<u64> =
            text.split([',', '\n']).filter_map(|field| field.parse().ok()).map(f64::to_bits).collect();
        let csv = dir.open(&text).missing(Missing::Nan).header(Header::No).block_bytes(block_bytes);
        let found = values(&csv.dataset().unwrap());
        prop_assert_eq!(found.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), expected);
    }
}
