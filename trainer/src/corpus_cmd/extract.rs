//! `trainer corpus extract`: writes a corpus folder from media files and a table of labels, with the extractors that
//! the transmitter uses, too.

mod cache;
mod labels;
#[cfg(test)]
mod tests;

use crate::parallel;
use anyhow::{Context, Result, bail, ensure};
use cache::Cache;
use clap::Args;
use corpus::{Clip, Corpus, Modality, Origins, with_splits};
use features::{ExtractError, Extractors, Features};
use labels::{Entry, LabelMap, Names};
use media::{Limits, Media};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Write a corpus folder from media files, with features computed by pretrained extractors.
#[derive(Args, Clone, Debug)]
pub struct ExtractArgs {
    /// Folder of media files; its subfolders are searched, too
    #[arg(long, value_name = "DIR")]
    pub clips: PathBuf,
    /// CSV file with one line per clip
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// Corpus folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Folder of pretrained extractors, each in a subfolder of its own
    #[arg(long, value_name = "DIR", env = "LATENTLINK_EXTRACTORS", required_unless_present_any = ["classical", "only"])]
    pub extractors: Option<PathBuf>,
    /// Compute audio features with the classical front end, which needs no pretrained files: pitch, voicing, level and
    /// mel-cepstrum, 100 rows a second
    #[arg(long)]
    pub classical: bool,
    /// Only these modalities, separated by commas: audio, visual; both unless given, as far as there are extractors.
    /// `text` alone writes the transcripts of the table and opens no media file
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub only: Vec<Modality>,
    /// Folder of cached features, by content of the media file and extractors; later runs reuse them [default:
    /// OUT.cache]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Column of the clip's unique name; its media file has this name, with or without extension
    #[arg(long, value_name = "NAME", default_value = "id")]
    pub id_column: String,
    /// Column of the video or speaker, by which folds are cut [default: video_id if it is there, else each clip is a
    /// video of its own]
    #[arg(long, value_name = "NAME")]
    pub video_column: Option<String>,
    /// Column of the split [default: split if it is there, else a fifth of the videos is `test` and the rest `train`]
    #[arg(long, value_name = "NAME")]
    pub split_column: Option<String>,
    /// Column of the label: a number in [-3, 3], or a word of --label-map
    #[arg(long, value_name = "NAME", default_value = "label")]
    pub label_column: String,
    /// Numbers that words in the column of the label stand for: sad=-2,neutral=0,happy=2
    #[arg(long, value_name = "WORD=NUMBER,...")]
    pub label_map: Option<LabelMap>,
    /// Column of the transcript [default: text if it is there]
    #[arg(long, value_name = "NAME")]
    pub text_column: Option<String>,
    /// Leave out clips whose file is missing or broken instead of failing
    #[arg(long)]
    pub skip_broken: bool,
}

/// Maximum number of unusable clips that a message names.
const NAMED: usize = 5;

pub(super) fn run(args: &ExtractArgs) -> Result<()> {
    let taken = std::fs::read_dir(&args.out).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(!taken, "{}: is there already; name a folder that does not exist yet", args.out.display());
    let names = Names {
        id: &args.id_column,
        video: args.video_column.as_deref(),
        split: args.split_column.as_deref(),
        label: &args.label_column,
        text: args.text_column.as_deref(),
    };
    let entries = labels::read(&args.labels, &names, args.label_map.as_ref())?;
    if args.only == [Modality::Text] {
        let (clips, broken) = transcripts(entries);
        report(&broken, args.skip_broken)?;
        return write(args, clips, &Origins::default());
    }
    let files = files(&args.clips)?;
    let without = missing(args, &entries, &files)?;
    let mut extractors = args.extractors.as_deref().map(Extractors::load).transpose()?.unwrap_or_default();
    if args.classical {
        extractors = extractors.classical();
    }
    if !args.only.is_empty() {
        extractors = extractors.only_modalities(&args.only);
    }
    let origins = extractors.origins();
    ensure!(!origins.is_empty(), "--only: no extractor of that is there");
    let cache = Cache::open(&args.cache.clone().unwrap_or_else(|| beside(&args.out)), &origins)?;
    let (clips, broken) = extract(&entries, &files, &extractors, &cache)?;
    report(&broken, args.skip_broken)?;
    let there = Modality::ALL.into_iter().filter(|modality| origins.get(*modality).is_some()).map(Modality::name);
    ensure!(
        clips.iter().any(|clip| clip.features.iter().any(Option::is_some)),
        "{}: no file gave features of {}; --only text writes the transcripts alone",
        args.clips.display(),
        there.collect::<Vec<_>>().join(" or ")
    );
    if without > 0 {
        console::note(format_args!(
            "{without} of {} clips have no file: their transcripts alone are written",
            entries.len()
        ));
    }
    write(args, clips, &origins)
}

/// Writes the corpus folder and prints a summary of it.
fn write(args: &ExtractArgs, clips: Vec<Clip>, origins: &Origins) -> Result<()> {
    let clips = with_splits(clips)?;
    let corpus = Corpus { origins: kept(origins, &clips), ..Corpus::new(super::import::name_of(&args.out), clips)? };
    corpus.save(&args.out)?;
    Ok(console::print(super::import::summary(&corpus, &args.out) + "\n")?)
}

fn beside(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".cache");
    out.with_file_name(name)
}

/// The clips of the table with their transcripts alone, and a message for each clip without a transcript.
fn transcripts(entries: Vec<Entry>) -> Extracted {
    let (mut clips, mut broken) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry.text.trim().is_empty() {
            true => broken.push(format!("clip `{}`: no transcript", entry.id)),
            false => clips.push(clip(entry, [None, None, None])),
        }
    }
    (clips, broken)
}

fn clip(Entry { id, video_id, split, label, text }: Entry, features: Features) -> Clip {
    Clip { id, video_id, split: split.unwrap_or_default(), label, text, features }
}

/// Number of clips of the table that have no media file.
///
/// # Errors
/// If no clip has a file: the folder is then probably not the one that was meant.
fn missing(args: &ExtractArgs, entries: &[Entry], files: &HashMap<String, Vec<PathBuf>>) -> Result<usize> {
    let without = entries.iter().filter(|entry| !files.contains_key(&entry.id)).count();
    let Some(first) = entries.first().filter(|_| without == entries.len()) else { return Ok(without) };
    let id = &first.id;
    bail!(
        "{}: no file for any of the {} clips of {}; looked there and in the folders below for files named as the clips are, \
         such as `{id}` or `{id}.{}`, with one of the endings {}; --only text writes the transcripts alone",
        args.clips.display(),
        entries.len(),
        args.labels.display(),
        media::EXTENSIONS[0],
        media::EXTENSIONS.join(", ")
    )
}

/// The feature provenance of those modalities that some clip has.
fn kept(origins: &Origins, clips: &[Clip]) -> Origins {
    Origins::new(Modality::ALL.map(|modality| {
        let there = clips.iter().any(|clip| clip.features[modality.index()].is_some());
        origins.get(modality).filter(|_| there).cloned()
    }))
}

/// All files below `folder` by file name; those with the extension of a media file also by their name without
/// extension.
fn files(folder: &Path) -> Result<HashMap<String, Vec<PathBuf>>> {
    let mut files: HashMap<String, Vec<PathBuf>> = HashMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry.with_context(|| folder.display().to_string())?;
            // Symbolic links are not followed: they may form a cycle.
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let name = |part: Option<&std::ffi::OsStr>| part.map(|name| name.to_string_lossy().into_owned());
            let short = path.file_stem().filter(|_| media::has_media_name(&path));
            let names: BTreeSet<String> = [name(path.file_name()), name(short)].into_iter().flatten().collect();
            names.into_iter().for_each(|name| files.entry(name).or_default().push(path.clone()));
        }
    }
    Ok(files)
}

/// The clips that can be used, and a message for each clip that cannot.
type Extracted = (Vec<Clip>, Vec<String>);

fn extract(
    entries: &[Entry],
    files: &HashMap<String, Vec<PathBuf>>,
    extractors: &Extractors,
    cache: &Cache,
) -> Result<Extracted> {
    let bar = crate::command::bar(entries.len() as u64, "extracting", "clips")?;
    let work = |row: usize| -> Result<Result<Clip, String>> {
        let entry = &entries[row];
        let features = features(entry, files, extractors, cache)?;
        bar.inc(1);
        Ok(features.map(|features| clip(entry.clone(), features)))
    };
    let done = parallel::map(entries.len(), None, work);
    bar.finish_and_clear();
    let (mut clips, mut broken) = (Vec::new(), Vec::new());
    for clip in done? {
        match clip {
            Ok(clip) => clips.push(clip),
            Err(problem) => broken.push(problem),
        }
    }
    Ok((clips, broken))
}

/// The features of a clip, or (inner `Err`) what is wrong with its file. A clip that has a transcript and no file has
/// no features.
fn features(
    entry: &Entry,
    files: &HashMap<String, Vec<PathBuf>>,
    extractors: &Extractors,
    cache: &Cache,
) -> Result<Result<Features, String>> {
    let id = &entry.id;
    let path = match files.get(id).map(Vec::as_slice) {
        Some([path]) => path,
        Some([first, second, ..]) => {
            bail!("clip `{id}`: both {} and {} have its name", first.display(), second.display())
        }
        Some([]) | None if entry.text.trim().is_empty() => {
            return Ok(Err(format!("clip `{id}`: no file of that name")));
        }
        Some([]) | None => return Ok(Ok([None, None, None])),
    };
    let named = |problem: &dyn std::fmt::Display| Ok(Err(format!("{}: {problem}", path.display())));
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return named(&error),
    };
    let key = cache.key(&bytes);
    if let Some(features) = cache.get(&key)? {
        return Ok(Ok(features));
    }
    let extracted = Media::from_bytes(bytes, &Limits::default())
        .map_err(ExtractError::from)
        .and_then(|media| extractors.extract(&media));
    let features = match extracted {
        Ok(findings) => findings.features,
        Err(ExtractError::Nothing(_)) if !entry.text.trim().is_empty() => [None, None, None],
        Err(error) => return named(&error),
    };
    cache.put(&key, &features)?;
    Ok(Ok(features))
}

fn report(broken: &[String], skip: bool) -> Result<()> {
    if broken.is_empty() {
        return Ok(());
    }
    let more = broken.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let listed =
        format!("{} clips cannot be used: {}{more}", broken.len(), broken[..broken.len().min(NAMED)].join("; "));
    ensure!(skip, "{listed} (--skip-broken leaves them out)");
    console::note(listed);
    Ok(())
}
