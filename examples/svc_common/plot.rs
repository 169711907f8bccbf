//! A picture: the regions of the classes in the two columns that vary most, and a sample of
//! the rows that were fitted.

use drystone::label::Coded;
use drystone::{ChunkedDataset, Error, Label, Result, Svc, memory};
use ndarray::Array2;
use plotters::prelude::*;

use super::flags::Flags;
use super::report::Scores;
use crate::common::output::counted;
use crate::common::picture::{self, SAMPLE_BLOCKS, SIZE, color, span};

/// Rows of the sample.
const SAMPLE_ROWS: usize = 1600;
/// Fields across and down.
const GRID: (usize, usize) = (220, 160);
/// Classes in the legend.
const LEGEND: usize = 12;

/// Draws if a file was asked for, or else to `target/svc.svg` if there is a `target`.
pub fn draw(flags: &Flags, train: &ChunkedDataset, model: &Svc, scores: &Scores) -> Result<()> {
    let Some(path) = picture::path(flags.plot.as_ref(), flags.json, "svc")? else {
        return Ok(());
    };
    let plane = Plane::of(train)?;
    let rows = sample(train, model, &plane)?;
    let (x, y) = (span(rows.iter().map(|row| row.at.0)), span(rows.iter().map(|row| row.at.1)));
    let picture = Picture {
        regions: regions(model, &plane, (x.clone(), y.clone()))?,
        rows,
        x,
        y,
        classes: model.classes(),
        names: plane.axes.map(|axis| axis.map(|column| column_name(train, column))),
        title: format!(
            "SVC, {} classes: {:.2} % of {} held out are right",
            model.n_classes(),
            scores.test_accuracy * 100.0,
            counted(scores.n_test, "row")
        ),
        caption: plane.caption(),
    };
    let svg = picture.draw().map_err(|error| Error::external(error.to_string()))?;
    picture::save(&svg, &path, flags.json)
}

/// Where the picture cuts through the space of the rows.
struct Plane {
    /// The two columns of most variance, if there are two.
    axes: [Option<usize>; 2],
    mean: Vec<f64>,
}

impl Plane {
    fn of(train: &ChunkedDataset) -> Result<Self> {
        let (mean, variance) = (train.mean().compute()?, train.var().compute()?);
        let mut columns: Vec<usize> = (0..mean.len()).collect();
        columns.sort_by(|&a, &b| variance[b].total_cmp(&variance[a]));
        columns.truncate(2);
        columns.sort_unstable();
        let axes = [columns.first().copied(), columns.get(1).copied()];
        Ok(Self { axes, mean: mean.to_vec() })
    }

    fn point(&self, row: &[f64]) -> (f64, f64) {
        let [x, y] = self.axes.map(|axis| axis.map_or(0.0, |column| row[column]));
        (x, y)
    }

    fn row(&self, at: (f64, f64)) -> Vec<f64> {
        let mut row = self.mean.clone();
        for (axis, value) in self.axes.into_iter().zip([at.0, at.1]) {
            if let Some(column) = axis {
                row[column] = value;
            }
        }
        row
    }

    fn caption(&self) -> String {
        match self.mean.len() {
            1 | 2 => "regions of the predicted classes; dots: a sample of the fitted rows".into(),
            n => {
                let others = counted(n as u64 - 2, "other column");
                format!(
                    "the two columns of most variance; the regions have the {others} at the mean, \
                     the dots do not"
                )
            }
        }
    }
}

fn column_name(data: &ChunkedDataset, column: usize) -> String {
    let names = data.layout().feature_names.as_deref().unwrap_or_default();
    names.get(column).map_or_else(|| format!("column {column}"), String::clone)
}

/// A row of the sample.
struct Dot {
    at: (f64, f64),
    class: u32,
}

fn sample(train: &ChunkedDataset, model: &Svc, plane: &Plane) -> Result<Vec<Dot>> {
    let mut dots = Vec::new();
    let n_features = train.n_features();
    let of_block = SAMPLE_ROWS / train.n_blocks().clamp(1, SAMPLE_BLOCKS);
    picture::sample(train, of_block, |block, rows| {
        let values = block.records.to_f64();
        let Some(targets) = &block.targets else { return Ok(()) };
        let Coded { labels, codes } = Coded::of(targets)?;
        for row in rows {
            let at = plane.point(&values[row * n_features..(row + 1) * n_features]);
            let class =
                model.classes().partition_point(|class| *class < labels[codes[row] as usize]);
            dots.push(Dot { at, class: class as u32 });
        }
        Ok(())
    })?;
    Ok(dots)
}

/// Fields of one class that are side by side.
struct Region {
    low: (f64, f64),
    high: (f64, f64),
    class: u32,
}

type Span = std::ops::Range<f64>;

fn regions(model: &Svc, plane: &Plane, (x, y): (Span, Span)) -> Result<Vec<Region>> {
    let step = ((x.end - x.start) / GRID.0 as f64, (y.end - y.start) / GRID.1 as f64);
    let at = |across: f64, down: f64| (x.start + across * step.0, y.start + down * step.1);
    let fields = (0..GRID.1).flat_map(|down| (0..GRID.0).map(move |across| (across, down)));
    let middle = |(across, down)| plane.row(at(across as f64 + 0.5, down as f64 + 0.5));
    let values: Vec<f64> = fields.flat_map(middle).collect();
    let grid = Array2::from_shape_vec((GRID.0 * GRID.1, plane.mean.len()), values);
    let grid = memory::Memory::new(grid.map_err(Error::external)?).block_rows(GRID.0).dataset()?;
    let classes = model.predict_codes(&grid).compute()?;
    let mut regions = Vec::new();
    for (down, classes) in classes.to_vec().chunks(GRID.0).enumerate() {
        let mut first = 0;
        for run in classes.chunk_by(|a, b| a == b) {
            let low = at(first as f64, down as f64);
            first += run.len();
            // A little over the next fields, so that no seams show.
            let high = at(first as f64 + 0.1, down as f64 + 1.1);
            regions.push(Region { low, high, class: run[0] });
        }
    }
    Ok(regions)
}

struct Picture<'a> {
    regions: Vec<Region>,
    rows: Vec<Dot>,
    x: Span,
    y: Span,
    classes: &'a [Label],
    names: [Option<String>; 2],
    title: String,
    caption: String,
}

impl Picture<'_> {
    fn draw(&self) -> std::result::Result<String, Box<dyn std::error::Error + '_>> {
        let mut svg = String::new();
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let area = root.titled(&self.title, ("sans-serif", 20))?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.caption, ("sans-serif", 13))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let regions = self.regions.iter();
        chart.draw_series(regions.map(|region| {
            Rectangle::new([region.low, region.high], color(region.class, 0.85).filled())
        }))?;
        let [x, y] = self.names.each_ref().map(|name| name.as_deref().unwrap_or_default());
        let mut mesh = chart.configure_mesh();
        mesh.disable_mesh().x_desc(x).y_desc(y).draw()?;
        for (class, label) in (0..).zip(self.classes) {
            let dots = self.rows.iter().filter(|dot| dot.class == class);
            let series = chart
                .draw_series(dots.map(|dot| Circle::new(dot.at, 2, color(class, 0.4).filled())))?;
            if (class as usize) < LEGEND {
                let dot = move |at| Circle::new(at, 4, color(class, 0.4).filled());
                series.label(format!("class {label}")).legend(dot);
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        root.present()?;
        drop((chart, area, root));
        Ok(svg)
    }
}
