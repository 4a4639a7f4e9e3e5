//! Source coding: what a clip says, sounds and looks like, to bytes and back.

use corpus::{Clip, Modality, Sequence};

use crate::Ranges;
use crate::container::{CodedPlane, Parts, deflate, inflate};
use crate::error::{MAX_FRAMES, MAX_TRANSCRIPT, SourceError};

/// Most columns of a plane, OpenH264's limit of a picture's shorter side.
const MAX_WIDTH: usize = 2160;

/// What crosses the link of a clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// What was said; `None` where nothing is known to be said.
    pub transcript: Option<String>,
    /// Feature planes by [`Modality::index`]; `None` where absent or left out.
    pub planes: [Option<Sequence>; 3],
    /// A video as [`video::encode`](crate::video::encode) codes it.
    pub video: Option<Vec<u8>>,
}

impl Content {
    /// The transcript of a clip, if it has one, and its audio and visual planes. Text features do not cross: the
    /// receiver makes them of the transcript. A clip of `builtin` has no transcript, so its text is left out.
    pub fn of_clip(clip: &Clip) -> Content {
        let mut planes = clip.features.clone();
        planes[Modality::Text.index()] = None;
        Content { transcript: (!clip.text.is_empty()).then(|| clip.text.clone()), planes, video: None }
    }
}

/// How planes of bytes are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// As DEFLATE, without loss.
    Deflate,
    /// As one intra picture by OpenH264.
    #[cfg(feature = "video")]
    H264 {
        /// The quantiser, 12 (OpenH264's finest) to 51; its step doubles every 6.
        qp: u8,
    },
}

impl Codec {
    /// The scheme's own: H.264 at a quantiser with which features lose about as much as by rounding them to 8 bits.
    ///
    /// # Errors
    /// If this build has none.
    #[cfg(feature = "video")]
    pub fn pictures() -> Result<Codec, SourceError> {
        Ok(Codec::H264 { qp: 24 })
    }

    /// The scheme's own: H.264 at a quantiser with which features lose about as much as by rounding them to 8 bits.
    ///
    /// # Errors
    /// If this build has none.
    #[cfg(not(feature = "video"))]
    pub fn pictures() -> Result<Codec, SourceError> {
        Err(SourceError::NoCodec)
    }
}

/// Source encoder and decoder; both ends have the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    ranges: [Option<Ranges>; 3],
    codec: Codec,
}

impl Source {
    /// With the ranges of each modality's columns by [`Modality::index`]; one without is never sent.
    ///
    /// # Errors
    /// If a modality has more columns than a picture.
    pub fn new(ranges: [Option<Ranges>; 3], codec: Codec) -> Result<Source, SourceError> {
        for (modality, ranges) in named(&ranges) {
            if ranges.width() > MAX_WIDTH {
                return Err(SourceError::Width { modality, expected: MAX_WIDTH, got: ranges.width() });
            }
        }
        Ok(Source { ranges, codec })
    }

    /// With ranges fitted on the features of these clips, of the training split, each by [`Modality::index`].
    ///
    /// # Errors
    /// As [`Source::new`].
    pub fn fit<'a>(
        clips: impl Iterator<Item = &'a [Option<Sequence>; 3]> + Clone,
        codec: Codec,
    ) -> Result<Source, SourceError> {
        let of = |modality: Modality| {
            let planes = clips.clone().filter_map(move |features| features[modality.index()].as_ref());
            if modality == Modality::Text { None } else { Ranges::fit(planes) }
        };
        Source::new(Modality::ALL.map(of), codec)
    }

    /// How planes are coded.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// By [`Modality::index`].
    pub fn ranges(&self) -> &[Option<Ranges>; 3] {
        &self.ranges
    }

    /// The bytes of `content`.
    ///
    /// # Errors
    /// If a plane has no ranges, another width, no frame or too many; if the transcript is too long.
    pub fn encode(&self, content: &Content) -> Result<Vec<u8>, SourceError> {
        let mut parts = Parts::default();
        for modality in Modality::ALL {
            let (index, name) = (modality.index(), modality.name());
            let Some(plane) = &content.planes[index] else { continue };
            let ranges = self.ranges[index].as_ref().ok_or(SourceError::NoRanges(name))?;
            if plane.width() != ranges.width() {
                return Err(SourceError::Width { modality: name, expected: ranges.width(), got: plane.width() });
            }
            check_frames(name, plane.frames())?;
            let bytes = self.code(&ranges.quantise(plane.data()), plane.width())?;
            parts.planes[index] = Some(CodedPlane { frames: plane.frames() as u16, bytes });
        }
        parts.video.clone_from(&content.video);
        if let Some(transcript) = &content.transcript {
            if transcript.len() > MAX_TRANSCRIPT {
                return Err(SourceError::Transcript(transcript.len()));
            }
            parts.transcript = Some(deflate(transcript.as_bytes())?);
        }
        Ok(parts.write())
    }

    /// The content of received bytes, planes as far as the codec keeps them, the transcript as it was.
    ///
    /// # Errors
    /// [`SourceError::Damaged`] or one of the others if the bytes are not what [`Source::encode`] makes; nothing they
    /// hold takes more memory than the largest plane or transcript.
    pub fn decode(&self, bytes: &[u8]) -> Result<Content, SourceError> {
        let parts = Parts::read(bytes)?;
        let mut content = Content { video: parts.video, ..Content::default() };
        for modality in Modality::ALL {
            let (index, name) = (modality.index(), modality.name());
            let Some(coded) = &parts.planes[index] else { continue };
            let ranges = self.ranges[index].as_ref().ok_or(SourceError::NoRanges(name))?;
            check_frames(name, usize::from(coded.frames))?;
            let plane = self.uncode(&coded.bytes, usize::from(coded.frames), ranges.width())?;
            content.planes[index] = Some(Sequence::new(ranges.width(), ranges.restore(&plane)));
        }
        if let Some(transcript) = parts.transcript {
            let text = String::from_utf8(inflate(&transcript, MAX_TRANSCRIPT)?);
            content.transcript = Some(text.map_err(|_| SourceError::Damaged("text that is no UTF-8".into()))?);
        }
        Ok(content)
    }

    /// Of `plane`, `[frames, width]`.
    fn code(&self, plane: &[u8], width: usize) -> Result<Vec<u8>, SourceError> {
        match self.codec {
            Codec::Deflate => {
                let _ = width;
                deflate(plane)
            }
            #[cfg(feature = "video")]
            Codec::H264 { qp } => crate::h264::encode(&crate::picture::Picture::of_plane(plane, width), qp),
        }
    }

    /// A plane, `[frames, width]`.
    fn uncode(&self, bytes: &[u8], frames: usize, width: usize) -> Result<Vec<u8>, SourceError> {
        match self.codec {
            Codec::Deflate => {
                let plane = inflate(bytes, frames * width)?;
                let wrong = || SourceError::Damaged(format!("{} values for {frames} × {width}", plane.len()));
                if plane.len() == frames * width { Ok(plane) } else { Err(wrong()) }
            }
            #[cfg(feature = "video")]
            Codec::H264 { qp } => {
                let (padded, height) = crate::picture::Picture::size(frames, width);
                Ok(crate::h264::decode(bytes, padded, height, qp)?.plane(frames, width))
            }
        }
    }
}

fn named(ranges: &[Option<Ranges>; 3]) -> impl Iterator<Item = (&'static str, &Ranges)> {
    Modality::ALL.into_iter().filter_map(|modality| Some((modality.name(), ranges[modality.index()].as_ref()?)))
}

fn check_frames(modality: &'static str, got: usize) -> Result<(), SourceError> {
    if (1..=MAX_FRAMES).contains(&got) { Ok(()) } else { Err(SourceError::Frames { modality, got }) }
}
