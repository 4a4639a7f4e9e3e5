//! `trainer corpus import`: writes a corpus folder from CSV and safetensors files, or from `.csd` files of the CMU
//! SDK.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use corpus::{Columns, Corpus, Modality, TensorNames};

/// Write a corpus folder from data in other formats.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// The format to read, a subcommand of `trainer corpus import`.
    #[command(subcommand)]
    pub from: ImportFrom,
}

/// Formats that `trainer corpus import` reads. MMSA pickles are converted by `scripts/mmsa_to_corpus.py`, which needs
/// Python.
#[derive(Subcommand, Clone, Debug)]
pub enum ImportFrom {
    /// From a CSV file of transcripts and labels and a safetensors file of features
    Csv(CsvArgs),
    /// From computational sequences of the CMU multimodal SDK (.csd, HDF5)
    Csd(CsdArgs),
}

/// The CSV and safetensors files to import, and the names of their columns and tensors; the default names are those of
/// a corpus folder.
#[derive(Args, Clone, Debug)]
pub struct CsvArgs {
    /// CSV file with one line per clip
    #[arg(long, value_name = "FILE")]
    pub clips: PathBuf,
    /// safetensors file of features, with rows in the order of the CSV file; without it transcripts alone are imported
    #[arg(long, value_name = "FILE")]
    pub features: Option<PathBuf>,
    /// Corpus folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Column of the clip's unique name
    #[arg(long, value_name = "NAME", default_value = "id")]
    pub id_column: String,
    /// Column of the video that a clip was cut from [default: video_id if it is there, else each clip is a video of its
    /// own]
    #[arg(long, value_name = "NAME")]
    pub video_column: Option<String>,
    /// Column of the split [default: split if it is there, else a fifth of the videos is `test` and the rest `train`]
    #[arg(long, value_name = "NAME")]
    pub split_column: Option<String>,
    /// Column of the sentiment in [-3, 3]
    #[arg(long, value_name = "NAME", default_value = "label")]
    pub label_column: String,
    /// Column of the transcript
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text_column: String,
    /// Tensor of the text features, if there is one
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text_tensor: String,
    /// Tensor of the audio features, if there is one
    #[arg(long, value_name = "NAME", default_value = "audio")]
    pub audio_tensor: String,
    /// Tensor of the visual features, if there is one
    #[arg(long, value_name = "NAME", default_value = "visual")]
    pub visual_tensor: String,
}

/// The computational sequences (`.csd`) to import, by content.
#[derive(Args, Clone, Debug)]
pub struct CsdArgs {
    /// Sequence of the sentiment labels; its intervals are the clips
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// CSV file with columns video_id and split, or the SDK's Python file of standard folds
    #[arg(long, value_name = "FILE")]
    pub folds: PathBuf,
    /// Sequence of words with their times, for the transcripts
    #[arg(long, value_name = "FILE")]
    pub words: Option<PathBuf>,
    /// Sequence of text features
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Sequence of audio features, such as COVAREP
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    /// Sequence of visual features, such as FACET
    #[arg(long, value_name = "FILE")]
    pub visual: Option<PathBuf>,
    /// Corpus folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

pub(super) fn run(args: ImportArgs) -> anyhow::Result<()> {
    let (corpus, out) = match args.from {
        ImportFrom::Csv(args) => (read_csv(&args)?, args.out),
        ImportFrom::Csd(args) => (read_csd(&args)?, args.out),
    };
    corpus.save(&out)?;
    Ok(console::print(summary(&corpus, &out) + "\n")?)
}

fn read_csv(args: &CsvArgs) -> anyhow::Result<Corpus> {
    let columns = Columns {
        id: args.id_column.clone(),
        video_id: args.video_column.clone(),
        split: args.split_column.clone(),
        label: args.label_column.clone(),
        text: args.text_column.clone(),
    };
    let tensors = [&args.text_tensor, &args.audio_tensor, &args.visual_tensor];
    let tensors = TensorNames(tensors.map(String::clone));
    let name = name_of(&args.out);
    let corpus = corpus::read_files(name, &args.clips, &columns, args.features.as_deref(), &tensors)?;
    if args.video_column.is_none() && corpus.clips.iter().all(|clip| clip.video_id == clip.id) {
        console::note(
            "each clip is a video of its own: --video-column names the column of what folds are not to tear apart",
        );
    }
    Ok(corpus)
}

#[cfg(not(feature = "csd"))]
fn read_csd(_: &CsdArgs) -> anyhow::Result<Corpus> {
    anyhow::bail!("this build reads no HDF5: build with `--features csd`")
}

#[cfg(feature = "csd")]
fn read_csd(args: &CsdArgs) -> anyhow::Result<Corpus> {
    use corpus::csd;

    let imported = csd::import(
        name_of(&args.out),
        &csd::CsdSources {
            labels: args.labels.clone(),
            folds: args.folds.clone(),
            words: args.words.clone(),
            features: [args.text.clone(), args.audio.clone(), args.visual.clone()],
        },
    )?;
    for (left_out, what) in [
        (&imported.videos_without_split, "videos without a split"),
        (&imported.empty_clips, "segments without words or features"),
    ] {
        if let Some(first) = left_out.first() {
            console::note(format_args!("left out {} {what}, the first is `{first}`", left_out.len()));
        }
    }
    Ok(imported.corpus)
}

pub(super) fn name_of(out: &Path) -> String {
    out.file_name().unwrap_or(out.as_os_str()).to_string_lossy().into_owned()
}

pub(super) fn summary(corpus: &Corpus, out: &Path) -> String {
    let splits = corpus.splits().iter().map(|(split, clips)| format!("{split} {clips}")).collect::<Vec<_>>();
    let mut line = format!("wrote {}: {} clips ({})", out.display(), corpus.clips.len(), splits.join(", "));
    for modality in Modality::ALL {
        let Some(width) = corpus.widths[modality.index()] else { continue };
        line += &format!(", {} of width {width}", modality.name());
        let replaced = corpus.replaced[modality.index()];
        if replaced != corpus::Replaced::default() {
            line += &format!(" (replaced by 0: {} NaN, {} infinite)", replaced.nan, replaced.infinite);
        }
        let having = corpus.clips.iter().filter(|clip| clip.features[modality.index()].is_some()).count();
        line += &format!(" in {having} clips");
    }
    let transcribed = corpus.clips.iter().filter(|clip| !clip.text.trim().is_empty()).count();
    line + &format!(", a transcript in {transcribed} clips")
}
