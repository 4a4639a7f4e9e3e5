//! The receiver over real sockets, with its journal on disk.

#[allow(dead_code)]
mod common;

use common::*;
use proto::v1::{Chunk, DeliveryKey, ErrorCode, ReceiveRequest, receive_request};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tonic::Code;

fn journal() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    (folder, path)
}

#[tokio::test]
async fn bursts_are_equalised_decoded_and_answered() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    let receipt = talk.ask(burst(7, -1.5, 0.8)).await;
    assert_eq!((sequence(&receipt), receipt.channel), (7, burst(7, -1.5, 0.8).channel));
    // MMSE: x̂ = h²/(h² + N0)·x, ρ = h²/(h² + N0).
    let rho = 0.64 / 1.14;
    let p_pos = 1.0 / (1.0 + (4.0 * rho * rho * 1.5f64).exp());
    assert!((f64::from(prediction(&receipt).p_pos) - p_pos).abs() < 1e-6);
    receiver.stop().await;
}

#[tokio::test]
async fn a_key_counts_once_whichever_stream_it_comes_on() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talks = [receiver.stream().await, receiver.stream().await];
    let mut answers: BTreeMap<u64, Vec<Receipt>> = BTreeMap::new();
    // Each key is sent four times, on both streams at once, each time over another channel.
    for sequence in 0..100 {
        for (index, talk) in talks.iter().enumerate() {
            for copy in 0..2 {
                talk.send(burst(sequence, 1.0, 0.1 + (2 * index + copy) as f32 / 3.0)).await;
            }
        }
    }
    for talk in &mut talks {
        for _ in 0..200 {
            let receipt = talk.receipt().await;
            answers.entry(sequence(&receipt)).or_default().push(receipt);
        }
    }
    assert_eq!(answers.len(), 100);
    for copies in answers.values() {
        assert_eq!(copies.len(), 4);
        prediction(&copies[0]);
        assert!(copies.iter().all(|copy| *copy == copies[0]), "{copies:?}");
    }
    let snapshot = receiver.watch(0, 0).await.message().await.unwrap().unwrap();
    assert_eq!((snapshot.clips, snapshot.tallies.len(), snapshot.tallies[0].sign_correct), (100, 1, 100));
    receiver.stop().await;
}

#[tokio::test]
async fn a_restarted_receiver_answers_from_its_journal() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    let first = talk.ask(burst(1, 1.0, 0.3)).await;
    receiver.stop().await;

    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    assert_eq!(talk.ask(burst(1, -1.0, 0.9)).await, first);
    let new = talk.ask(burst(2, -1.0, 0.9)).await;
    assert!(prediction(&new).p_pos < 0.5);
    let snapshot = receiver.watch(0, 10).await.message().await.unwrap().unwrap();
    let latest: Vec<&str> = snapshot.latest.iter().map(|row| row.clip_id.as_str()).collect();
    assert_eq!((snapshot.clips, latest), (2, vec!["clip-2", "clip-1"]));
    receiver.stop().await;
}

#[tokio::test]
async fn symbols_are_shown_to_those_who_ask() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    assert_eq!(talk.ask(burst(1, 1.0, 0.5)).await.symbols, None);
    let asking = |sequence, level, h| Burst { inspect: true, ..burst(sequence, level, h) };
    let sent = asking(2, 1.0, 0.5);
    let symbols = talk.ask(sent.clone()).await.symbols.unwrap();
    assert_eq!(symbols.received, sent.symbols);
    // MMSE: h·y / (h² + N0).
    let expected = [0.25f32 / 0.75, 0.0].map(f32::to_le_bytes).concat().repeat(SYMBOLS);
    assert_eq!(symbols.equalised, expected);
    // The burst is sent again over the same channel, and then over another one, whose symbols are not those of the
    // journal's answer.
    assert_eq!(talk.ask(sent).await.symbols, Some(symbols));
    assert_eq!(talk.ask(asking(2, 1.0, 0.75)).await.symbols, None);
    receiver.stop().await;
}

#[tokio::test]
async fn streams_of_other_weights_are_refused_for_good() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let status = receiver.open("other-weights").await.err().unwrap();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("other-weights") && status.message().contains(MODEL), "{status}");
    assert!(!runtime::connect::is_transient(&status));

    let unopened = tokio_stream::iter([burst(1, 1.0, 1.0).into()]);
    let status = receiver.client().await.receive(unopened).await.err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);

    let mut talk = receiver.stream().await;
    prediction(&talk.ask(burst(1, 1.0, 1.0)).await);
    receiver.stop().await;
    // The same key under other weights gets neither their answer nor a second row.
    let receiver = Running::serving(&journal, "new-weights").await;
    let mut talk = receiver.open("new-weights").await.unwrap();
    let receipt = talk.ask(burst(1, 1.0, 1.0)).await;
    let refused = error(&receipt);
    assert_eq!(refused.code(), ErrorCode::BadKey);
    assert!(refused.message.contains(MODEL) && refused.message.contains("new-weights"), "{}", refused.message);
    prediction(&talk.ask(burst(2, 1.0, 1.0)).await);
    receiver.stop().await;
}

#[tokio::test]
async fn a_bad_burst_gets_its_error_and_the_stream_goes_on() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    let spoil = |spoil: fn(&mut Burst)| {
        let mut burst = burst(5, 1.0, 1.0);
        spoil(&mut burst);
        burst
    };
    let bad = [
        (spoil(|burst| burst.symbols.truncate(28)), ErrorCode::Malformed, "symbols"),
        (spoil(|burst| burst.symbols.clear()), ErrorCode::Empty, "symbols"),
        (spoil(|burst| burst.symbols.truncate(24)), ErrorCode::WrongLength, "symbols"),
        (spoil(|burst| burst.symbols = vec![0; 8 * 100_000]), ErrorCode::WrongLength, "symbols"),
        (spoil(|burst| burst.symbols[..4].copy_from_slice(&f32::NAN.to_le_bytes())), ErrorCode::NotFinite, "symbols"),
        (spoil(|burst| burst.channel = None), ErrorCode::BadConditions, "channel"),
        (
            spoil(|burst| burst.channel.as_mut().unwrap().conditions = None),
            ErrorCode::BadConditions,
            "channel.conditions",
        ),
        (spoil(|burst| burst.channel.as_mut().unwrap().h_im = f32::INFINITY), ErrorCode::NotFinite, "channel.h"),
        (spoil(|burst| burst.channel.as_mut().unwrap().n0 = -1.0), ErrorCode::BadConditions, "channel.n0"),
        (
            spoil(|burst| burst.channel.as_mut().unwrap().realised_snr_db = Some(f64::NAN)),
            ErrorCode::NotFinite,
            "channel.realised_snr_db",
        ),
        (spoil(|burst| burst.delivery = None), ErrorCode::BadKey, "delivery"),
        (spoil(|burst| burst.delivery.as_mut().unwrap().run_id = "run".into()), ErrorCode::BadKey, "delivery.run_id"),
        (spoil(|burst| burst.reference.as_mut().unwrap().label = Some(3.5)), ErrorCode::Malformed, "reference.label"),
        (
            spoil(|burst| burst.reference.as_mut().unwrap().label = Some(f32::NAN)),
            ErrorCode::NotFinite,
            "reference.label",
        ),
        (
            spoil(|burst| burst.reference.as_mut().unwrap().clip_id = "x".repeat(2000)),
            ErrorCode::TooLong,
            "reference.clip_id",
        ),
        (burst(5, 200.0, 1.0), ErrorCode::Internal, "prediction.score.p_neg"),
        (burst(5, 2000.0, 1.0), ErrorCode::Internal, "symbols"),
    ];
    for (burst, code, field) in bad {
        let delivery = burst.delivery.clone();
        let receipt = talk.ask(burst).await;
        let error = error(&receipt);
        assert_eq!((error.code(), error.field.as_str()), (code, field), "{}", error.message);
        assert_eq!(receipt.delivery, delivery);
    }
    // The key was never counted, so it can still be used, in upper or lower case.
    let mut good = burst(5, 1.0, 1.0);
    good.delivery.as_mut().unwrap().run_id.make_ascii_uppercase();
    let receipt = talk.ask(good.clone()).await;
    assert_eq!(receipt.delivery, good.delivery);
    prediction(&receipt);
    let snapshot = receiver.watch(0, 0).await.message().await.unwrap().unwrap();
    assert_eq!(snapshot.clips, 1);
    receiver.stop().await;
}

#[tokio::test]
async fn one_bad_burst_spoils_no_other_of_its_batch() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    let level = |sequence: u64| [1.0, 200.0, -1.0, 2000.0][sequence as usize % 4];
    for sequence in 0..200 {
        talk.send(burst(sequence, level(sequence), 1.0)).await;
    }
    for _ in 0..200 {
        let receipt = talk.receipt().await;
        match level(sequence(&receipt)) {
            good if good.abs() == 1.0 => assert_eq!(prediction(&receipt).p_pos > 0.5, good > 0.0),
            _ => assert_eq!(error(&receipt).code(), ErrorCode::Internal),
        }
    }
    receiver.stop().await;
}

#[tokio::test]
async fn chunks_are_put_together() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    let whole = talk.ask(burst(1, 0.7, 0.9)).await;
    let mut first = burst(2, 0.7, 0.9);
    let rest = first.symbols.split_off(12);
    first.chunks_following = 2;
    let more = |number: u32, symbols: &[u8]| {
        let data = symbols.to_vec().into();
        ReceiveRequest { message: Some(receive_request::Message::Chunk(Chunk { number, data })) }
    };
    talk.send(first).await;
    talk.send(more(1, &rest[..15])).await;
    let receipt = talk.ask(more(2, &rest[15..])).await;
    assert_eq!((sequence(&receipt), prediction(&receipt)), (2, prediction(&whole)));
    // An empty chunk, a message of a later version, and a second header.
    for (message, field) in [
        (more(3, &rest), "chunk"),
        (ReceiveRequest { message: None }, "message"),
        (wire::Message::header(MODEL).into(), "header"),
    ] {
        let receipt = talk.ask(message).await;
        assert_eq!((error(&receipt).code(), error(&receipt).field.as_str()), (ErrorCode::Malformed, field));
    }
    receiver.stop().await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_stalls_alone_and_loses_nothing() {
    const MANY: u64 = 30_000;
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let Talk { bursts, mut receipts, _client } = receiver.stream().await;
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let sender = tokio::spawn({
        let sent = sent.clone();
        async move {
            for sequence in 0..MANY {
                let mut burst = burst(sequence, 1.0, 1.0);
                // As long as real bursts: a connection that is flooded with very small frames is closed.
                burst.reference.as_mut().unwrap().clip_id = "clip ".repeat(60);
                bursts.send(burst.into()).await.unwrap();
                sent.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
    });
    // Waits until no more bursts are sent.
    let sent = || sent.load(std::sync::atomic::Ordering::SeqCst);
    let mut before = u64::MAX;
    while before != sent() {
        before = sent();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(sent() < MANY / 2, "{} bursts were taken from a client that reads nothing", sent());

    let mut other = receiver.stream().await;
    let mut key = burst(0, -1.0, 1.0);
    key.delivery = Some(DeliveryKey { run_id: uuid::Uuid::new_v4().to_string(), sequence: 0 });
    prediction(&other.ask(key).await);

    for _ in 0..MANY {
        prediction(&receipts.message().await.unwrap().expect("a receipt").into());
    }
    sender.await.unwrap();
    assert!(receipts.message().await.unwrap().is_none());
    receiver.stop().await;
}

#[tokio::test]
async fn there_is_no_receipt_without_a_row() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    prediction(&talk.ask(burst(0, 1.0, 1.0)).await);
    let outside = Connection::open(&journal).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON clips BEGIN SELECT raise(ABORT, 'no room'); END";
    outside.execute_batch(full).unwrap();
    talk.send(burst(1, 1.0, 1.0)).await;
    let status = talk.receipts.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("journal.sqlite") && status.message().contains("no room"), "{status}");
    // Rows can be written again.
    outside.execute_batch("DROP TRIGGER full").unwrap();
    let mut talk = receiver.stream().await;
    prediction(&talk.ask(burst(1, 1.0, 1.0)).await);
    let rows: i64 = outside.query_row("SELECT count(*) FROM clips", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 2);
    receiver.stop().await;
}

#[tokio::test]
async fn watchers_see_what_is_new_and_only_that() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut talk = receiver.stream().await;
    let mut watch = receiver.watch(1, 3).await;
    // A watcher that never reads, which must not matter.
    let _idle = receiver.watch(1, 100).await;
    assert_eq!(watch.message().await.unwrap().unwrap().clips, 0);
    let silent = tokio::time::timeout(Duration::from_millis(100), watch.message()).await;
    assert!(silent.is_err(), "a snapshot without news");

    for sequence in 0..500 {
        let mut burst = burst(sequence, if sequence % 2 == 0 { 1.0 } else { -1.0 }, 1.0);
        if sequence % 5 == 0 {
            // The label differs from the prediction.
            burst.reference.as_mut().unwrap().label = Some(if sequence % 2 == 0 { -2.0 } else { 2.0 });
        }
        talk.ask(burst).await;
    }
    let mut snapshots = 0;
    let last = loop {
        let snapshot = watch.message().await.unwrap().unwrap();
        snapshots += 1;
        if snapshot.clips == 500 {
            break snapshot;
        }
    };
    assert!(snapshots > 1);
    let [tally] = last.tallies[..] else { panic!("{:?}", last.tallies) };
    assert_eq!(tally.conditions, burst(0, 1.0, 1.0).channel.unwrap().conditions);
    assert_eq!((tally.clips, tally.labelled, tally.signed, tally.sign_correct), (500, 500, 500, 400));
    assert_eq!(last.latest.len(), 3);
    assert_eq!(last.latest[0].clip_id, "clip-499");
    // A repeated key makes no new snapshot.
    talk.ask(burst(3, 1.0, 1.0)).await;
    let silent = tokio::time::timeout(Duration::from_millis(100), watch.message()).await;
    assert!(silent.is_err(), "a repeated key counted");
    receiver.stop().await;
}

#[tokio::test]
async fn watchers_are_limited_and_one_that_leaves_makes_room() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let mut watching = Vec::new();
    for _ in 0..64 {
        watching.push(receiver.watch(1, 0).await);
    }
    let request = proto::v1::WatchRequest::default();
    let status = receiver.client().await.watch(request).await.expect_err("one too many");
    assert_eq!(status.code(), Code::ResourceExhausted);
    // The limit of bursts is separate from that of watchers.
    prediction(&receiver.stream().await.ask(burst(1, 1.0, 1.0)).await);
    watching.pop();
    let again = async {
        while receiver.client().await.watch(request).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), again).await.expect("no place became free");
    drop(watching);
    receiver.stop().await;
}

#[tokio::test]
async fn a_drain_answers_what_was_read_and_asks_for_the_rest_again() {
    let (_folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let Talk { bursts, mut receipts, _client } = receiver.stream().await;
    for sequence in 0..200 {
        bursts.send(burst(sequence, 1.0, 1.0).into()).await.unwrap();
    }
    let mut answered = 0u64;
    let status = loop {
        match receipts.message().await {
            Ok(Some(receipt)) => {
                prediction(&receipt.into());
                answered += 1;
                receiver.drain.start();
            }
            Ok(None) => panic!("a drained stream ends with a status"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::Unavailable);
    assert!(runtime::connect::is_transient(&status));
    receiver.stop().await;
    let rows: u64 = Connection::open(&journal)
        .unwrap()
        .query_row("SELECT count(*) FROM clips", [], |row| row.get::<_, i64>(0).map(|rows| rows as u64))
        .unwrap();
    assert_eq!(rows, answered);
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_named() {
    let (folder, journal) = journal();
    let receiver = Running::start(&journal).await;
    let taken = receiver.url.trim_start_matches("http://").to_owned();
    let start = |journal: PathBuf, listen: String| async move {
        let half = std::sync::Arc::new(Repetition::new(MODEL));
        let app = receiver::App::with(half, &journal, &listen, runtime::Drain::default()).await;
        format!("{:#}", app.err().expect("must not start"))
    };
    let message = start(folder.path().join("second.sqlite"), taken.clone()).await;
    assert!(message.contains(&taken), "{message}");
    let message = start(folder.path().join("absent/journal.sqlite"), "127.0.0.1:0".into()).await;
    assert!(message.contains("absent/journal.sqlite"), "{message}");
    receiver.stop().await;
}
