//! Tests of the work on received bytes: each burst is decoded once, long blocks do not hold up short ones, and a panic
//! does not end the process.

#[allow(dead_code)]
mod common;

use common::*;
use metrics::Prediction;
use proto::v1;
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::{ErrorCode, ReceiveRequest, ReceiveResponse};
use runtime::Hop;
use runtime::backoff::Disconnection;
use runtime::hop::{Exchange, HopConfig, Inbound};
use schemes::scheme::{ChannelUses, InputError, ModelCard, Receive, ReceivedBurst, TransportFormat};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;
use wire::{Delivery, Message};

const PATIENT: Duration = Duration::from_secs(30);

fn journal() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    (folder, path)
}

async fn until(mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENT, wait).await.expect("never came true");
}

/// A receiver half that decodes a burst only when its gate has a permit for it. Transport blocks of at most 1000 bytes
/// are decoded at once.
struct Gated {
    card: ModelCard,
    begun: AtomicUsize,
    gate: Semaphore,
}

impl Gated {
    fn new(channel_uses: ChannelUses) -> Arc<Gated> {
        let card = ModelCard::new(MODEL, "", channel_uses);
        Arc::new(Gated { card, begun: AtomicUsize::new(0), gate: Semaphore::new(0) })
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

impl Receive for Gated {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn receive(&self, bursts: &[ReceivedBurst]) -> Vec<Result<Prediction, InputError>> {
        let one = |burst: &ReceivedBurst| {
            self.begun.fetch_add(1, Ordering::SeqCst);
            if burst.format.is_none_or(|format| format.bytes > 1000) {
                futures::executor::block_on(self.gate.acquire()).unwrap().forget();
            }
            decode(&burst.equalised)
        };
        bursts.iter().map(one).collect()
    }
}

#[tokio::test]
async fn a_panic_refuses_its_burst_alone_and_the_receiver_lives() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    // After the equaliser 19.5 is 13.
    let level = |sequence: u64| if sequence % 50 == 7 { 19.5 } else { 1.0 };
    for sequence in 0..200 {
        talk.send(burst(sequence, level(sequence), 1.0)).await;
    }
    for _ in 0..200 {
        let receipt = talk.receipt().await;
        match sequence(&receipt) % 50 {
            7 => assert_eq!(error(&receipt).code(), ErrorCode::Internal),
            _ => assert!(prediction(&receipt).p_pos > 0.5),
        }
    }
    // The same stream still works: a panic in the decoder did not end it.
    prediction(&talk.ask(burst(1000, 1.0, 1.0)).await);
    receiver.stop().await;
}

#[tokio::test]
async fn why_a_burst_is_refused_keeps_its_kind() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    // After the equaliser 750 is 500.
    let receipt = talk.ask(burst(1, 750.0, 1.0)).await;
    let refused = error(&receipt);
    assert_eq!((refused.code(), refused.field.as_str()), (ErrorCode::Unsupported, "film"));
    assert_eq!(refused.message, "start with --extractors");
    receiver.stop().await;
}

#[tokio::test]
async fn a_key_in_work_or_in_the_journal_is_not_decoded_again() {
    let (_folder, journal) = journal();
    let half = Gated::new(ChannelUses::Fixed(SYMBOLS));
    let receiver = Running::with(&journal, half.clone(), PATIENT).await;
    let gone = receiver.stream().await;
    gone.send(burst(1, 1.0, 0.5)).await;
    until(|| half.begun() == 1).await;
    drop(gone);
    let mut talks = [receiver.stream().await, receiver.stream().await];
    for talk in &talks {
        talk.send(burst(1, -1.0, 0.9)).await;
    }
    // Time in which a second decoding would happen, if there were one.
    tokio::time::sleep(Duration::from_millis(100)).await;
    half.gate.add_permits(100);
    let answers = [talks[0].receipt().await, talks[1].receipt().await];
    assert!(prediction(&answers[0]).p_pos > 0.5, "the answer to the first burst");
    assert_eq!(answers[0], answers[1]);
    assert_eq!(talks[0].ask(burst(1, -1.0, 0.7)).await, answers[0]);
    assert_eq!(half.begun(), 1);
    prediction(&talks[1].ask(burst(2, -1.0, 0.7)).await);
    assert_eq!(half.begun(), 2);
    receiver.stop().await;

    let half = Gated::new(ChannelUses::Fixed(SYMBOLS));
    let receiver = Running::with(&journal, half.clone(), PATIENT).await;
    assert_eq!(receiver.stream().await.ask(burst(1, -1.0, 0.9)).await, answers[0]);
    assert_eq!(half.begun(), 0, "the journal answers before anything is decoded");
    receiver.stop().await;
}

/// An exchange that streams bursts to the receiver and counts the streams it opens.
struct ToReceiver(ReceiverClient<Channel>, Arc<AtomicUsize>);

impl Exchange for ToReceiver {
    type Item = Burst;
    type Request = ReceiveRequest;
    type Response = ReceiveResponse;

    fn header(&self) -> Option<ReceiveRequest> {
        Some(Message::header(MODEL).into())
    }

    fn key(item: &Burst) -> Delivery {
        Delivery::from_wire(item.delivery.as_ref()).unwrap()
    }

    fn requests(item: &Burst, out: &mut VecDeque<ReceiveRequest>) {
        out.push_back(item.clone().into());
    }

    fn acknowledges(response: &ReceiveResponse) -> Option<Delivery> {
        Delivery::from_wire(response.acknowledgement.as_ref()?.delivery.as_ref()).ok()
    }

    async fn open(&mut self, outbound: ReceiverStream<ReceiveRequest>) -> Result<Inbound<ReceiveResponse>, Status> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(Box::pin(self.0.receive(outbound).await?.into_inner()))
    }
}

/// Sends one burst whose decoding takes six times as long as the hop waits in silence; returns the number of streams
/// that it took.
async fn slow_burst(progress: Duration) -> usize {
    let (_folder, journal) = journal();
    let half = Gated::new(ChannelUses::Fixed(SYMBOLS));
    let receiver = Running::with(&journal, half.clone(), progress).await;
    let opened = Arc::<AtomicUsize>::default();
    let inactivity = Duration::from_millis(300);
    let config = HopConfig { window: 4, inactivity, disconnection: Arc::new(Disconnection::new("receiver")) };
    let mut hop = Hop::start(ToReceiver(receiver.client().await, opened.clone()), config);
    hop.sender.send(burst(1, 1.0, 0.5)).await.unwrap();
    until(|| half.begun() == 1).await;
    tokio::time::sleep(6 * inactivity).await;
    half.gate.add_permits(100);
    let answered = tokio::time::timeout(PATIENT, hop.receiver.recv()).await.unwrap().unwrap().unwrap();
    assert!(prediction(&answered.response.into()).p_pos > 0.5);
    assert_eq!(half.begun(), 1, "decoded again and again");
    drop(hop);
    receiver.stop().await;
    opened.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_burst_that_takes_longer_than_the_hop_waits_is_sent_once() {
    assert_eq!(slow_burst(Duration::from_millis(50)).await, 1);
}

#[tokio::test]
async fn a_burst_that_is_sent_again_while_it_is_in_work_is_decoded_once() {
    assert!(slow_burst(PATIENT).await > 1);
}

fn block(sequence: u64, mcs: u32, bytes: u32) -> Burst {
    let format = TransportFormat { mcs: mcs as u8, bytes };
    let symbols = vec![0; 8 * format.channel_uses().unwrap_or(7)];
    let transport = Some(v1::TransportFormat { mcs, bytes });
    Burst { transport, symbols, ..burst(sequence, 1.0, 1.0) }
}

#[tokio::test]
async fn short_bursts_do_not_wait_behind_videos() {
    let (_folder, journal) = journal();
    let half = Gated::new(ChannelUses::PerClip);
    let receiver = Running::with(&journal, half.clone(), PATIENT).await;
    let mut talk = receiver.stream().await;
    // More videos than there are threads for them.
    let videos = 40;
    for sequence in 0..videos {
        talk.send(block(sequence, 27, 5000)).await;
    }
    until(|| half.begun() > 0).await;
    for sequence in 100..200 {
        talk.send(block(sequence, 0, 20)).await;
    }
    for _ in 0..100 {
        let receipt = tokio::time::timeout(PATIENT, talk.receipt()).await.expect("it waits behind the videos");
        prediction(&receipt);
        assert!(sequence(&receipt) >= 100);
    }
    half.gate.add_permits(videos as usize);
    for _ in 0..videos {
        assert!(sequence(&talk.receipt().await) < videos);
    }
    receiver.stop().await;
}

#[tokio::test]
async fn a_transport_format_that_the_symbols_do_not_bear_out_is_refused_before_any_work() {
    let (_folder, journal) = journal();
    let half = Gated::new(ChannelUses::PerClip);
    let receiver = Running::with(&journal, half.clone(), PATIENT).await;
    let mut talk = receiver.stream().await;
    let claims = [
        (0, 4_194_304, ErrorCode::TooLong, "transport"),
        (27, 4_194_304, ErrorCode::TooLong, "transport"),
        (27, 4_194_305, ErrorCode::TooLong, "transport.bytes"),
        (27, 2_000_000, ErrorCode::WrongLength, "symbols"),
        (29, 100, ErrorCode::Unsupported, "transport.mcs"),
        (999, 100, ErrorCode::Unsupported, "transport.mcs"),
        (4, 0, ErrorCode::Unsupported, "transport"),
    ];
    for (mcs, bytes, code, field) in claims {
        let transport = Some(v1::TransportFormat { mcs, bytes });
        let claim = Burst { transport, symbols: vec![0; 8 * 7], ..burst(1, 1.0, 1.0) };
        let receipt = talk.ask(claim).await;
        let refused = error(&receipt);
        assert_eq!((refused.code(), refused.field.as_str()), (code, field), "{}", refused.message);
    }
    assert_eq!(half.begun(), 0);
    receiver.stop().await;
}
