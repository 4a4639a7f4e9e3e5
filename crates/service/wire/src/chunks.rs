//! Splits items with long payloads (bursts, clips with media files) into chunks, and reassembles them within limits.
//! Splitting shares the bytes instead of copying them.

use crate::fault::{ErrorCode, Fault};
use bytes::{Bytes, BytesMut};
use proto::v1::{Burst, Chunk, Clip, DeliveryKey, Media};

/// The number of bytes of one complex symbol on the wire: I and Q, each an `f32`.
pub const SYMBOL_BYTES: usize = 8;
/// The largest number of complex symbols in a burst that is accepted.
pub const MAX_SYMBOLS: usize = 1 << 22;
/// The largest media file that is accepted, in bytes: 64 MiB.
pub const MAX_MEDIA_BYTES: usize = 64 << 20;
/// The largest number of payload bytes in each message that [`split`] makes: 1 MiB, well below the message limit.
pub const CHUNK_BYTES: usize = 1 << 20;
/// The largest number of messages that an item may consist of. It excludes chunks so small that their overhead
/// dominates.
pub const MAX_CHUNKS: u32 = 4096;

/// An item whose payload may be too long for one message: a burst or a clip. Its first message has the beginning of the
/// payload, and chunks with the rest follow.
pub trait Chunked {
    /// The path of the payload's field, for faults.
    const FIELD: &'static str;

    /// The part of the payload that is in this message.
    fn payload(&self) -> Bytes;

    /// Replaces the payload of this message.
    fn set_payload(&mut self, payload: Bytes);

    /// The number of chunks that follow this message.
    fn following(&self) -> u32;

    /// Sets the number of chunks that follow this message.
    fn set_following(&mut self, chunks: u32);

    /// Removes the delivery key from this message and returns it; `None` if there is none.
    fn take_delivery(&mut self) -> Option<DeliveryKey>;

    /// The largest number of bytes that the whole payload may have, given its first message.
    fn limit(&self) -> usize;

    /// The message of the fault of a payload that is longer than [`Chunked::limit`].
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

/// One message of a stream of items whose payloads may be split into chunks.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<T> {
    /// The first message of an item, with its whole payload or the beginning of it.
    Item(T),
    /// A further chunk of the payload of the item that began last.
    Chunk(Chunk),
}

/// Splits an item into messages with at most [`CHUNK_BYTES`] payload bytes each, in order. An item with a shorter
/// payload is one message. The payload bytes are shared, not copied.
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

/// An item that is rejected, with what is needed to answer it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// The delivery key of the item as received, unchecked; `None` if it is not known.
    pub delivery: Option<DeliveryKey>,
    /// Why the item is rejected.
    pub fault: Fault,
}

/// Reassembles the items of one stream from their messages. It holds at most one incomplete item, within
/// [`Chunked::limit`].
#[derive(Debug)]
pub struct Assembler<T> {
    partial: Option<Partial<T>>,
    /// Whether the last item was rejected; further chunks of it are then ignored.
    skipping: bool,
}

#[derive(Debug)]
struct Partial<T> {
    item: T,
    bytes: BytesMut,
    /// The number of the next chunk of this item, from 1.
    next: u32,
}

impl<T> Default for Assembler<T> {
    fn default() -> Self {
        Assembler { partial: None, skipping: false }
    }
}

/// The result of reassembling one item: the complete item, or why it was rejected.
pub type Assembled<T> = Result<T, Box<Rejected>>;

impl<T: Chunked> Assembler<T> {
    /// Takes the next message of the stream and yields the results of the items that it ends. There is no result while
    /// the item is incomplete. There may be two where an item begins before the last one was complete, which is then
    /// rejected. After a rejected item the stream goes on.
    pub fn push(&mut self, part: Part<T>) -> impl Iterator<Item = Assembled<T>> + use<T> {
        let results = match part {
            Part::Item(item) => [self.abandon(), self.first(item)],
            Part::Chunk(chunk) => [None, self.later(chunk)],
        };
        results.into_iter().flatten()
    }

    /// Whether an item has begun and is not complete.
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
        // The first part of the payload is copied to a buffer for the whole payload.
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
        let video = |size| Clip { media: Some(Media { data: vec![7; 10].into(), size }), ..Clip::default() };
        let [Ok(clip)] = &whole(video(Some(10)))[..] else { panic!() };
        assert_eq!((&clip.payload()[..], clip.following()), (&[7; 10][..], 0));
        let [Err(short)] = &whole(video(Some(9)))[..] else { panic!() };
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
