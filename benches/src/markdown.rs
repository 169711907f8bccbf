//! Tables in Markdown, with columns that line up in a terminal too. Cells are plain text:
//! a `|` in one is escaped.

/// A table of a header and rows of as many cells; a line each.
#[must_use]
pub fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(escaped)).collect();
    let header = header.map(escaped);
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let rule = widths.map(|width| "-".repeat(width));
    let lines = [&header, &rule].into_iter().chain(&rows);
    lines.map(|row| line(row, &widths)).collect()
}

fn escaped(cell: impl AsRef<str>) -> String {
    cell.as_ref().replace('|', "\\|")
}

fn line<const N: usize>(row: &[String; N], widths: &[usize; N]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, &width)| format!(" {cell:width$} |"));
    format!("|{}\n", cells.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["1".to_owned(), "k-means||".to_owned()]];
        let expected = "| k | init        |\n| - | ----------- |\n| 1 | k-means\\|\\| |\n";
        assert_eq!(table(["k", "init"], &rows), expected);
    }
}
