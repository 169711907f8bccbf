//! From the text of a block to its rows.

use std::borrow::Cow;

use drystone_core::{Block, Dtype, Error, ErrorKind, Result, Rows, TargetKind, Targets, buffer};
use memchr::memchr_iter;

use super::options::Missing;
use super::schema::Schema;
use super::split::Fields;
use crate::text::Text;
use crate::text::fault::Fault;
use crate::text::line::{Lines, MAX_LINE, show, too_long};
use crate::text::number::{self, Number};

/// An error, and the column that it is about.
type InColumn = (Error, Option<usize>);

/// The rows of a text.
pub(crate) fn block(schema: &Schema, text: &Text) -> Result<Block, Fault> {
    match schema.dtype {
        Dtype::F32 => rows::<f32>(schema, text),
        Dtype::F64 => rows::<f64>(schema, text),
    }
}

/// The number of rows of a text, found without parsing it.
pub(crate) fn count(schema: &Schema, text: &Text) -> Result<u64, Fault> {
    let mut rows = 0;
    for (at, line) in Lines::new(text.lines()) {
        check_len(line).map_err(|error| Fault::at(error, text.offset + at as u64))?;
        rows += u64::from(!schema.separator.is_blank(line));
    }
    Ok(rows)
}

fn rows<T: Number>(schema: &Schema, text: &Text) -> Result<Block, Fault> {
    let lines = text.lines();
    let mut fields = Fields::keep(schema.n_columns);
    let mut parsed = Parsed::<T>::with_capacity(schema, most_rows(lines, schema.n_columns));
    for (at, line) in Lines::new(lines) {
        if schema.separator.is_blank(line) {
            continue;
        }
        let row =
            split(schema, line, &mut fields).and_then(|()| parsed.push(schema, &fields, line));
        row.map_err(|(error, column)| Fault { error, at: Some(text.offset + at as u64), column })?;
    }
    parsed.finish(schema.features.len())
}

/// More rows than this are not in the text: each has a delimiter or a line end for each
/// of its fields.
fn most_rows(lines: &[u8], n_columns: usize) -> usize {
    memchr_iter(b'\n', lines).count().min(lines.len() / n_columns.max(1)) + 1
}

fn check_len(line: &[u8]) -> Result<()> {
    if line.len() > MAX_LINE { Err(too_long(line.len())) } else { Ok(()) }
}

fn split(schema: &Schema, line: &[u8], fields: &mut Fields) -> Result<(), InColumn> {
    let count = check_len(line).and_then(|()| fields.split(line, schema.separator));
    match count.map_err(|error| (error, None))? {
        found if found == schema.n_columns => Ok(()),
        found => Err((Error::shape("fields", schema.n_columns as u64, found as u64), None)),
    }
}

/// Columns that are being read.
struct Parsed<'a, T: Number> {
    values: Vec<T>,
    targets: Option<TargetValues<'a>>,
    weights: Option<Vec<f64>>,
}

enum TargetValues<'a> {
    F64(Vec<f64>),
    I64(Vec<i64>),
    Categories(Vec<Cow<'a, str>>),
}

impl<'a, T: Number> Parsed<'a, T> {
    fn with_capacity(schema: &Schema, rows: usize) -> Self {
        let mut values = buffer::take(rows.saturating_mul(schema.features.len()));
        values.clear();
        let targets = schema.target.map(|(_, kind)| match kind {
            TargetKind::F64 => TargetValues::F64(Vec::with_capacity(rows)),
            TargetKind::I64 => TargetValues::I64(Vec::with_capacity(rows)),
            TargetKind::Categories => TargetValues::Categories(Vec::with_capacity(rows)),
        });
        Self { values, targets, weights: schema.weights.map(|_| Vec::with_capacity(rows)) }
    }

    fn push(&mut self, schema: &Schema, fields: &Fields, line: &'a [u8]) -> Result<(), InColumn> {
        for &column in &schema.features {
            let field = fields.get(line, column);
            let value = match T::parse(field) {
                Some(value) => value,
                None => no_number(schema, field).map_err(|error| (error, Some(column)))?,
            };
            self.values.push(value);
        }
        if let (Some((column, _)), Some(targets)) = (schema.target, &mut self.targets) {
            let pushed = targets.push(schema, fields, line, column);
            pushed.map_err(|error| (error, Some(column)))?;
        }
        if let (Some(column), Some(weights)) = (schema.weights, &mut self.weights) {
            let weight = weight(fields.get(line, column));
            weights.push(weight.map_err(|error| (error, Some(column)))?);
        }
        Ok(())
    }

    fn finish(self, n_features: usize) -> Result<Block, Fault> {
        let mut block = Block::new(T::into_records(Rows::new(self.values, n_features)?));
        block.targets = self.targets.map(|targets| match targets {
            TargetValues::F64(values) => Targets::F64(values.into()),
            TargetValues::I64(values) => Targets::I64(values.into()),
            TargetValues::Categories(names) => Targets::categories(&names),
        });
        block.weights = self.weights.map(Into::into);
        Ok(block)
    }
}

impl<'a> TargetValues<'a> {
    fn push(
        &mut self,
        schema: &Schema,
        fields: &Fields,
        line: &'a [u8],
        column: usize,
    ) -> Result<()> {
        let field = fields.get(line, column);
        match self {
            Self::F64(values) => values.push(match f64::parse(field) {
                Some(value) => value,
                None if number::is_missing(field) => no_number(schema, field)?,
                None => return Err(no_target(field, TargetKind::F64)),
            }),
            _ if number::is_missing(field) => return Err(missing_for_good("a target")),
            Self::I64(values) => {
                let value = number::integer(field);
                values.push(value.ok_or_else(|| no_target(field, TargetKind::I64))?);
            }
            Self::Categories(names) => {
                let name = fields.text(line, column);
                names.push(name.ok_or_else(|| Error::format("a name in UTF-8", show(field)))?);
            }
        }
        Ok(())
    }
}

/// The `NaN` or the error for a field that is not a number.
#[cold]
fn no_number<T: Number>(schema: &Schema, field: &[u8]) -> Result<T> {
    if !number::is_missing(field) {
        let found =
            format!("{}; if the column is not numeric, choose others with `columns`", show(field));
        return Err(Error::format("a number", found));
    }
    match schema.missing {
        Missing::Nan => Ok(T::NAN),
        Missing::Error => {
            let hint = "choose other columns, fill it or drop the row, or read such values as NaN \
                        with `missing(Missing::Nan)`";
            Err(ErrorKind::MissingValue { hint: hint.to_owned() }.into())
        }
    }
}

#[cold]
fn no_target(field: &[u8], kind: TargetKind) -> Error {
    let (expected, other) = match (kind, f64::parse(field)) {
        (TargetKind::I64, Some(_)) => ("an integer target", "F64"),
        (TargetKind::I64, None) => ("an integer target", "Categories"),
        _ => ("a number as target", "Categories"),
    };
    let advice = format!("read the targets with `targets_as(TargetKind::{other})`");
    Error::format(expected, format!("{}; {advice}", show(field)))
}

#[cold]
fn missing_for_good(what: &str) -> Error {
    let hint = format!("fill it or drop the row: {what} cannot be missing");
    ErrorKind::MissingValue { hint }.into()
}

fn weight(field: &[u8]) -> Result<f64> {
    match f64::parse(field) {
        Some(weight) => Ok(weight),
        None if number::is_missing(field) => Err(missing_for_good("a weight")),
        None => Err(Error::format("a number as weight", show(field))),
    }
}
