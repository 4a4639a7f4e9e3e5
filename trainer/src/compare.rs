//! `trainer compare` and `latentlink compare`: results against each other, whatever made them.
//!
//! [`load`] reads files and folders into systems, [`pairing`] says which of their records belong together, [`table`] and [`figures`]
//! show them.

mod figures;
mod load;
mod pairing;
mod table;

use anyhow::{Context, Result, ensure};
use clap::Args;
use files::PendingFile;
use std::path::PathBuf;

/// Draw and tabulate results against each other: the first system is what the others are held against.
#[derive(Args, Clone, Debug)]
pub struct CompareArgs {
    /// Files that `--json` of evaluate or send wrote, results.json of demo or reproduce, or folders that hold one
    #[arg(required = true, value_name = "RESULTS")]
    pub results: Vec<PathBuf>,
    /// Folder of the figures, one a metric, each as SVG, PNG and CSV
    #[arg(long, value_name = "DIR", default_value = "runs/compare")]
    pub out: PathBuf,
    /// Only these schemes of the results, with commas; all of them unless given
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Write systems, values and differences to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Prints the table, draws the figures and writes the files.
///
/// # Errors
/// If a file holds no results, two systems are not of the same clips or have no point in common, or a file cannot be written. Nothing
/// is written then.
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
