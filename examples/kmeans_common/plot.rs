//! A picture: a sample of rows and the centroids, along the sample's two principal axes.

use drystone::{ChunkedDataset, Error, KMeans, Result};
use linfa_linalg::eigh::{EigSort, Eigh};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use plotters::prelude::*;

use super::flags::Flags;
use crate::common::output::counted;
use crate::common::picture::{self, SIZE, color, span};

/// Rows of the sample, of each block that it is taken from.
const SAMPLE_ROWS: usize = 600;

/// Draws if a file was asked for, or else to `target/kmeans.svg` if there is a `target`.
pub fn draw(flags: &Flags, data: &ChunkedDataset, model: &KMeans) -> Result<()> {
    let Some(path) = picture::path(flags.plot.as_ref(), flags.json, "kmeans")? else {
        return Ok(());
    };
    let (sample, labels) = sample(data, model)?;
    let shape = (model.n_clusters(), model.n_features());
    let centroids = Array2::from_shape_vec(shape, model.centroids().to_f64());
    let centroids = centroids.map_err(Error::external)?;
    let projection = Projection::of(&sample)?;
    let picture = Picture {
        rows: projection.apply(sample.view()),
        labels,
        centroids: projection.apply(centroids.view()),
        title: format!(
            "{} of {}; a sample along its principal axes",
            counted(model.n_clusters() as u64, "cluster"),
            counted(model.cluster_counts().iter().sum(), "row")
        ),
    };
    let svg = picture.draw().map_err(|error| Error::external(error.to_string()))?;
    picture::save(&svg, &path, flags.json)
}

/// Some rows of some blocks, spread over the dataset, and their labels.
fn sample(data: &ChunkedDataset, model: &KMeans) -> Result<(Array2<f64>, Vec<u32>)> {
    let labels = model.predict(data);
    let (mut rows, mut found) = (Vec::new(), Vec::new());
    picture::sample(data, SAMPLE_ROWS, |block, sampled| {
        let values = block.records.to_f64();
        let labels = labels.of_block(block)?;
        for row in sampled {
            rows.extend_from_slice(&values[row * data.n_features()..(row + 1) * data.n_features()]);
            found.push(labels[row]);
        }
        Ok(())
    })?;
    let shape = (found.len(), data.n_features());
    Ok((Array2::from_shape_vec(shape, rows).map_err(Error::external)?, found))
}

/// The mean of a sample and its two axes of most variance.
struct Projection {
    mean: Array1<f64>,
    axes: Array2<f64>,
}

impl Projection {
    fn of(sample: &Array2<f64>) -> Result<Self> {
        let mean = sample.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(sample.ncols()));
        let centered = sample - &mean;
        let covariance = centered.t().dot(&centered);
        let (_, axes) = covariance.eigh().map_err(Error::external)?.sort_eig_desc();
        let n_axes = axes.ncols().min(2);
        Ok(Self { mean, axes: axes.slice(s![.., ..n_axes]).to_owned() })
    }

    fn apply(&self, rows: ArrayView2<'_, f64>) -> Vec<(f64, f64)> {
        let projected = (&rows - &self.mean).dot(&self.axes);
        let pair = |row: ndarray::ArrayView1<'_, f64>| (row[0], row.get(1).copied().unwrap_or(0.0));
        projected.rows().into_iter().map(pair).collect()
    }
}

struct Picture {
    rows: Vec<(f64, f64)>,
    labels: Vec<u32>,
    centroids: Vec<(f64, f64)>,
    title: String,
}

impl Picture {
    fn draw(&self) -> Result<String, Box<dyn std::error::Error + '_>> {
        let mut svg = String::new();
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (x, y) = (self.range(|point| point.0), self.range(|point| point.1));
        let mut chart = ChartBuilder::on(&root)
            .caption(&self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("first principal axis")
            .y_desc("second principal axis")
            .draw()?;
        let dots = self.rows.iter().zip(&self.labels);
        chart.draw_series(
            dots.map(|(&at, &label)| Circle::new(at, 2, color(label, 0.5).filled())),
        )?;
        let crosses = self.centroids.iter();
        chart.draw_series(crosses.clone().map(|&at| Circle::new(at, 5, WHITE.filled())))?;
        chart.draw_series(crosses.map(|&at| Cross::new(at, 4, BLACK.stroke_width(2))))?;
        root.present()?;
        drop((chart, root));
        Ok(svg)
    }

    fn range(&self, axis: impl Fn(&(f64, f64)) -> f64) -> std::ops::Range<f64> {
        span(self.rows.iter().chain(&self.centroids).map(axis))
    }
}
