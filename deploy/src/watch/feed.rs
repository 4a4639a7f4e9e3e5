//! What receiver and emulator report, as one queue of updates, through all their restarts.

use std::time::Duration;

use phy::Conditions;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::{
    GetConditionsRequest, Snapshot, WatchConditionsRequest, WatchConditionsResponse, WatchRequest, WatchResponse,
};
use runtime::PeerUrl;
use runtime::backoff::Backoff;
use runtime::connect::{UNARY_DEADLINE, reason};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};
use wire::convert;

use super::args::Args;
use super::text::clean;

/// Rows that each snapshot carries: what the latencies are of.
const LATEST: u32 = 100;
/// Updates that wait for the screen; then the streams wait, and the services skip states.
const QUEUE: usize = 8;

/// Something new.
#[derive(Debug)]
pub enum Update {
    /// The state of the receiver's journal.
    Snapshot(Box<Snapshot>),
    /// The receiver is disconnected, and why; it is tried again.
    ReceiverAway(String),
    /// The current conditions.
    Conditions(Conditions),
    /// The emulator is disconnected, and why; it is tried again.
    EmulatorAway(String),
    /// A wish was met, or why not.
    Answered(Result<Conditions, String>),
}

/// The updates and the tasks that bring them. Dropping it ends the tasks.
pub struct Feed {
    updates: mpsc::Receiver<Update>,
    wishes: watch::Sender<Option<Conditions>>,
    tasks: JoinSet<()>,
}

impl Feed {
    /// Starts to follow the services that `args` name.
    pub fn start(args: &Args) -> Feed {
        let (sender, updates) = mpsc::channel(QUEUE);
        let (wishes, wished) = watch::channel(None);
        let mut tasks = JoinSet::new();
        tasks.spawn(follow_receiver(args.receiver.clone(), args.interval, sender.clone()));
        if let Some(emulator) = &args.emulator {
            tasks.spawn(follow_emulator(emulator.clone(), args.interval, sender.clone()));
            tasks.spawn(grant(emulator.clone(), wished, sender));
        }
        Feed { updates, wishes, tasks }
    }

    /// The next update. Safe to cancel.
    ///
    /// # Panics
    /// With the panic of the task, if one of them panicked; they end in no other way.
    pub async fn next(&mut self) -> Update {
        tokio::select! {
            Some(update) = self.updates.recv() => update,
            Some(Err(error)) = self.tasks.join_next() => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => panic!("a task of the feed ended: {error}"),
            },
            else => std::future::pending().await,
        }
    }

    /// Asks the emulator for other conditions. Of several wishes that it has no time for, the newest counts.
    pub fn wish(&self, conditions: Conditions) {
        self.wishes.send_replace(Some(conditions));
    }
}

async fn follow_receiver(url: PeerUrl, interval_ms: u32, updates: mpsc::Sender<Update>) {
    let client = receiver(&url);
    let open = || {
        let mut client = client.clone();
        async move { client.watch(WatchRequest { interval_ms: Some(interval_ms), latest: LATEST }).await }
    };
    let update = |watched: WatchResponse| Ok(Update::Snapshot(Box::new(watched.snapshot.unwrap_or_default())));
    follow(open, update, Update::ReceiverAway, &updates).await;
}

async fn follow_emulator(url: PeerUrl, interval_ms: u32, updates: mpsc::Sender<Update>) {
    let client = ChannelEmulatorClient::new(url.channel());
    let open = || {
        let mut client = client.clone();
        async move { client.watch_conditions(WatchConditionsRequest { interval_ms: Some(interval_ms) }).await }
    };
    let update =
        |wire: WatchConditionsResponse| convert::required_conditions(wire.conditions.as_ref()).map(Update::Conditions);
    follow(open, |wire| update(wire).map_err(|fault| fault.to_string()), Update::EmulatorAway, &updates).await;
}

/// Opens a stream and hands on what comes, again and again, until nobody takes the updates.
async fn follow<T, Opening: Future<Output = Result<Response<Streaming<T>>, Status>>>(
    open: impl Fn() -> Opening,
    update: impl Fn(T) -> Result<Update, String>,
    away: fn(String) -> Update,
    updates: &mpsc::Sender<Update>,
) {
    let mut backoff = Backoff::default();
    loop {
        let problem = match limited(open()).await {
            Ok(mut stream) => loop {
                match stream.message().await {
                    Ok(Some(message)) => match update(message) {
                        Ok(update) => {
                            backoff.reset();
                            if updates.send(update).await.is_err() {
                                return;
                            }
                        }
                        Err(problem) => break problem,
                    },
                    Ok(None) => break "it ended the stream".to_owned(),
                    Err(status) => break reason(&status),
                }
            },
            Err(problem) => problem,
        };
        if updates.send(away(clean(&problem))).await.is_err() {
            return;
        }
        tokio::time::sleep(backoff.next_delay()).await;
    }
}

/// Sends each wish to the emulator, one at a time.
async fn grant(url: PeerUrl, mut wished: watch::Receiver<Option<Conditions>>, updates: mpsc::Sender<Update>) {
    let mut client = ChannelEmulatorClient::new(url.channel());
    while wished.changed().await.is_ok() {
        let Some(wish) = *wished.borrow_and_update() else { continue };
        // The whole of what the keys ask for: whatever was current before, nothing of it is kept.
        let answer = limited(client.set_conditions(convert::change_to(&wish, None))).await;
        let answer = answer
            .and_then(|wire| convert::required_conditions(wire.conditions.as_ref()).map_err(|fault| fault.to_string()));
        if updates.send(Update::Answered(answer.map_err(|problem| clean(&problem)))).await.is_err() {
            return;
        }
    }
}

/// One snapshot of the receiver's journal.
///
/// # Errors
/// If the receiver does not answer.
pub async fn snapshot(url: &PeerUrl) -> anyhow::Result<Snapshot> {
    let failed = |problem: String| anyhow::anyhow!("the receiver at {url} did not answer: {}", clean(&problem));
    let mut client = receiver(url);
    let mut stream = limited(client.watch(WatchRequest { interval_ms: None, latest: LATEST })).await.map_err(failed)?;
    let first = timeout(UNARY_DEADLINE, stream.message()).await.map_err(|_| failed(too_late()))?;
    let first = first.map_err(|status| failed(reason(&status)))?;
    first.and_then(|first| first.snapshot).ok_or_else(|| failed("it ended the stream".into()))
}

/// The current conditions of the emulator at `url`.
///
/// # Errors
/// If the emulator does not answer.
pub async fn conditions(url: &PeerUrl) -> anyhow::Result<Conditions> {
    let failed = |problem: String| anyhow::anyhow!("the channel emulator at {url} did not answer: {}", clean(&problem));
    let mut client = ChannelEmulatorClient::new(url.channel());
    let wire = limited(client.get_conditions(GetConditionsRequest {})).await.map_err(failed)?;
    convert::required_conditions(wire.conditions.as_ref()).map_err(|fault| failed(fault.to_string()))
}

fn receiver(url: &PeerUrl) -> ReceiverClient<Channel> {
    ReceiverClient::new(url.channel()).max_decoding_message_size(wire::MAX_MESSAGE_BYTES)
}

/// A call's answer, or why there is none.
async fn limited<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, String> {
    match timeout(UNARY_DEADLINE, call).await {
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        Ok(Err(status)) => Err(reason(&status)),
        Err(_) => Err(too_late()),
    }
}

fn too_late() -> String {
    format!("{} s have passed", Duration::as_secs(&UNARY_DEADLINE))
}
