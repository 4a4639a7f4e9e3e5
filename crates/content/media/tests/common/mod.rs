//! MP4 files built by hand, and what several tests share.
#![allow(dead_code)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use latentlink_media::Limits;

/// One AAC-LC packet of silence, mono.
pub const SILENCE: [u8; 6] = [0x00, 0xC8, 0x00, 0x80, 0x23, 0x80];

/// Limits that start no ffmpeg.
pub fn alone() -> Limits {
    Limits { ffmpeg_seconds: 0.0, ..Limits::default() }
}

/// The folder of shared files, or a word that the test is skipped.
pub fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LATENTLINK_SHARED").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test} needs the shared clips (LATENTLINK_SHARED is not set)");
    }
    folder
}

/// Standard output of ffmpeg, or a word that the test is skipped because there is none.
pub fn ffmpeg(test: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]).args(arguments).stdin(Stdio::null());
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(output.stdout)
        }
        Err(_) => {
            eprintln!("skipped: {test} needs ffmpeg");
            None
        }
    }
}

/// A box of a kind around its parts.
pub fn wrap(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes(), &kind[..], &body].concat()
}

/// Numbers of 32 bits.
pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

/// A sound track of AAC at 16 kHz in a file that holds `held` of `announced` packets.
pub struct Video {
    pub announced: u32,
    pub held: usize,
    /// (duration in ms, start in samples), as in an edit list.
    pub edits: Vec<(u32, i32)>,
    /// Bytes of each packet by the table of sizes.
    pub packet: u32,
    pub entry: [u8; 4],
    /// AudioSpecificConfig: AAC-LC, 16 kHz, one channel unless it is another.
    pub specific: Vec<u8>,
    /// Ticks of a packet by the table of times.
    pub ticks: u32,
    /// A track of pictures instead, with this sequence parameter set.
    pub sps: Option<Vec<u8>>,
}

impl Default for Video {
    fn default() -> Self {
        Self {
            announced: 16,
            held: 16,
            edits: Vec::new(),
            packet: SILENCE.len() as u32,
            entry: *b"mp4a",
            ticks: 1_024,
            sps: None,
            specific: vec![0x14, 0x08],
        }
    }
}

impl Video {
    pub fn bytes(&self) -> Vec<u8> {
        let ftyp = wrap(b"ftyp", &[b"isom\0\0\0\0"]);
        let mdat = wrap(b"mdat", &[&SILENCE.repeat(self.held)]);
        let moov = self.moov(ftyp.len() as u32 + 8);
        [ftyp, mdat, moov].concat()
    }

    /// With the tables before the sound.
    pub fn tables_first(&self) -> Vec<u8> {
        let ftyp = wrap(b"ftyp", &[b"isom\0\0\0\0"]);
        let moov = self.moov((ftyp.len() + self.moov(0).len()) as u32 + 8);
        let mdat = wrap(b"mdat", &[&SILENCE.repeat(self.held)]);
        [ftyp, moov, mdat].concat()
    }

    pub fn moov(&self, chunk: u32) -> Vec<u8> {
        let mvhd = wrap(b"mvhd", &[&words(&[0, 0, 0, 1_000, 0]), &[0; 80]]);
        let tkhd = wrap(b"tkhd", &[&words(&[0, 0, 0, 1, 0, 0]), &[0; 60]]);
        let edits: Vec<u8> = self.edits.iter().flat_map(|&(ms, at)| words(&[ms, at as u32, 0x1_0000])).collect();
        let elst = wrap(b"elst", &[&words(&[0, self.edits.len() as u32]), &edits]);
        let edts = if self.edits.is_empty() { Vec::new() } else { wrap(b"edts", &[&elst]) };
        let mdhd = wrap(b"mdhd", &[&words(&[0, 0, 0, 16_000, self.announced * 1_024, 0])]);
        let kind = if self.sps.is_some() { b"vide" } else { b"soun" };
        let hdlr = wrap(b"hdlr", &[&words(&[0, 0]), kind, &[0; 13]]);
        let minf = wrap(b"minf", &[&self.stbl(chunk)]);
        let mdia = wrap(b"mdia", &[&mdhd, &hdlr, &minf]);
        wrap(b"moov", &[&mvhd, &wrap(b"trak", &[&tkhd, &edts, &mdia])])
    }

    fn stbl(&self, chunk: u32) -> Vec<u8> {
        let specific = [&[5, self.specific.len() as u8][..], &self.specific].concat();
        let config = [&[4, 13 + specific.len() as u8, 0x40, 0x15][..], &[0; 11], &specific].concat();
        let stream = [&[3, 3 + config.len() as u8, 0, 1, 0][..], &config].concat();
        let esds = wrap(b"esds", &[&words(&[0]), &stream]);
        let head = [&[0; 6][..], &[0, 1], &[0; 8], &[0, 1, 0, 16, 0, 0, 0, 0], &words(&[16_000 << 16])].concat();
        let entry = match &self.sps {
            None => wrap(&self.entry, &[&head, &esds]),
            Some(sps) => {
                let sets = [&[1, sps[1], 0, 30, 0xFF, 0xE1][..], &(sps.len() as u16).to_be_bytes(), sps, &[0]].concat();
                wrap(b"avc1", &[&[0; 78], &wrap(b"avcC", &[&sets])])
            }
        };
        let stsd = wrap(b"stsd", &[&words(&[0, 1]), &entry]);
        let stts = wrap(b"stts", &[&words(&[0, 1, self.announced, self.ticks])]);
        let stsc = wrap(b"stsc", &[&words(&[0, 1, 1, self.announced, 1])]);
        let stsz = wrap(b"stsz", &[&words(&[0, self.packet, self.announced])]);
        let stco = wrap(b"stco", &[&words(&[0, 1, chunk])]);
        wrap(b"stbl", &[&stsd, &stts, &stsc, &stsz, &stco])
    }
}

/// A sequence parameter set of the baseline profile for so many macroblocks of 16 × 16 pixels.
pub fn sps(columns: u32, rows: u32) -> Vec<u8> {
    let golomb = |n: u32| format!("{:0>1$b}", n + 1, 2 * (n + 1).ilog2() as usize + 1);
    // Identifier, bits of frame numbers, kind of order, references, gaps; sizes; whole frames, inference, no cropping,
    // no colours, and the end.
    let mut bits = ["1", "1", "011", "010", "0"].concat() + &golomb(columns - 1) + &golomb(rows - 1) + "11001";
    bits += &"0".repeat((8 - bits.len() % 8) % 8);
    let mut nal = vec![0x67, 66, 0, 30];
    for byte in bits.as_bytes().chunks(8) {
        nal.push(byte.iter().fold(0, |n, b| n << 1 | (b - b'0')));
        // Emulation prevention.
        if nal.ends_with(&[0, 0]) {
            nal.push(3);
        }
    }
    nal
}

/// Numbers that look random, the same in every run (Marsaglia's xorshift).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}
