//! The user's own clips as JSON:
//! `{"id"?, "text"?, "audio"?, "visual"?, "label"?, "caption"?, "conditions"?: {"channel", "snr_db"?, "k_factor"?}}`.
//!
//! `text` is a transcript or features. Features are `[[value, …], …]`, a list of frames, or `[value, …]`, one frame.
//! They are parsed directly into the bytes to send: a tree of JSON values would take many times the memory of the line.

use super::transcripts::Said;
use phy::{Conditions, SnrDb};
use proto::v1;
use proto::v1::content::Kind;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use wire::MAX_MESSAGE_BYTES;
use wire::chunks::MAX_MEDIA_BYTES;

const KEYS: &str = "id, text, audio, visual, label, caption, conditions";
/// Maximum number of unknown keys that an error names.
const NAMED: usize = 8;
const NAMED_CHARS: usize = 40;
/// Bytes of a message reserved for everything but features, transcript and caption.
const OVERHEAD: usize = 4096;

/// A clip as parsed from a line or file of JSON.
#[derive(Debug, Default)]
pub struct JsonClip {
    id: Option<String>,
    text: Option<Text>,
    audio: Option<Frames>,
    visual: Option<Frames>,
    label: Option<f32>,
    caption: Option<String>,
    conditions: Option<JsonConditions>,
}

/// A checked clip, ready to be sent once it has a delivery key.
#[derive(Debug)]
pub struct OwnClip {
    /// The message without delivery key, noise key and conditions.
    pub message: v1::Clip,
    /// The channel conditions that the clip itself pins; `None` if it pins none.
    pub conditions: Option<Conditions>,
}

impl OwnClip {
    /// Parses a clip from JSON; `id` is used if the JSON has none.
    ///
    /// # Errors
    /// Fails if the JSON is not valid or the clip is too large; the message names the field and the place in the text.
    pub fn from_json(json: &[u8], id: &str) -> Result<OwnClip, String> {
        let clip: JsonClip = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        clip.checked(id)
    }

    /// A clip of a transcript in UTF-8.
    ///
    /// # Errors
    /// Fails if the text is not UTF-8, or larger than a message.
    pub fn from_transcript(text: Vec<u8>, id: &str) -> Result<OwnClip, String> {
        let text = String::from_utf8(text).map_err(|error| format!("a transcript is UTF-8: {error}"))?;
        let text = Some(Text::Said(text.trim().to_owned()));
        JsonClip { text, ..JsonClip::default() }.checked(id)
    }

    /// A clip of a media file, with its transcript and label from `said`.
    ///
    /// # Errors
    /// Fails if the file is empty, or larger than the link accepts.
    pub fn from_media(file: Vec<u8>, id: &str, said: Said) -> Result<OwnClip, String> {
        if file.is_empty() {
            return Err("the file is empty".into());
        }
        if file.len() > MAX_MEDIA_BYTES {
            return Err(format!("a media file has at most {MAX_MEDIA_BYTES} bytes, this one has more"));
        }
        let media = Some(v1::Media { size: Some(file.len() as u64), data: file.into() });
        let mut message = v1::Clip { id: id.to_owned(), media, ..v1::Clip::default() };
        said.into_clip(&mut message);
        Ok(OwnClip { message, conditions: None })
    }

    /// Approximate size of the clip in bytes.
    pub fn size(&self) -> usize {
        let content = |content: &v1::Content| match &content.kind {
            Some(Kind::Features(features)) => features.data.len(),
            Some(Kind::Transcript(text)) => text.len(),
            None => 0,
        };
        let v1::Clip { modalities, caption, id, media, .. } = &self.message;
        media.as_ref().map_or(0, |media| media.data.len())
            + modalities.values().map(content).sum::<usize>()
            + caption.as_ref().map_or(0, String::len)
            + id.len()
    }
}

impl JsonClip {
    fn checked(self, id: &str) -> Result<OwnClip, String> {
        let conditions = self.conditions.map(JsonConditions::checked).transpose()?;
        let text = self.text.map(|text| match text {
            Text::Said(text) => Kind::Transcript(text),
            Text::Features(frames) => frames.content(),
        });
        let kinds =
            [("text", text), ("audio", self.audio.map(Frames::content)), ("visual", self.visual.map(Frames::content))];
        let modalities = kinds
            .into_iter()
            .filter_map(|(name, kind)| Some((name.to_owned(), v1::Content { kind: Some(kind?) })))
            .collect();
        let message = v1::Clip {
            id: self.id.unwrap_or_else(|| id.to_owned()),
            modalities,
            label: self.label,
            caption: self.caption,
            ..v1::Clip::default()
        };
        let clip = OwnClip { message, conditions };
        if clip.size() + OVERHEAD > MAX_MESSAGE_BYTES {
            return Err(format!("a message holds {MAX_MESSAGE_BYTES} bytes, this clip takes {}", clip.size()));
        }
        Ok(clip)
    }
}

impl<'de> Deserialize<'de> for JsonClip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Clip;
        impl<'de> Visitor<'de> for Clip {
            type Value = JsonClip;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a clip, an object with any of {KEYS}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonClip, A::Error> {
                let (mut clip, mut unknown) = (JsonClip::default(), Vec::new());
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "id" => field(&mut map, &key, &mut clip.id)?,
                        "text" => field(&mut map, &key, &mut clip.text)?,
                        "audio" => field(&mut map, &key, &mut clip.audio)?,
                        "visual" => field(&mut map, &key, &mut clip.visual)?,
                        "label" => field(&mut map, &key, &mut clip.label)?,
                        "caption" => field(&mut map, &key, &mut clip.caption)?,
                        "conditions" => field(&mut map, &key, &mut clip.conditions)?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            if unknown.len() < NAMED {
                                let named: String = key.chars().take(NAMED_CHARS).collect();
                                unknown.push(format!("`{}`", named.escape_debug()));
                            }
                        }
                    }
                }
                match unknown.is_empty() {
                    true => Ok(clip),
                    false => Err(de::Error::custom(format_args!("unknown: {}; a clip has {KEYS}", unknown.join(", ")))),
                }
            }
        }
        deserializer.deserialize_map(Clip)
    }
}

/// Reads a value into its field; null counts as absent. Fails if the field was given before.
fn field<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    name: &str,
    slot: &mut Option<T>,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(de::Error::custom(format_args!("{name}: given twice")));
    }
    *slot = map.next_value().map_err(|error| de::Error::custom(format_args!("{name}: {error}")))?;
    Ok(())
}

/// The pinned conditions of a clip. The channel has the names of the command line; K is linear, the SNR is in dB.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonConditions {
    channel: phy::ChannelName,
    snr_db: Option<f64>,
    k_factor: Option<f64>,
}

impl JsonConditions {
    fn checked(self) -> Result<Conditions, String> {
        let snr_db = self.snr_db.map(SnrDb::try_from).transpose().map_err(|error| format!("conditions: {error}"))?;
        self.channel.conditions(snr_db, self.k_factor).map_err(|error| format!("conditions: {error}"))
    }
}

#[derive(Debug)]
enum Text {
    Said(String),
    Features(Frames),
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a transcript, a list of frames, or one frame")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::Said(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Text, A::Error> {
                Frames::read(seq).map(Text::Features)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Feature frames, `[frames, width]`, as little-endian f32.
#[derive(Debug, Default)]
struct Frames {
    frames: u32,
    width: usize,
    /// Whether the list is a single frame, given as plain numbers.
    flat: bool,
    data: Vec<u8>,
}

impl Frames {
    fn read<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Frames, A::Error> {
        let mut frames = Frames::default();
        while seq.next_element_seed(Element(&mut frames))?.is_some() {}
        if frames.flat {
            (frames.frames, frames.width) = (1, frames.data.len() / 4);
        }
        match frames.data.is_empty() {
            true => Err(de::Error::custom("no values; leave out what the clip does not have")),
            false => Ok(frames),
        }
    }

    fn content(self) -> Kind {
        // A line is too short for a width beyond u32.
        let width = u32::try_from(self.width).unwrap_or(u32::MAX);
        Kind::Features(v1::Features { frames: self.frames, width, data: self.data.into(), provenance: None })
    }

    fn push<E: de::Error>(&mut self, value: f64) -> Result<(), E> {
        let narrow = value as f32;
        if !narrow.is_finite() {
            return Err(E::custom(format_args!("{value} is no 32-bit float")));
        }
        self.data.extend(narrow.to_le_bytes());
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Frames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Frames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of frames, or one frame")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Frames, A::Error> {
                Frames::read(seq)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// One element of a feature list: a number of the only frame, or a frame.
struct Element<'a>(&'a mut Frames);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a frame")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        if self.0.frames > 0 {
            return Err(E::custom("a number among frames"));
        }
        self.0.flat = true;
        self.0.push(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let frames = self.0;
        if frames.flat {
            return Err(de::Error::custom("a frame among numbers"));
        }
        let (number, mut width) = (frames.frames, 0);
        while let Some(value) = seq.next_element::<f64>()? {
            frames.push(value)?;
            width += 1;
        }
        if number > 0 && width != frames.width {
            let before = frames.width;
            return Err(de::Error::custom(format_args!(
                "frame {number} has {width} values, those before have {before}"
            )));
        }
        (frames.frames, frames.width) = (number + 1, width);
        Ok(())
    }
}
