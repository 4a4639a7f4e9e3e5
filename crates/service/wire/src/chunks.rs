//! Long items travel in chunks: cutting them up and putting them together again within bounds. Cutting shares the bytes.

use crate::fault::{ErrorCode, Fault};
use bytes::{Bytes, BytesMut};
use proto::v1::{Burst, Chunk, Clip, DeliveryKey, Media};

/// Bytes of one complex symbol on the wire: I and Q, each an f32.
pub const SYMBOL_BYTES: usize = 8;
/// The longest burst accepted, in symbols.
pub const MAX_SYMBOLS: usize = 1 << 22;
/// The largest media file accepted, in bytes.
pub const MAX_MEDIA_BYTES: usize = 64 << 20;
/// Payload bytes in each message of what is sent, well under the message limit.
pub const CHUNK_BYTES: usize = 1 << 20;
/// The most messages that anything may come in; in finer chunks it would cost more than it carries.
pub const MAX_CHUNKS: u32 = 4096;

/// An item whose payload may be too long for one message.
pub trait Chunked {
    /// The payload's field, in faults.
    const FIELD: &'static str;

    /// The payload, as far as it is in this message.
    fn payload(&self) -> Bytes;

    /// Puts another payload in its place.
    fn set_payload(&mut self, payload: Bytes);

    /// Chunks that follow.
    fn following(&self) -> u32;

    /// Sets how many chunks follow.
    fn set_following(&mut self, chunks: u32);

    /// Takes the delivery key out.
    fn take_delivery(&mut self) -> Option<DeliveryKey>;

    /// Bytes that the whole payload may have, by the first message.
    fn limit(&self) -> usize;

    /// What is said of more.
    fn too_long(&self) -> String;
}

impl Chunked for Burst {
    const FIELD: &'static str = "symbols";

    fn payload(&self) -> Bytes {
        self.symbols.clone()
    }

    fn set_payload(&mut self, payload: Bytes) {
        self.symbols = payload;
    }

    fn following(&self) -> u32 {
        self.chunks_following
    }

    fn set_following(&mut self, chunks: u32) {
        self.chunks_following = chunks;
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

    fn payload(&self) -> Bytes {
        self.media.as_ref().map_or(Bytes::new(), |media| media.data.clone())
    }

    fn set_payload(&mut self, payload: Bytes) {
        self.media.get_or_insert_default().data = payload;
    }

    fn following(&self) -> u32 {
        self.chunks_following
    }

    fn set_following(&mut self, chunks: u32) {
        self.chunks_following = chunks;
    }

    fn take_delivery(&mut self) -> Option<DeliveryKey> {
        self.delivery.take()
    }

    fn limit(&self) -> usize {
        match &self.media {
            Some(Media { size, .. }) if self.chunks_following > 0 => {
                usize::try_from(size.unwrap_or(0)).map_or(MAX_MEDIA_BYTES, |size| size.min(MAX_MEDIA_BYTES))
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

/// One message of a stream of items.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<T> {
    /// An item, whole or with its first bytes.
    Item(T),
    /// Further bytes of the item that began last.
    Chunk(Chunk),
}

/// Cuts an item into the messages it travels in, in order. A short one stays as it is. The bytes are shared.
pub fn split<T: Chunked>(item: T) -> impl Iterator<Item = Part<T>> {
    split_at(item, CHUNK_BYTES)
}

fn split_at<T: Chunked>(mut item: T, chunk_bytes: usize) -> impl Iterator<Item = Part<T>> {
    let payload = item.payload();
    let following = payload.len().div_ceil(chunk_bytes).saturating_sub(1);
    item.set_following(following as u32);
    if following > 0 {
        item.set_payload(payload.slice(..chunk_bytes));
    }
    let chunks = (1..=following).map(move |number| {
        let start = number * chunk_bytes;
        let data = payload.slice(start..payload.len().min(start + chunk_bytes));
        Part::Chunk(Chunk { number: number as u32, data })
    });
    std::iter::once(Part::Item(item)).chain(chunks)
}

/// An item that cannot be taken: the delivery key to answer to, as far as one came, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// As it came, unchecked.
    pub delivery: Option<DeliveryKey>,
    /// What is wrong.
    pub fault: Fault,
}

/// Puts the chunks of one stream's items together. Holds no more than the limit of one.
#[derive(Debug)]
pub struct Assembler<T> {
    partial: Option<Partial<T>>,
    /// The rest of an item that was already rejected is passed over in silence.
    skipping: bool,
}

#[derive(Debug)]
struct Partial<T> {
    item: T,
    bytes: BytesMut,
    /// The chunk that is expected.
    next: u32,
}

impl<T> Default for Assembler<T> {
    fn default() -> Self {
        Assembler { partial: None, skipping: false }
    }
}

/// A complete item, or one that is lost.
pub type Assembled<T> = Result<T, Box<Rejected>>;

impl<T: Chunked> Assembler<T> {
    /// Takes the next message of the stream. Yields nothing as long as the item that it belongs to is not complete, and
    /// two results where one begins before the last one ended. A rejected one does not end the stream.
    pub fn push(&mut self, part: Part<T>) -> impl Iterator<Item = Assembled<T>> + use<T> {
        let results = match part {
            Part::Item(item) => [self.abandon(), self.first(item)],
            Part::Chunk(chunk) => [None, self.later(chunk)],
        };
        results.into_iter().flatten()
    }

    /// Whether an item has begun and not ended.
    pub fn is_partial(&self) -> bool {
        self.partial.is_some()
    }

    fn abandon(&mut self) -> Option<Assembled<T>> {
        let Partial { mut item, next, .. } = self.partial.take()?;
        let problem = format!("{} of {} chunks came", next - 1, item.following());
        Some(self.reject(item.take_delivery(), ErrorCode::Malformed, "chunks_following", problem))
    }

    fn first(&mut self, mut item: T) -> Option<Assembled<T>> {
        self.skipping = false;
        let (following, payload) = (item.following(), item.payload());
        if payload.len() > item.limit() {
            let problem = item.too_long();
            return Some(self.reject(item.take_delivery(), ErrorCode::TooLong, T::FIELD, problem));
        }
        if following == 0 {
            return Some(Ok(item));
        }
        if following >= MAX_CHUNKS {
            let problem = format!("fewer than {MAX_CHUNKS} chunks are accepted, {following} are announced");
            return Some(self.reject(item.take_delivery(), ErrorCode::TooLong, "chunks_following", problem));
        }
        // The first part is copied with the others; until then nothing else holds its message.
        self.partial = Some(Partial { item, bytes: BytesMut::from(payload), next: 1 });
        None
    }

    fn later(&mut self, Chunk { number, data }: Chunk) -> Option<Assembled<T>> {
        if self.skipping {
            return None;
        }
        let Some(mut partial) = self.partial.take() else {
            let problem = format!("chunk {number} without a first one");
            return Some(self.reject(None, ErrorCode::Malformed, "chunk", problem));
        };
        let (code, field, problem) = if number != partial.next {
            (ErrorCode::Malformed, "chunk", format!("expected chunk {}, got chunk {number}", partial.next))
        } else if data.is_empty() {
            (ErrorCode::Malformed, T::FIELD, format!("chunk {number} is empty"))
        } else if partial.bytes.len() + data.len() > partial.item.limit() {
            (ErrorCode::TooLong, T::FIELD, partial.item.too_long())
        } else {
            partial.bytes.extend_from_slice(&data);
            if number < partial.item.following() {
                partial.next += 1;
                self.partial = Some(partial);
                return None;
            }
            let Partial { mut item, bytes, .. } = partial;
            item.set_payload(bytes.freeze());
            item.set_following(0);
            return Some(Ok(item));
        };
        Some(self.reject(partial.item.take_delivery(), code, field, problem))
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
        Burst { delivery, symbols: symbols.into(), ..Burst::default() }
    }

    fn bytes<T: Chunked>(part: &Part<T>) -> Bytes {
        match part {
            Part::Item(item) => item.payload(),
            Part::Chunk(chunk) => chunk.data.clone(),
        }
    }

    #[test]
    fn what_is_split_is_assembled_again() {
        let mut assembler = Assembler::<Burst>::default();
        for length in [0, 8, 15, 16, 17, 160, 161] {
            let data: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let messages: Vec<_> = split_at(burst(length, data.clone()), 16).collect();
            assert_eq!(messages.len(), (length as usize).div_ceil(16).max(1));
            assert!(messages.iter().all(|message| bytes(message).len() <= 16));
            let whole: Vec<_> = messages.into_iter().flat_map(|message| assembler.push(message)).collect();
            let [Ok(whole)] = &whole[..] else { panic!("{whole:?}") };
            assert_eq!((&whole.symbols[..], whole.delivery.as_ref().unwrap().sequence), (&data[..], length));
            assert_eq!(whole.chunks_following, 0);
        }
    }

    #[test]
    fn cutting_and_cloning_share_the_bytes() {
        let whole = burst(1, vec![7; 1000]);
        let within = whole.symbols.as_ptr_range();
        for message in split_at(whole.clone(), 16) {
            let part = bytes(&message);
            assert!(within.contains(&part.as_ptr()), "a copy was made");
        }
    }

    #[test]
    fn a_clip_without_a_file_stays_one_and_a_file_is_as_long_as_it_says() {
        let mut assembler = Assembler::<Clip>::default();
        let whole = |clip| split_at(clip, 4).flat_map(|message| assembler.push(message)).collect::<Vec<_>>();
        let (mut whole, plain) = (whole, Clip { id: "plain".into(), ..Clip::default() });
        assert_eq!(whole(plain.clone()), [Ok(plain)]);
        let film = |size| Clip { media: Some(Media { data: vec![7; 10].into(), size }), ..Clip::default() };
        let [Ok(clip)] = &whole(film(Some(10)))[..] else { panic!() };
        assert_eq!((&clip.payload()[..], clip.following()), (&[7; 10][..], 0));
        let [Err(short)] = &whole(film(Some(9)))[..] else { panic!() };
        assert_eq!((short.fault.code, short.fault.field.as_str()), (ErrorCode::TooLong, "media.data"));
        assert!(short.fault.message.contains("9 bytes that media.size announces"), "{}", short.fault);
    }

    #[test]
    fn a_broken_burst_is_rejected_once_and_the_next_one_passes() {
        let head = |following, bytes| Part::Item(Burst { chunks_following: following, ..burst(1, vec![0; bytes]) });
        let tail = |number, bytes| Part::Chunk(Chunk { number, data: vec![0; bytes].into() });
        let most = MAX_SYMBOLS * SYMBOL_BYTES;
        let cases = [
            (vec![head(2, 8), tail(2, 8), tail(1, 8)], ErrorCode::Malformed, "chunk", Some(1)),
            (vec![head(2, 8), tail(1, 0), tail(2, 8)], ErrorCode::Malformed, "symbols", Some(1)),
            (vec![tail(1, 8), tail(2, 8)], ErrorCode::Malformed, "chunk", None),
            (vec![head(2, most), tail(1, 8), tail(2, 8)], ErrorCode::TooLong, "symbols", Some(1)),
            (vec![head(0, most + 8)], ErrorCode::TooLong, "symbols", Some(1)),
            (vec![head(u32::MAX, 8), tail(1, 8)], ErrorCode::TooLong, "chunks_following", Some(1)),
            (vec![head(2, 8), tail(1, 8)], ErrorCode::Malformed, "chunks_following", Some(1)),
        ];
        for (messages, code, field, sequence) in cases {
            let mut assembler = Assembler::<Burst>::default();
            let messages = messages.into_iter().chain([Part::Item(burst(2, vec![0; 8]))]);
            let results: Vec<_> = messages.flat_map(|message| assembler.push(message)).collect();
            let [Err(rejected), Ok(next)] = &results[..] else { panic!("{field}: {results:?}") };
            assert_eq!((rejected.fault.code, rejected.fault.field.as_str()), (code, field));
            assert_eq!(rejected.delivery.as_ref().map(|key| key.sequence), sequence);
            assert_eq!(next.delivery.as_ref().unwrap().sequence, 2);
        }
    }
}
