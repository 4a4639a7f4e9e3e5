//! Long bursts travel in chunks: cutting them up and putting them together again within bounds.

use crate::fault::{ErrorCode, Fault};
use proto::v1::{Burst, DeliveryKey};

/// Bytes of one complex symbol on the wire: I and Q, each an f32.
pub const SYMBOL_BYTES: usize = 8;
/// The longest burst accepted, in symbols.
pub const MAX_SYMBOLS: usize = 1 << 20;
/// Symbol bytes in each message of a burst that is sent, well under the message limit.
pub const CHUNK_BYTES: usize = 1 << 20;
/// The most chunks a burst may come in; a burst in finer ones would cost more than it carries.
pub const MAX_CHUNKS: u32 = 4096;

/// Cuts a whole burst into the messages it travels in, in order. A short burst is one message.
pub fn split(burst: Burst) -> impl Iterator<Item = Burst> {
    split_at(burst, CHUNK_BYTES)
}

fn split_at(mut burst: Burst, chunk_bytes: usize) -> impl Iterator<Item = Burst> {
    (burst.chunk, burst.chunks) = (0, 0);
    let chunks = burst.symbols.len().div_ceil(chunk_bytes);
    let short = chunks <= 1;
    let (symbols, mut head) = match short {
        true => (Vec::new(), Some(burst)),
        false => {
            burst.chunks = chunks as u32;
            (std::mem::take(&mut burst.symbols), Some(burst))
        }
    };
    (0..chunks.max(1)).map(move |chunk| {
        let mut message = head.take().unwrap_or_else(|| Burst { chunk: chunk as u32, ..Burst::default() });
        if !short {
            let start = chunk * chunk_bytes;
            message.symbols = symbols[start..symbols.len().min(start + chunk_bytes)].to_vec();
        }
        message
    })
}

/// A burst that cannot be taken: the delivery key to answer to, as far as one came, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// As it came, unchecked.
    pub delivery: Option<DeliveryKey>,
    /// What is wrong.
    pub fault: Fault,
}

/// Puts the chunks of one stream's bursts together. Holds at most [`MAX_SYMBOLS`] symbols.
#[derive(Debug, Default)]
pub struct Assembler {
    partial: Option<Burst>,
    next: u32,
    /// The rest of a burst that was already rejected is passed over in silence.
    skipping: bool,
}

/// A complete burst, or one that is lost.
pub type Assembled = Result<Burst, Box<Rejected>>;

impl Assembler {
    /// Takes the next message of the stream. Yields nothing as long as the burst it belongs to is not complete, and two
    /// results where a burst begins before the last one ended. A rejected burst does not end the stream.
    pub fn push(&mut self, message: Burst) -> impl Iterator<Item = Assembled> + use<> {
        let results = match message.chunk {
            0 => [self.abandon(), self.first(message)],
            _ => [None, self.later(message)],
        };
        results.into_iter().flatten()
    }

    fn abandon(&mut self) -> Option<Assembled> {
        let abandoned = self.partial.take()?;
        let problem = format!("{} of {} chunks came", self.next, abandoned.chunks);
        Some(self.reject(abandoned.delivery, ErrorCode::Malformed, "chunks", problem))
    }

    fn first(&mut self, message: Burst) -> Option<Assembled> {
        self.skipping = false;
        if message.symbols.len() > MAX_SYMBOLS * SYMBOL_BYTES {
            return Some(self.reject(message.delivery, ErrorCode::TooLong, "symbols", too_long()));
        }
        if message.chunks <= 1 {
            return Some(Ok(message));
        }
        if message.chunks > MAX_CHUNKS {
            let problem = format!("at most {MAX_CHUNKS} chunks are accepted, {} are announced", message.chunks);
            return Some(self.reject(message.delivery, ErrorCode::TooLong, "chunks", problem));
        }
        self.next = 1;
        self.partial = Some(message);
        None
    }

    fn later(&mut self, message: Burst) -> Option<Assembled> {
        if self.skipping {
            return None;
        }
        let Some(partial) = &mut self.partial else {
            let problem = format!("chunk {} without a first one", message.chunk);
            return Some(self.reject(message.delivery, ErrorCode::Malformed, "chunk", problem));
        };
        let (code, field, problem) = if message.chunk != self.next {
            (ErrorCode::Malformed, "chunk", format!("expected chunk {}, got chunk {}", self.next, message.chunk))
        } else if message.symbols.is_empty() {
            (ErrorCode::Malformed, "symbols", format!("chunk {} is empty", message.chunk))
        } else if partial.symbols.len() + message.symbols.len() > MAX_SYMBOLS * SYMBOL_BYTES {
            (ErrorCode::TooLong, "symbols", too_long())
        } else {
            partial.symbols.extend_from_slice(&message.symbols);
            self.next += 1;
            let complete = self.next == partial.chunks;
            return self.partial.take_if(|_| complete).map(Ok);
        };
        let delivery = partial.delivery.take();
        Some(self.reject(delivery, code, field, problem))
    }

    fn reject(&mut self, delivery: Option<DeliveryKey>, code: ErrorCode, field: &str, problem: String) -> Assembled {
        self.partial = None;
        self.skipping = true;
        Err(Box::new(Rejected { delivery, fault: Fault::new(code, field, problem) }))
    }
}

fn too_long() -> String {
    format!("a burst holds at most {MAX_SYMBOLS} symbols")
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
        let mut assembler = Assembler::default();
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
            let mut assembler = Assembler::default();
            let messages = messages.into_iter().chain([burst(2, vec![0; 8])]);
            let results: Vec<_> = messages.flat_map(|message| assembler.push(message)).collect();
            let [Err(rejected), Ok(next)] = &results[..] else { panic!("{field}: {results:?}") };
            assert_eq!((rejected.fault.code, rejected.fault.field.as_str()), (code, field));
            assert_eq!(rejected.delivery.as_ref().map(|key| key.sequence), sequence);
            assert_eq!(next.delivery.as_ref().unwrap().sequence, 2);
        }
    }
}
