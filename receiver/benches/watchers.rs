//! Measures the clips per second of a receiver, alternately without watchers of the dashboard and with readers of its
//! event stream. Prints one JSON object. The machine should otherwise be idle.
//!
//! `cargo bench -p receiver --bench watchers -- --readers 1`
//!
//! Client and readers run in the same process, so the time they take counts against the receiver. Without `--weights`
//! the receiver half costs almost nothing, so that only journal and dashboard are measured.

#[allow(dead_code)]
#[path = "../tests/common/mod.rs"]
mod common;

use clap::Parser;
use common::{Burst, MODEL, Repetition, Talk, burst};
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::{ChannelKind, Conditions, DeliveryKey};
use receiver::http::Args as Dashboard;
use runtime::Drain;
use schemes::scheme::Receive;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use wire::Message;

/// Measures clips per second with and without watchers.
#[derive(Parser)]
struct Args {
    /// Number of readers of the event stream
    #[arg(long, default_value_t = 1)]
    readers: usize,
    /// Number of rounds, each once without and once with readers
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Seconds of one measurement
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Folder of the weights to decode with
    #[arg(long)]
    weights: Option<PathBuf>,
    /// The flag that `cargo bench` passes; ignored
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let folder = tempfile::tempdir()?;
    let half: Arc<dyn Receive> = match &args.weights {
        Some(weights) => Arc::from(schemes::weights::load_receiver(weights)?),
        None => Arc::new(Repetition::new(MODEL)),
    };
    let symbols = half.card().channel_uses.fixed().expect("of one length");
    let (model_id, drain) = (half.card().model_id.clone(), Drain::default());
    let app = receiver::App::with(half, &folder.path().join("journal.sqlite"), "127.0.0.1:0", drain.clone()).await?;
    let dashboard = Dashboard { http: Some("127.0.0.1:0".into()), ..Dashboard::default() };
    let app = app.with_dashboard(&dashboard).await?;
    let (address, dashboard) = (app.address(), app.dashboard().expect("asked for"));
    let running = tokio::spawn(app.run());

    let done = Arc::new(AtomicU64::new(0));
    let streaming = stream(address, model_id, symbols, done.clone());
    let bytes = Arc::new(AtomicU64::new(0));
    // Warm-up.
    measure(&done, args.seconds).await;
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        // Both orders alternate.
        let turns = if round % 2 == 0 { [0, args.readers] } else { [args.readers, 0] };
        for readers in turns {
            let reading: Vec<JoinHandle<()>> = (0..readers).map(|_| read(dashboard, bytes.clone())).collect();
            let rate = measure(&done, args.seconds).await;
            reading.iter().for_each(JoinHandle::abort);
            if readers == 0 { &mut alone } else { &mut watched }.push(rate);
        }
    }
    streaming.abort();
    drain.start();
    running.await??;
    let reader_seconds = args.rounds as f64 * args.seconds * args.readers as f64;
    let (alone, watched) = (median(alone), median(watched));
    let result = serde_json::json!({
        "clips_per_s": alone,
        "clips_per_s_watched": watched,
        "ratio": watched / alone,
        "readers": args.readers,
        "bytes_per_s_and_reader": bytes.load(Ordering::Relaxed) as f64 / reader_seconds,
        "rounds": args.rounds,
        "seconds": args.seconds,
    });
    println!("{result:#}");
    Ok(())
}

/// Clips per second over the next `seconds` seconds.
async fn measure(done: &AtomicU64, seconds: f64) -> f64 {
    let (began, before) = (Instant::now(), done.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    (done.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Sends bursts as fast as they are answered, over a sweep of conditions, until the task is aborted.
fn stream(address: SocketAddr, model_id: String, symbols: usize, done: Arc<AtomicU64>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (bursts, outbound) = mpsc::channel(64);
        bursts.send(Message::header(&model_id).into()).await.expect("room");
        let mut client = ReceiverClient::connect(format!("http://{address}")).await.expect("the receiver listens");
        let receipts = client.receive(ReceiverStream::new(outbound)).await.expect("the header is right").into_inner();
        let mut talk = Talk { bursts: bursts.clone(), receipts, _client: client };
        let run_id = uuid::Uuid::new_v4().to_string();
        tokio::spawn(async move {
            for sequence in 0.. {
                if bursts.send(on_its_way(&run_id, sequence, symbols).into()).await.is_err() {
                    return;
                }
            }
        });
        loop {
            talk.receipt().await;
            done.fetch_add(1, Ordering::Relaxed);
        }
    })
}

fn on_its_way(run_id: &str, sequence: u64, symbols: usize) -> Burst {
    let level = if sequence.is_multiple_of(3) { -1.0 } else { 1.0 };
    let mut burst = burst(sequence, level, 0.8);
    burst.delivery = Some(DeliveryKey { run_id: run_id.into(), sequence });
    burst.symbols = [0.8 * level, 0.0].map(f32::to_le_bytes).concat().repeat(symbols);
    let snr_db = Some(-12.0 + 3.0 * (sequence / 50 % 12) as f64);
    let conditions = Conditions { kind: ChannelKind::Rayleigh.into(), snr_db, k_factor: None };
    burst.channel.as_mut().expect("it has one").conditions = Some(conditions);
    burst.reference.as_mut().expect("it has one").caption = "what was said, in a dozen words or so".into();
    burst
}

/// Reads the event stream, and counts its bytes, until the task is aborted.
fn read(dashboard: SocketAddr, bytes: Arc<AtomicU64>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut stream = TcpStream::connect(dashboard).await.expect("the dashboard listens");
        let request = format!("GET /api/events HTTP/1.1\r\nHost: {dashboard}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read) = stream.read(&mut buffer).await
            && read > 0
        {
            bytes.fetch_add(read as u64, Ordering::Relaxed);
        }
    })
}
