//! `.npy` files: what numpy writes is read, any cut gives the same rows, and no file, however
//! broken or hostile, gives anything but a typed error.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use drystone_core::{
    Block, ChunkedDataset, Dtype, Error, ErrorKind, Records, Registry, TargetKind, Targets, laws,
};
use drystone_sources::npy::{self, NpyItem, NpyWriter};
use ndarray::Array2;
use proptest::prelude::*;
use tempfile::TempDir;

fn registry() -> Registry {
    let mut registry = Registry::new();
    npy::register(&mut registry);
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

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.at(name), bytes).unwrap();
        self.at(name)
    }

    fn message(&self, error: &Error) -> String {
        error.to_string().replace(self.path.to_str().unwrap(), "DIR")
    }
}

/// A file of version 1.0 as numpy writes it.
fn file(dict: &str, data: &[u8]) -> Vec<u8> {
    let mut text = dict.to_owned();
    while !(10 + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn more_columns_than_memory_has_room_for_are_refused() {
    let directory = Directory::new();
    for width in [(1_u64 << 24) + 1, 1 << 36, (1 << 60) - 1] {
        let dict = dict("<f8", &format!("(0, {width})"));
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((dict.len() as u16).to_le_bytes());
        bytes.extend(dict.as_bytes());
        let error = npy::open(directory.write("wide.npy", &bytes)).dataset().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    }
}

fn dict(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
}

fn doubles(values: impl IntoIterator<Item = f64>) -> Vec<u8> {
    values.into_iter().flat_map(f64::to_le_bytes).collect()
}

fn points(n_samples: usize) -> Array2<f64> {
    Array2::from_shape_fn((n_samples, 3), |(row, column)| row as f64 + 0.25 * column as f64)
}

fn read_all(data: &ChunkedDataset) -> Vec<f64> {
    let blocks = (0..data.n_blocks()).map(|idx| data.read(idx).unwrap());
    blocks.flat_map(|block: Block| block.records.to_f64()).collect()
}

#[test]
fn any_block_rows_over_any_files_give_the_same_rows() {
    let dir = Directory::new();
    let all = points(20);
    for (name, rows) in
        [("p-1.npy", 0..7), ("p-2.npy", 7..7), ("p-3.npy", 7..8), ("p-4.npy", 8..20)]
    {
        npy::write(dir.at(name), &all.slice(ndarray::s![rows, ..])).unwrap();
    }
    npy::write(dir.at("p-7.npy"), &points(3)).unwrap();
    for block_rows in [1, 3, 7, 8, 20, 1000] {
        let data = npy::open(dir.at("p-[1-6].npy")).block_rows(block_rows).dataset().unwrap();
        laws::check_source(&data, &registry());
        assert_eq!(data.n_samples(), Some(20));
        assert_eq!(read_all(&data), all.as_slice().unwrap());
    }
    assert_eq!(npy::open(&dir.path).dataset().unwrap().n_samples(), Some(23), "a directory");
}

#[test]
fn a_literal_path_wins_over_a_pattern() {
    let dir = Directory::new();
    npy::write(dir.at("p[12].npy"), &points(1)).unwrap();
    npy::write(dir.at("p1.npy"), &points(5)).unwrap();
    assert_eq!(npy::open(dir.at("p[12].npy")).dataset().unwrap().n_samples(), Some(1));
}

#[test]
fn targets_and_weights_are_widened_without_loss() {
    let dir = Directory::new();
    npy::write(dir.at("x.npy"), &points(5).mapv(|value| value as f32)).unwrap();
    fn one<T: NpyItem>(path: &Path, values: &[T]) {
        let mut writer = NpyWriter::create(path).unwrap();
        writer.append(values).unwrap();
        assert_eq!(writer.finish().unwrap(), values.len() as u64);
    }
    one(&dir.at("i8.npy"), &[1_i64, -2, i64::MAX, i64::MIN, 0]);
    one(&dir.at("i4.npy"), &[1_i32, -2, 3, i32::MIN, 0]);
    one(&dir.at("u4.npy"), &[1_u32, 2, u32::MAX, 3, 4]);
    one(&dir.at("f4.npy"), &[0.1_f32, 2.0, 3.0, 4.0, 5.0]);
    one(&dir.at("f8.npy"), &[0.1_f64, 2.0, 3.0, 4.0, 5.0]);
    dir.write("b1.npy", &file(&dict("|b1", "(5,)"), &[1, 0, 1, 1, 0]));
    dir.write("i1.npy", &file(&dict("|i1", "(5,)"), &[255, 0, 127, 128, 1]));
    let integers = |values: [i64; 5]| Targets::I64(values.to_vec().into());
    let floats = |values: [f64; 5]| Targets::F64(values.to_vec().into());
    for (name, expected) in [
        ("i8.npy", integers([1, -2, i64::MAX, i64::MIN, 0])),
        ("i4.npy", integers([1, -2, 3, -2_147_483_648, 0])),
        ("u4.npy", integers([1, 2, 4_294_967_295, 3, 4])),
        ("b1.npy", integers([1, 0, 1, 1, 0])),
        ("i1.npy", integers([-1, 0, 127, -128, 1])),
        ("f4.npy", floats([f64::from(0.1_f32), 2.0, 3.0, 4.0, 5.0])),
        ("f8.npy", floats([0.1, 2.0, 3.0, 4.0, 5.0])),
    ] {
        let open = npy::open(dir.at("x.npy")).targets(dir.at(name)).weights(dir.at("f8.npy"));
        laws::check_source(&open.clone().block_rows(2).dataset().unwrap(), &registry());
        let data = open.dataset().unwrap();
        let block = data.read(0).unwrap();
        assert_eq!(block.targets, Some(expected), "{name}");
        assert_eq!(block.weights.unwrap()[0], 0.1);
        assert!(data.layout().weighted && data.dtype() == Dtype::F32);
        let kind = if name.starts_with('f') { TargetKind::F64 } else { TargetKind::I64 };
        assert_eq!(data.layout().targets, Some(kind));
    }
}

#[test]
fn headers_of_all_versions_are_read() {
    let dir = Directory::new();
    let data = doubles([1.0, 2.0]);
    let text = b"{'shape': (2L,), \"descr\": '<f8', 'fortran_order': False}\n";
    for version in [2_u8, 3] {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text);
        bytes.extend(&data);
        let path = dir.write("v.npy", &bytes);
        let Records::F64(rows) = npy::read_array(path).unwrap() else { panic!("f64") };
        assert_eq!((rows.n_samples(), rows.n_features(), rows.values()), (2, 1, &[1.0, 2.0][..]));
    }
}

/// The bytes are those that numpy 2 writes, but for the amount of padding.
#[test]
fn the_header_that_is_written() {
    let dir = Directory::new();
    npy::write(dir.at("x.npy"), &points(2)).unwrap();
    let bytes = fs::read(dir.at("x.npy")).unwrap();
    let expected = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
    assert_eq!(bytes, file(&format!("{expected:117}"), &doubles(points(2))));
    let labels = NpyWriter::<u32>::create(dir.at("y.npy")).unwrap();
    assert_eq!(labels.finish().unwrap(), 0);
    assert!(fs::read(dir.at("y.npy")).unwrap().starts_with(
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '<u4', 'fortran_order': False, 'shape': (0,), }   "
    ));
}

#[test]
fn rows_are_written_in_parts_and_from_any_order() {
    let dir = Directory::new();
    let wide = points(100_000);
    let mut writer = NpyWriter::create_rows(dir.at("x.npy"), 3).unwrap();
    for part in wide.as_slice().unwrap().chunks(77_777) {
        writer.append(part).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), 100_000);
    assert_eq!(npy::read_array(dir.at("x.npy")).unwrap().to_f64(), wide.as_slice().unwrap());
    npy::write(dir.at("t.npy"), &points(4).t()).unwrap();
    assert_eq!(npy::read_array(dir.at("t.npy")).unwrap().to_f64()[..4], [0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn an_unfinished_file_is_refused() {
    let dir = Directory::new();
    let mut writer = NpyWriter::create(dir.at("y.npy")).unwrap();
    writer.append(&vec![1.0_f64; 100_000]).unwrap();
    drop(writer);
    let error = npy::read_array(dir.at("y.npy")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
}

#[test]
fn a_file_that_changed_is_noticed() {
    let dir = Directory::new();
    let write = |n_samples, ns| {
        npy::write(dir.at("x.npy"), &points(n_samples)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_790_000_000, ns);
        File::options().write(true).open(dir.at("x.npy")).unwrap().set_modified(time).unwrap();
    };
    write(4, 5);
    let data = npy::open(dir.at("x.npy")).dataset().unwrap();
    let check = |found: &str| {
        let error = data.read(0).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::SourceChanged { .. }));
        let expected = format!(
            "DIR/x.npy, block 0: the source gave other data than in an earlier pass: expected the \
             file that was opened (224 bytes, last modified 2026-09-21 14:13:20.000000005 UTC), \
             found one of {found}; a source must give the same block each time it is read"
        );
        assert_eq!(dir.message(&error), expected);
    };
    write(5, 5);
    check("248 bytes, last modified 2026-09-21 14:13:20.000000005 UTC");
    // A copy that lost the time of the original in part.
    write(4, 0);
    check(
        "224 bytes, last modified 2026-09-21 14:13:20.000000000 UTC (a copy must keep the time: \
         cp -p, rsync -t)",
    );
    write(4, 5);
    assert!(data.read(0).is_ok());
    fs::remove_file(dir.at("x.npy")).unwrap();
    assert!(matches!(data.read(0).unwrap_err().kind(), ErrorKind::Io { .. }));
}

#[test]
fn errors_name_the_file_and_say_what_to_do() {
    let dir = Directory::new();
    let check = |bytes: &[u8], expected: &str| {
        let path = dir.write("x.npy", bytes);
        let error = npy::open(path).dataset().unwrap_err();
        assert_eq!(dir.message(&error), format!("DIR/x.npy: {expected}"));
    };
    let descr = |descr: &str| file(&dict(descr, "(1, 1)"), &[0; 8]);
    let shape = |shape: &str| file(&dict("<f8", shape), &[0; 16]);
    let header = "expected a .npy header with 'descr', 'fortran_order' and 'shape', found ";
    check(b"", "expected a .npy file (magic \\x93NUMPY), found \"\"");
    check(b"x,y\n1,2\n", "expected a .npy file (magic \\x93NUMPY), found \"x,y\\n1,2\\n\"");
    check(
        b"PK\x03\x04rest of it",
        "expected a .npy file, found a .npz archive; save each array with numpy.save",
    );
    check(b"\x93NUMPY\x01", "expected a .npy header, found the end of the file");
    check(
        b"\x93NUMPY\x04\x00\x10\x00      ",
        "expected version 1.0, 2.0 or 3.0 of the .npy format, found version 4.0",
    );
    check(
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
        "the length of the .npy header is 4294967295, over the limit of 65536",
    );
    check(
        b"\x93NUMPY\x01\x00\x76\x00{'descr'",
        "expected a header of 118 bytes, found a file of 18 bytes",
    );
    check(&file("\u{e9}", &[]), &format!("{header}\"\u{e9}\" in place of '{{'"));
    let latin = b"\x93NUMPY\x01\x00\x02\x00\xe9\n";
    check(latin, &format!("{header}bytes that are not UTF-8"));
    check(&file("{'descr': '<f8', }", &[]), &format!("{header}no 'fortran_order'"));
    check(&file("{'descr': '<f8', 'evil': 1}", &[]), &format!("{header}the key \"evil\""));
    check(
        &file(&format!("{}x", dict("<f8", "(1, 1)")), &[0; 8]),
        &format!("{header}more after the dictionary"),
    );
    check(
        &descr("<i8"),
        "expected f4 or f8 (little-endian) data, found \"<i8\"; convert it with numpy: \
         a.astype('<f8')",
    );
    check(
        &descr(">f4"),
        "expected f4 or f8 (little-endian) data, found \">f4\"; convert it with numpy: \
         a.astype('<f4')",
    );
    check(
        &descr("|O"),
        "expected f4 or f8 (little-endian) data, found \"|O\"; convert it with numpy: \
         a.astype('<f8')",
    );
    check(
        &file("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,), }", &[0; 8]),
        "expected plain (unstructured) data, found a structured array; \
         numpy.lib.recfunctions.structured_to_unstructured makes it plain",
    );
    check(
        &file(&dict("<f8", "(1, 2)").replace("False", "True"), &[0; 16]),
        "expected rows one after the other (C order), found columns one after the other \
         (Fortran order); save it again as numpy.ascontiguousarray(a)",
    );
    check(&shape("()"), "expected an array of 2 dimensions, found 0; use numpy's reshape");
    check(&shape("(1, 2, 1)"), "expected an array of 2 dimensions, found 3; use numpy's reshape");
    check(&shape("(2, 0)"), "expected at least one column, found none");
    check(&shape("(-1, 2)"), &format!("{header}\"-1, 2), }}\" in place of a dimension"));
    check(
        &shape("(99999999999999999999, 2)"),
        &format!("{header}\"99999999999999999999\" in place of a dimension"),
    );
    check(
        &shape("(4294967296, 4294967296)"),
        "expected more than 2^63 bytes of data for shape (4294967296, 4294967296), found 16",
    );
    check(
        &shape("(0, 9223372036854775807)"),
        "expected more than 2^63 bytes of data for shape (0, 9223372036854775807), found 16",
    );
    check(&shape("(3, 1)"), "expected 24 bytes of data for shape (3, 1), found 16");
    check(&shape("(1, 1)"), "expected 8 bytes of data for shape (1, 1), found 16");
    let many = format!("({})", "1, ".repeat(33));
    check(&shape(&many), &format!("{header}more than 32 dimensions"));
}

#[test]
fn errors_between_files() {
    let dir = Directory::new();
    npy::write(dir.at("a.npy"), &points(4)).unwrap();
    npy::write(dir.at("b.npy"), &Array2::<f64>::zeros((4, 2))).unwrap();
    npy::write(dir.at("c.npy"), &Array2::<f32>::zeros((4, 3))).unwrap();
    dir.write("y.npy", &file(&dict("<f8", "(3,)"), &[0; 24]));
    dir.write("z.npy", &file(&dict("<f8", "(2, 2)"), &[0; 32]));
    dir.write("u.npy", &file(&dict("<u8", "(4,)"), &[0; 32]));
    dir.write("column.npy", &file(&dict("<i8", "(3, 1)"), &[0; 24]));
    let check = |open: npy::Npy, expected: &str| {
        assert_eq!(dir.message(&open.dataset().unwrap_err()), expected);
    };
    let a = || npy::open(dir.at("a.npy"));
    check(
        npy::open(dir.at("[ab].npy")),
        "DIR/b.npy: expected 3 columns (as in DIR/a.npy), found 2",
    );
    check(
        npy::open(dir.at("[ac].npy")),
        "DIR/c.npy: expected <f8 (as in DIR/a.npy) data, found <f4",
    );
    check(a().targets(dir.at("y.npy")), "DIR/y.npy: expected 4 targets, found 3");
    check(a().weights(dir.at("y.npy")), "DIR/y.npy: expected 4 weights, found 3");
    check(a().targets(dir.at("column.npy")), "DIR/column.npy: expected 4 targets, found 3");
    check(
        a().targets(dir.at("z.npy")),
        "DIR/z.npy: expected an array of 1 dimension, found 2; use numpy's ravel",
    );
    check(
        a().targets(dir.at("u.npy")),
        "DIR/u.npy: expected integer, f4 or f8 (little-endian) data, found \"<u8\"; convert it \
         with numpy: a.astype('<i8')",
    );
    check(
        a().weights(dir.at("u.npy")),
        "DIR/u.npy: expected f4 or f8 (little-endian) weight data, found \"<u8\"; convert it \
         with numpy: a.astype('<f8')",
    );
    check(a().block_rows(0), "parameter `block_rows` must be at least 1, found 0");
    check(
        npy::open(dir.at("none.npy")),
        "DIR/none.npy: cannot open the file: No such file or directory (os error 2)",
    );
    check(
        npy::open(dir.at("none-*.npy")),
        "parameter `path` must be a pattern that matches at least one file (check the directory \
         and the spelling; relative paths start at the working directory), found \
         \"DIR/none-*.npy\"",
    );
    fs::create_dir(dir.at("empty")).unwrap();
    check(
        npy::open(dir.at("empty")),
        "parameter `path` must be a directory with at least one .npy file (name files of \
         another ending by a pattern, as in \"DIR/empty/*.txt\"), found \"DIR/empty\"",
    );
    let ragged = NpyWriter::<f64>::create_rows(dir.at("r.npy"), 2).and_then(|mut writer| {
        writer.append(&[1.0, 2.0, 3.0])?;
        writer.finish()
    });
    let message = "DIR/r.npy: expected 2 values in the last row, found 1";
    assert_eq!(dir.message(&ragged.unwrap_err()), message);
    let narrow = npy::write(dir.at("r.npy"), &Array2::<f64>::zeros((2, 0)));
    assert_eq!(dir.message(&narrow.unwrap_err()), "DIR/r.npy: expected 1 features, found 0");
}

/// A description is not trusted: it ends in a source, or in an error.
#[test]
fn a_description_is_checked() {
    let dir = Directory::new();
    npy::write(dir.at("x.npy"), &points(4)).unwrap();
    let description = npy::open(dir.at("x.npy")).dataset().unwrap().describe().unwrap();
    for at in 0..description.body.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut hostile = description.clone();
            hostile.body[at] = value;
            if let Ok(source) = registry().open_source(&hostile) {
                let data = ChunkedDataset::from_arc(source);
                let _ = (data.to_string(), data.read(0));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_end_in_rows_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        magic in any::<bool>(),
    ) {
        let dir = Directory::new();
        let mut all = if magic { b"\x93NUMPY\x01\x00\x40\x00".to_vec() } else { Vec::new() };
        all.extend(bytes);
        let _ = npy::read_array(dir.write("x.npy", &all));
    }

    #[test]
    fn any_change_of_a_good_file_ends_in_rows_or_an_error(
        at in 0_usize..140, byte in any::<u8>(), cut in 0_usize..200,
    ) {
        let dir = Directory::new();
        let mut bytes = file(&dict("<f8", "(3, 3)"), &[0; 72]);
        bytes[at] = byte;
        bytes.truncate(200 - cut);
        let path = dir.write("x.npy", &bytes);
        if let Ok(data) = npy::open(&path).block_rows(2).targets(&path).dataset() {
            let _ = data.read(0);
        }
        let _ = npy::read_array(&path);
    }
}
