//! The emulator over real sockets, between a test's transmitter and a test's receiver.

use crate::common::{Emulator, MODEL, Manner, PATIENT, TestReceiver, answer, burst, key, shown, with_payload};
use phy::{Conditions, NoiseKey, SnrDb, Symbols, draw};
use proto::v1::{self, Burst, BurstPayload, ErrorCode, acknowledgement};
use std::time::Duration;
use tonic::{Code, Status};
use wire::chunks::Part;
use wire::{Message, payload_from_wire};

fn received(sent: &Burst, noise: NoiseKey, conditions: &Conditions) -> Vec<u8> {
    let symbols = Symbols::from_le_bytes(&sent.symbols).unwrap();
    draw(noise, conditions, symbols.len()).apply(&symbols).symbols.to_le_bytes()
}

#[tokio::test]
async fn bursts_of_any_length_arrive_as_phy_computes_them() {
    let receiver = TestReceiver::start(0, Manner::default());
    let emulator = Emulator::start(receiver.port).await;
    let live = Conditions::Rayleigh(SnrDb::try_from(12.0).unwrap());
    let pinned = Conditions::Awgn(SnrDb::try_from(-3.0).unwrap());
    let noise = NoiseKey { seed: 1, draw: 2, row: 3 };

    // The last one is long enough to travel in chunks and to be computed off the runtime.
    let mut sent: Vec<Burst> = [1, 25, 1000, 300_000].into_iter().zip(0..).map(|(n, k)| burst(k, n)).collect();
    sent[1].conditions = Some(wire::convert::conditions_to_wire(&pinned));
    sent[1].noise = Some(wire::convert::noise_key_to_wire(noise));
    let reference = Some(v1::Reference { clip_id: "clip".into(), label: Some(-1.5), caption: "words".into() });
    sent[2] = with_payload(sent[2].clone(), &BurstPayload { reference, ..BurstPayload::default() });
    sent[2].timings = Some(v1::Timings { transmitter_us: 77, ..v1::Timings::default() });
    let receipts = emulator.relay(sent.clone()).await.unwrap();

    let arrived = receiver.bursts.lock().unwrap();
    assert_eq!((receipts.len(), arrived.len()), (4, 4));
    for (k, (sent, arrived)) in sent.iter().zip(arrived.iter()).enumerate() {
        let (noise, conditions) = match k {
            1 => (noise, pinned),
            _ => (NoiseKey { seed: 3, draw: 0, row: k as u64 }, live),
        };
        assert_eq!(arrived.delivery, sent.delivery);
        assert!(arrived.symbols == received(sent, noise, &conditions), "burst {k} has other bits");
        let report = arrived.channel.expect("a report");
        assert_eq!(report.conditions, Some(wire::convert::conditions_to_wire(&conditions)));
        assert_eq!(answer(&receipts[k]).channel, Some(report));
        assert_eq!(arrived.payload, sent.payload);
    }
    assert_eq!(arrived[2].timings.unwrap().transmitter_us, 77);
}

#[tokio::test]
async fn what_people_want_to_see_passes_both_ways() {
    let receiver = TestReceiver::start(0, Manner::default());
    let emulator = Emulator::start(receiver.port).await;
    // In one message and in chunks.
    let asking = |sequence, length| {
        with_payload(burst(sequence, length), &BurstPayload { inspect: true, ..BurstPayload::default() })
    };
    let receipts = emulator.relay(vec![burst(0, 25), asking(1, 25), asking(2, 300_000)]).await.unwrap();
    let arrived = receiver.bursts.lock().unwrap();
    let inspect = |burst: &Burst| payload_from_wire(burst).unwrap().inspect;
    assert_eq!(arrived.iter().map(inspect).collect::<Vec<_>>(), [false, true, true]);
    let symbols = |k: usize| answer(&receipts[k]).symbols;
    assert_eq!(symbols(0), None);
    assert!(symbols(1) == Some(shown(&arrived[1])) && symbols(2) == Some(shown(&arrived[2])));
}

#[tokio::test]
async fn an_emulator_passes_on_what_it_does_not_know() {
    // What a later transmitter has to say to a later receiver, and what that answers: fields 1000 and 1001.
    let later = |field: u8| [&[0xc2 | (field << 3), 0x3e, 5][..], b"later"].concat();
    let mut payload = wire::payload_to_wire(&BurstPayload { inspect: true, ..BurstPayload::default() }).to_vec();
    payload.extend(later(0));
    let receiver = TestReceiver::start(0, Manner { answer: Some(later(1)), ..Manner::default() });
    let emulator = Emulator::start(receiver.port).await;
    // In one message and in chunks.
    let sent =
        [25, 300_000].map(|symbols| Burst { payload: payload.clone().into(), ..burst(symbols, symbols as usize) });
    let acknowledged = emulator.relay(sent.to_vec()).await.unwrap();
    for (arrived, acknowledgement) in receiver.bursts.lock().unwrap().iter().zip(&acknowledged) {
        assert_eq!(arrived.payload, payload);
        assert_eq!(acknowledgement.result, Some(acknowledgement::Result::Answer(later(1).into())));
    }
    assert_eq!(acknowledged.len(), 2);
}

#[tokio::test]
async fn a_bad_burst_gets_its_error_and_the_stream_goes_on() {
    let receiver = TestReceiver::start(0, Manner::default());
    let emulator = Emulator::start(receiver.port).await;
    let keyless = Burst { delivery: None, ..burst(0, 4) };
    let ragged = Burst { symbols: vec![0; 12].into(), ..burst(1, 4) };
    let begun = Burst { chunks_following: 2, ..burst(2, 4) };
    let lost_chunk = v1::Chunk { number: 2, data: vec![0; 8].into() };
    let hot = Burst { conditions: Some(v1::Conditions { kind: 2, snr_db: Some(1e9), k_factor: None }), ..burst(4, 4) };
    let item = |burst| Message::Part(Part::Item(burst));
    let messages = vec![
        Message::header(MODEL),
        item(keyless),
        item(ragged),
        item(begun),
        Message::Part(Part::Chunk(lost_chunk)),
        Message::header(MODEL),
        item(hot),
        item(burst(5, 4)),
    ];
    let receipts = emulator.relay_raw(messages).await.unwrap();

    let errors: Vec<_> = receipts
        .iter()
        .filter_map(|receipt| match &receipt.result {
            Some(acknowledgement::Result::Error(error)) => {
                let sequence = receipt.delivery.as_ref().map(|key| key.sequence);
                Some((sequence, error.code(), error.field.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        errors,
        [
            (None, ErrorCode::BadKey, "delivery"),
            (Some(1), ErrorCode::Malformed, "symbols"),
            (Some(2), ErrorCode::Malformed, "chunk"),
            (None, ErrorCode::Malformed, "header"),
            (Some(4), ErrorCode::BadConditions, "conditions.snr_db"),
        ]
    );
    assert_eq!(receipts.last().unwrap().delivery, key(5));
    assert_eq!(receiver.bursts.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_final_status_of_the_receiver_passes_unchanged() {
    let status = Status::failed_precondition("model the model, here another");
    let receiver = TestReceiver::start(0, Manner { refuse: Some(status), ..Manner::default() });
    let emulator = Emulator::start(receiver.port).await;
    let status = emulator.relay(vec![burst(0, 25)]).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "model the model, here another"));
}

#[tokio::test]
async fn a_stream_without_a_header_is_refused() {
    let emulator = Emulator::start(9).await;
    for messages in [vec![], vec![Message::Part(Part::Item(burst(0, 25)))]] {
        let status = emulator.relay_raw(messages).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("header"), "{status}");
    }
}

/// Sends 0..count through a hop while the receiver behind the emulator comes and goes.
async fn all_arrive(emulator: &Emulator, count: u64) {
    let runtime::Hop { sender, mut receiver } = emulator.hop();
    let send = async move {
        for item in 0..count {
            sender.send(item).await.unwrap();
        }
    };
    let receive = async {
        let mut items = Vec::new();
        while let Some(acknowledged) = receiver.recv().await {
            items.push(acknowledged.unwrap().item);
        }
        items
    };
    let both = async { tokio::join!(send, receive).1 };
    let mut items = tokio::time::timeout(PATIENT, both).await.expect("the hop hangs");
    items.sort_unstable();
    assert!(items.into_iter().eq(0..count), "every burst is acknowledged exactly once");
}

#[tokio::test]
async fn the_receiver_may_start_last_and_die_in_mid_stream() {
    let delay = Duration::from_millis(1);
    let first = TestReceiver::start(0, Manner { delay, ..Manner::default() });
    let port = first.port;
    let emulator = Emulator::start(port).await;
    let coming_and_going = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let before = first.bursts.clone();
        drop(first);
        tokio::time::sleep(Duration::from_millis(60)).await;
        (before, TestReceiver::start(port, Manner::default()))
    };
    let ((before, second), ()) = tokio::join!(coming_and_going, all_arrive(&emulator, 300));

    // Whatever was sent twice met the same channel.
    let (before, after) = (before.lock().unwrap(), second.bursts.lock().unwrap());
    for burst in before.iter() {
        for again in after.iter().filter(|again| again.delivery == burst.delivery) {
            assert_eq!((&again.symbols, again.channel), (&burst.symbols, burst.channel));
        }
    }
    assert!(!before.is_empty() && !after.is_empty());
}

#[tokio::test]
async fn a_receiver_that_ends_its_streams_early_costs_nothing_but_time() {
    let receiver = TestReceiver::start(0, Manner { end_after: Some(20), ..Manner::default() });
    let emulator = Emulator::start(receiver.port).await;
    all_arrive(&emulator, 90).await;
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_ends_in_order() {
    let receiver = TestReceiver::start(0, Manner { delay: Duration::from_millis(100), ..Manner::default() });
    let emulator = Emulator::start(receiver.port).await;
    let mut hop = emulator.hop();
    for item in 0..3 {
        hop.sender.send(item).await.unwrap();
    }
    assert_eq!(hop.receiver.recv().await.unwrap().unwrap().item, 0);
    emulator.drain.start();
    for item in 1..3 {
        assert_eq!(hop.receiver.recv().await.unwrap().unwrap().item, item);
    }
    drop(hop);
    let ended = tokio::time::timeout(Duration::from_secs(4), emulator.running).await;
    ended.expect("the drain hangs").unwrap().unwrap();
    assert_eq!(receiver.bursts.lock().unwrap().len(), 3, "nothing was sent twice");
}
