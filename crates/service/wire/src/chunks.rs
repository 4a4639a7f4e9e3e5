//! Long messages travel in chunks: cutting them up and putting them together again within bounds.

use crate::fault::{ErrorCode, Fault};
use proto::v1::{Burst, Clip, DeliveryKey, Media};

/// Bytes of one complex symbol on the wire: I and Q, each an f32.
pub const SYMBOL_BYTES: usize = 8;
/// The longest burst accepted, in symbols.
pub const MAX_SYMBOLS: usize = 1 << 22;
/// The largest media file accepted, in bytes.
pub const MAX_MEDIA_BYTES: usize = 64 << 20;
/// Payload bytes in each message of what is sent, well under the message limit.
pub const CHUNK_BYTES: usize = 1 << 20;
/// The most chunks that anything may come in; in finer ones it would cost more than it carries.
pub const MAX_CHUNKS: u32 = 4096;

/// A message whose payload may be too long for one.
pub trait Chunked: Default {
    /// The payload's field, in faults.
    const FIELD: &'static str;

    /// The payload, as far as it is in this message.
    fn payload(&self) -> &[u8];

    /// The payload to be changed.
    fn payload_mut(&mut self) -> &mut Vec<u8>;

    /// The number of this message and how many there are.
    fn place(&self) -> (u32, u32);

    /// Sets both.
    fn put(&mut self, chunk: u32, chunks: u32);

    /// Takes the delivery key out.
    fn take_delivery(&mut self) -> Option<DeliveryKey>;

    /// Bytes that the whole payload may have, by the first message.
    fn limit(&self) -> usize;

    /// What is said of more.
    fn too_long(&self) -> String;
}

impl Chunked for Burst {
    const FIELD: &'static str = "symbols";

    fn payload(&self) -> &[u8] {
        &self.symbols
    }

    fn payload_mut(&mut self) -> &mut Vec<u8> {
        &mut self.symbols
    }

    fn place(&self) -> (u32, u32) {
        (self.chunk, self.chunks)
    }

    fn put(&mut self, chunk: u32, chunks: u32) {
        (self.chunk, self.chunks) = (chunk, chunks);
    }

    fn take_delivery(&mut self) -> Option<DeliveryKey> {
        self.delivery.take()
    }

    fn limit(&self) -> usize {
        MAX_SYMBOLS * SYMBOL_BYTES
    }

    fn too_long(&self) -> String {
        format!("a burst holds at most {MAX_SYMBOLS} symbols")
    }
}

impl Chunked for Clip {
    const FIELD: &'static str = "media.data";

    fn payload(&self) -> &[u8] {
        self.media.as_ref().map_or(&[], |media| &media.data)
    }

    fn payload_mut(&mut self) -> &mut Vec<u8> {
        &mut self.media.get_or_insert_default().data
    }

    fn place(&self) -> (u32, u32) {
        (self.chunk, self.chunks)
    }

    fn put(&mut self, chunk: u32, chunks: u32) {
        (self.chunk, self.chunks) = (chunk, chunks);
    }

    fn take_delivery(&mut self) -> Option<DeliveryKey> {
        self.delivery.take()
    }

    fn limit(&self) -> usize {
        match &self.media {
            Some(Media { size, .. }) if self.chunks > 1 => {
                usize::try_from(*size).map_or(MAX_MEDIA_BYTES, |size| size.min(MAX_MEDIA_BYTES))
            }
            _ => MAX_MEDIA_BYTES,
        }
    }

    fn too_long(&self) -> String {
        let limit = self.limit();
        match limit < MAX_MEDIA_BYTES {
            true => format!("expected the {limit} bytes that media.size announces, got more"),
            false => format!("a media file holds at most {MAX_MEDIA_BYTES} bytes"),
        }
    }
}

/// Cuts a message into those it travels in, in order. A short one stays as it is.
pub fn split<T: Chunked>(message: T) -> impl Iterator<Item = T> {
    split_at(message, CHUNK_BYTES)
}

fn split_at<T: Chunked>(mut whole: T, chunk_bytes: usize) -> impl Iterator<Item = T> {
    let chunks = whole.payload().len().div_ceil(chunk_bytes);
    let short = chunks <= 1;
    whole.put(0, if short { 0 } else { chunks as u32 });
    let payload = if short { Vec::new() } else { std::mem::take(whole.payload_mut()) };
    let mut head = Some(whole);
    (0..chunks.max(1)).map(move |chunk| {
        let mut message = head.take().unwrap_or_else(|| {
            let mut later = T::default();
            later.put(chunk as u32, 0);
            later
        });
        if !short {
            let start = chunk * chunk_bytes;
            *message.payload_mut() = payload[start..payload.len().min(start + chunk_bytes)].to_vec();
        }
        message
    })
}

/// A message that cannot be taken: the delivery key to answer to, as far as one came, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// As it came, unchecked.
    pub delivery: Option<DeliveryKey>,
    /// What is wrong.
    pub fault: Fault,
}

/// Puts the chunks of one stream's messages together. Holds no more than the limit of one.
#[derive(Debug)]
pub struct Assembler<T> {
    partial: Option<T>,
    next: u32,
    /// The rest of a message that was already rejected is passed over in silence.
    skipping: bool,
}

impl<T> Default for Assembler<T> {
    fn default() -> Self {
        Assembler { partial: None, next: 0, skipping: false }
    }
}

/// A complete message, or one that is lost.
pub type Assembled<T> = Result<T, Box<Rejected>>;

impl<T: Chunked> Assembler<T> {
    /// Takes the next message of the stream. Yields nothing as long as the whole that it belongs to is not complete, and
    /// two results where one begins before the last one ended. A rejected one does not end the stream.
    pub fn push(&mut self, message: T) -> impl Iterator<Item = Assembled<T>> + use<T> {
        let results = match message.place().0 {
            0 => [self.abandon(), self.first(message)],
            _ => [None, self.later(message)],
        };
        results.into_iter().flatten()
    }

    /// Whether an item has begun and not ended.
    pub fn is_partial(&self) -> bool {
        self.partial.is_some()
    }

    fn abandon(&mut self) -> Option<Assembled<T>> {
        let mut abandoned = self.partial.take()?;
        let problem = format!("{} of {} chunks came", self.next, abandoned.place().1);
        Some(self.reject(abandoned.take_delivery(), ErrorCode::Malformed, "chunks", problem))
    }

    fn first(&mut self, mut message: T) -> Option<Assembled<T>> {
        self.skipping = false;
        let (_, chunks) = message.place();
        if message.payload().len() > message.limit() {
            let problem = message.too_long();
            return Some(self.reject(message.take_delivery(), ErrorCode::TooLong, T::FIELD, problem));
        }
        if chunks <= 1 {
            return Some(Ok(message));
        }
        if chunks > MAX_CHUNKS {
            let problem = format!("at most {MAX_CHUNKS} chunks are accepted, {chunks} are announced");
            return Some(self.reject(message.take_delivery(), ErrorCode::TooLong, "chunks", problem));
        }
        self.next = 1;
        self.partial = Some(message);
        None
    }

    fn later(&mut self, mut message: T) -> Option<Assembled<T>> {
        if self.skipping {
            return None;
        }
        let (number, _) = message.place();
        let Some(partial) = &mut self.partial else {
            let problem = format!("chunk {number} without a first one");
            return Some(self.reject(message.take_delivery(), ErrorCode::Malformed, "chunk", problem));
        };
        let (code, field, problem) = if number != self.next {
            (ErrorCode::Malformed, "chunk", format!("expected chunk {}, got chunk {number}", self.next))
        } else if message.payload().is_empty() {
            (ErrorCode::Malformed, T::FIELD, format!("chunk {number} is empty"))
        } else if partial.payload().len() + message.payload().len() > partial.limit() {
            (ErrorCode::TooLong, T::FIELD, partial.too_long())
        } else {
            partial.payload_mut().extend_from_slice(message.payload());
            self.next += 1;
            let complete = self.next == partial.place().1;
            return self.partial.take_if(|_| complete).map(Ok);
        };
        let delivery = partial.take_delivery();
        Some(self.reject(delivery, code, field, problem))
    }

    fn reject(&mut self, delivery: Option<DeliveryKey>, code: ErrorCode, field: &str, problem: String) -> Assembled<T> {
        self.partial = None;
        self.skipping = true;
        Err(Box::new(Rejected { delivery, fault: Fault::new(code, field, problem) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(sequence: u64, symbols: Vec<u8>) -> Burst {
        let delivery = Some(DeliveryKey { run_id: "run".into(), sequence });
        Burst { delivery, symbols, ..Burst::default() }
    }

    #[test]
    fn what_is_split_is_assembled_again() {
        let mut assembler = Assembler::<Burst>::default();
        for length in [0, 8, 15, 16, 17, 160, 161] {
            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let messages: Vec<_> = split_at(burst(length, bytes.clone()), 16).collect();
            assert_eq!(messages.len(), (length as usize).div_ceil(16).max(1));
            assert!(messages.iter().all(|message| message.symbols.len() <= 16));
            let whole: Vec<_> = messages.into_iter().flat_map(|message| assembler.push(message)).collect();
            let [Ok(whole)] = &whole[..] else { panic!("{whole:?}") };
            assert_eq!((&whole.symbols, whole.delivery.as_ref().unwrap().sequence), (&bytes, length));
        }
    }

    #[test]
    fn a_clip_without_a_file_stays_one_and_a_file_is_as_long_as_it_says() {
        let mut assembler = Assembler::<Clip>::default();
        let whole = |clip| split_at(clip, 4).flat_map(|message| assembler.push(message)).collect::<Vec<_>>();
        let (mut whole, plain) = (whole, Clip { id: "plain".into(), ..Clip::default() });
        assert_eq!(whole(plain.clone()), [Ok(plain)]);
        let film = |size| Clip { media: Some(Media { data: vec![7; 10], size }), ..Clip::default() };
        let [Ok(clip)] = &whole(film(10))[..] else { panic!() };
        assert_eq!((clip.payload(), clip.place()), (&[7; 10][..], (0, 3)));
        let [Err(short)] = &whole(film(9))[..] else { panic!() };
        assert_eq!((short.fault.code, short.fault.field.as_str()), (ErrorCode::TooLong, "media.data"));
        assert!(short.fault.message.contains("9 bytes that media.size announces"), "{}", short.fault);
    }

    #[test]
    fn a_broken_burst_is_rejected_once_and_the_next_one_passes() {
        let head = |chunks, bytes| Burst { chunks, ..burst(1, vec![0; bytes]) };
        let tail = |chunk, bytes| Burst { chunk, symbols: vec![0; bytes], ..Burst::default() };
        let most = MAX_SYMBOLS * SYMBOL_BYTES;
        let cases = [
            (vec![head(3, 8), tail(2, 8), tail(1, 8)], ErrorCode::Malformed, "chunk", Some(1)),
            (vec![head(3, 8), tail(1, 0), tail(2, 8)], ErrorCode::Malformed, "symbols", Some(1)),
            (vec![tail(1, 8), tail(2, 8)], ErrorCode::Malformed, "chunk", None),
            (vec![head(3, most), tail(1, 8), tail(2, 8)], ErrorCode::TooLong, "symbols", Some(1)),
            (vec![head(0, most + 8)], ErrorCode::TooLong, "symbols", Some(1)),
            (vec![head(u32::MAX, 8), tail(1, 8)], ErrorCode::TooLong, "chunks", Some(1)),
            (vec![head(3, 8), tail(1, 8)], ErrorCode::Malformed, "chunks", Some(1)),
        ];
        for (messages, code, field, sequence) in cases {
            let mut assembler = Assembler::<Burst>::default();
            let messages = messages.into_iter().chain([burst(2, vec![0; 8])]);
            let results: Vec<_> = messages.flat_map(|message| assembler.push(message)).collect();
            let [Err(rejected), Ok(next)] = &results[..] else { panic!("{field}: {results:?}") };
            assert_eq!((rejected.fault.code, rejected.fault.field.as_str()), (code, field));
            assert_eq!(rejected.delivery.as_ref().map(|key| key.sequence), sequence);
            assert_eq!(next.delivery.as_ref().unwrap().sequence, 2);
        }
    }
}
