//! First steps: a lazy dataset, its shape, a model, some labels.
//!
//! `cargo run --release --example first_steps`

use drystone::prelude::*;

fn main() -> drystone::Result<()> {
    // 2 million rows in 10 blocks; nothing is generated yet.
    let data = generate::Blobs::new(2_000_000, 20).centers(8).seed(0).block_rows(200_000).dataset();
    println!("{data}");

    // What it will cost, then the fit: on all cores, blocks made where they are needed.
    let params = KMeans::params(8).seed(0);
    println!("{}", params.explain(&data)?);
    let model = params.fit(&data)?;
    println!("inertia {:.0} after {} iterations", model.inertia(), model.n_iter());

    // Labels are lazy too: only the block that holds these rows is generated.
    let labels = model.predict(&data).slice(1_000_000..1_000_010).compute()?;
    println!("labels of rows 1,000,000 to 1,000,009: {labels}");

    // A model is a file that Python's safetensors can read, and its hash is its name.
    let path = std::env::temp_dir().join("first_steps.safetensors");
    model.save(&path)?;
    assert_eq!(KMeans::load(&path)?.sha256()?, model.sha256()?);
    println!("saved {} as {}", &model.sha256()?[..12], path.display());
    Ok(())
}
