//! Reads a recording burst by burst, in memory that does not grow with it.

use crate::record::DATATYPE;
use crate::record::annotation::{Annotation, Recorded};
use crate::record::names::{Side, Stem};
use anyhow::{Context, anyhow, bail, ensure};
use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use wire::chunks::SYMBOL_BYTES;

/// Bytes of metadata without an annotation coming to its end.
const MOST_BYTES: u64 = 1 << 20;

/// One side of a recording.
#[derive(Clone, Debug)]
pub struct Source {
    data: PathBuf,
    meta: PathBuf,
    /// It was closed in order.
    complete: bool,
}

/// What a replay needs to know of `global`.
#[derive(Deserialize)]
struct Global {
    #[serde(rename = "core:datatype")]
    datatype: String,
    #[serde(rename = "core:num_channels", default = "one")]
    channels: u64,
    #[serde(rename = "latentlink:side")]
    side: Option<String>,
    #[serde(rename = "latentlink:complete", default)]
    complete: bool,
    #[serde(rename = "latentlink:problem")]
    problem: Option<String>,
}

fn one() -> u64 {
    1
}

impl Source {
    /// Finds one side of a recording from its stem or the name of any of its files, and checks that it can be read.
    ///
    /// # Errors
    /// If there is no such recording, or it is none of bursts.
    pub fn open(recording: &Path, side: Side) -> anyhow::Result<Source> {
        let given = Stem::new(recording);
        let stems = [Some(given.clone()), given.without_side()];
        let found = stems.iter().flatten().find(|stem| stem.meta(side).is_file());
        let stem =
            found.ok_or_else(|| anyhow!("there is no recording {given}: no file {}", given.meta(side).display()))?;
        let (meta, data) = (stem.meta(side), stem.data(side));
        let global = global(&meta).with_context(|| meta.display().to_string())?;
        let Global { datatype, channels, side: named, complete, problem } = global;
        let named = named.unwrap_or_default();
        ensure!(datatype == DATATYPE, "{}: expected core:datatype {DATATYPE}, got {datatype:.40}", meta.display());
        ensure!(channels == 1, "{}: expected core:num_channels 1, got {channels}", meta.display());
        ensure!(
            named == side.name(),
            "{}: expected latentlink:side {}, got `{named:.40}`: it is no recording of a channel emulator",
            meta.display(),
            side.name()
        );
        if let Some(problem) = problem {
            tracing::warn!(recording = %stem, "the recording is incomplete: {problem}");
        } else if !complete {
            tracing::warn!(recording = %stem, "the recording was not closed: it goes on, or was cut off");
        }
        Ok(Source { data, meta, complete })
    }

    /// Gives every burst with the number of its annotation, in order, to `each`, until that breaks off. Annotations that
    /// are not of bursts are passed over.
    ///
    /// # Errors
    /// Names the file, and the annotation if one is wrong.
    pub fn read(&self, mut each: impl FnMut(u64, Recorded) -> ControlFlow<()>) -> anyhow::Result<()> {
        let data = File::open(&self.data).with_context(|| format!("cannot open {}", self.data.display()))?;
        let bytes = data.metadata().with_context(|| self.data.display().to_string())?.len();
        let available = bytes / SYMBOL_BYTES as u64;
        let mut take = |number: u64, annotation: Annotation| -> anyhow::Result<ControlFlow<()>> {
            let burst = burst(&data, available, annotation);
            let burst = burst.map_err(|problem| anyhow!("annotation {number}: {problem}"))?;
            Ok(burst.map_or(ControlFlow::Continue(()), |burst| each(number, burst)))
        };
        let pass = Pass::new(Some(&mut take));
        match pass.run(&self.meta) {
            Ok(()) => Ok(()),
            Err(Damage::Cut(number)) if !self.complete => {
                tracing::warn!("{} ends within annotation {number}: it was cut off there", self.meta.display());
                Ok(())
            }
            Err(Damage::Cut(number)) => bail!("{}: ends within annotation {number}", self.meta.display()),
            Err(Damage::Other(error)) => Err(error.context(self.meta.display().to_string())),
        }
    }
}

fn global(meta: &Path) -> anyhow::Result<Global> {
    let pass = Pass::new(None);
    let ran = pass.run(meta);
    match (pass.global.into_inner(), ran) {
        (Some(global), _) => Ok(global),
        (None, Err(Damage::Other(error))) => Err(error),
        (None, _) => bail!("expected SigMF metadata, found no `global`"),
    }
}

/// The burst of an annotation, if it is one, with its samples out of `data`.
fn burst(data: &File, available: u64, annotation: Annotation) -> Result<Option<Recorded>, String> {
    if annotation.delivery.is_none() {
        return Ok(None);
    }
    let (start, count) = annotation.samples(available)?;
    let mut symbols = vec![0; count * SYMBOL_BYTES];
    data.read_exact_at(&mut symbols, start * SYMBOL_BYTES as u64)
        .map_err(|error| format!("cannot read its samples: {error}"))?;
    annotation.into_recorded(symbols.into())
}

/// Why metadata could not be read to their end.
enum Damage {
    /// They end in the middle; so many annotations are whole.
    Cut(u64),
    Other(anyhow::Error),
}

type Take<'a> = &'a mut dyn FnMut(u64, Annotation) -> anyhow::Result<ControlFlow<()>>;

/// One way through the metadata: for `global` alone, or for the annotations.
struct Pass<'a> {
    take: RefCell<Option<Take<'a>>>,
    global: RefCell<Option<Global>>,
    /// Bytes that may be read before the next annotation.
    allowance: Cell<u64>,
    number: Cell<u64>,
    in_annotations: Cell<bool>,
    /// Read far enough, or broken off by an annotation.
    stopped: RefCell<Option<anyhow::Result<()>>>,
}

impl<'a> Pass<'a> {
    fn new(take: Option<Take<'a>>) -> Self {
        Pass {
            take: RefCell::new(take),
            global: RefCell::new(None),
            allowance: Cell::new(MOST_BYTES),
            number: Cell::new(0),
            in_annotations: Cell::new(false),
            stopped: RefCell::new(None),
        }
    }

    fn run(&self, meta: &Path) -> Result<(), Damage> {
        let file = File::open(meta).map_err(|error| Damage::Other(anyhow!("cannot open it: {error}")))?;
        let metered = Metered { inner: BufReader::with_capacity(1 << 16, file), allowance: &self.allowance };
        let mut json = serde_json::Deserializer::from_reader(metered);
        let read = Document(self).deserialize(&mut json).and_then(|()| json.end());
        match (self.stopped.borrow_mut().take(), read) {
            (Some(stopped), _) => stopped.map_err(Damage::Other),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) if error.is_eof() && self.in_annotations.get() => Err(Damage::Cut(self.number.get())),
            (None, Err(error)) if self.in_annotations.get() => {
                Err(Damage::Other(anyhow!("annotation {}: {error}", self.number.get())))
            }
            (None, Err(error)) => Err(Damage::Other(error.into())),
        }
    }

    fn stop<E: serde::de::Error>(&self, how: anyhow::Result<()>) -> E {
        *self.stopped.borrow_mut() = Some(how);
        E::custom("stopped")
    }
}

/// The whole of the metadata.
struct Document<'p, 'a>(&'p Pass<'a>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigMF metadata")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let pass = self.0;
        let global_only = pass.take.borrow().is_none();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "global" if global_only => {
                    *pass.global.borrow_mut() = Some(map.next_value()?);
                    return Err(pass.stop(Ok(())));
                }
                "annotations" => {
                    pass.in_annotations.set(true);
                    map.next_value_seed(Annotations(pass))?;
                    pass.in_annotations.set(false);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The array of annotations.
struct Annotations<'p, 'a>(&'p Pass<'a>);

impl<'de> DeserializeSeed<'de> for Annotations<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Annotations<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of annotations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut annotations: A) -> Result<(), A::Error> {
        let pass = self.0;
        loop {
            pass.allowance.set(MOST_BYTES);
            if let Some(take) = pass.take.borrow_mut().as_mut() {
                let Some(annotation) = annotations.next_element::<Annotation>()? else { break };
                match take(pass.number.get(), annotation) {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(())) => return Err(pass.stop(Ok(()))),
                    Err(error) => return Err(pass.stop(Err(error))),
                }
            } else if annotations.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            pass.number.set(pass.number.get() + 1);
        }
        pass.allowance.set(MOST_BYTES);
        Ok(())
    }
}

/// A reader that gives no more than it is allowed: a string without an end would fill the memory otherwise.
struct Metered<'c, R> {
    inner: R,
    allowance: &'c Cell<u64>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = buffer.len().min(self.allowance.get() as usize);
        if allowed == 0 && !buffer.is_empty() {
            let problem = format!("more than {MOST_BYTES} bytes without an annotation coming to its end");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let read = self.inner.read(&mut buffer[..allowed])?;
        self.allowance.set(self.allowance.get() - read as u64);
        Ok(read)
    }
}
