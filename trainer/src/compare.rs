//! `trainer compare` and `latentlink compare`: compares results of any origin with each other.
//!
//! [`load`] reads files and folders into systems, [`pairing`] decides which of their records belong together,
//! [`table`] and [`figures`] show them.

mod figures;
mod load;
mod pairing;
mod table;

use anyhow::{Context, Result, ensure};
use clap::Args;
use files::PendingFile;
use std::path::PathBuf;

/// Draw and tabulate results against each other; every system is compared with the first one.
#[derive(Args, Clone, Debug)]
pub struct CompareArgs {
    /// Files written with `--json` by evaluate or send, results.json of demo or reproduce, or folders that hold one
    #[arg(required = true, value_name = "RESULTS")]
    pub results: Vec<PathBuf>,
    /// Folder of the figures, one for each metric, each as SVG, PNG and CSV
    #[arg(long, value_name = "DIR", default_value = "runs/compare")]
    pub out: PathBuf,
    /// Only these schemes of the results, separated by commas; all of them unless given
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Write systems, values and differences to this file as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Compares results: prints the table, draws the figures and writes the requested file.
///
/// # Errors
/// If a file holds no results, there are fewer than two systems, two systems are not of the same clips or have no
/// point in common, or a file cannot be written. Nothing is written if the systems cannot be compared.
pub fn run(args: &CompareArgs) -> Result<()> {
    let systems = load::systems(&args.results, &args.only)?;
    ensure!(
        systems.len() > 1,
        "nothing to compare {} with: there is one system in {}; give another file",
        systems[0].label,
        systems[0].file.display()
    );
    pairing::check(&systems)?;
    let comparison = pairing::Comparison::of(&systems);
    let json = args.json.as_deref().map(PendingFile::create).transpose()?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let drawn = figures::draw(&comparison, &args.out)?;
    console::print(table::text(&comparison))?;
    if !drawn.is_empty() {
        console::print(format!("{}: {}, each as SVG, PNG and CSV\n", args.out.display(), drawn.join(", ")))?;
    }
    if let Some(file) = json {
        file.commit(|out| {
            serde_json::to_writer_pretty(&mut *out, &comparison)?;
            out.write_all(b"\n")
        })?;
    }
    Ok(())
}
