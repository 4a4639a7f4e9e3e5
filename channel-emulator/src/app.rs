//! The serving process: its arguments, its parts, its run.

use crate::live::Live;
use crate::record::Recorder;
use crate::service::Service;
use crate::trace::{Trace, TraceStart};
use phy::{ChannelKind, ChannelName, Conditions, SnrDb};
use proto::v1::channel_emulator_server::ChannelEmulatorServer;
use runtime::serve::{Services, Socket, serve};
use runtime::{Drain, Observer, PeerUrl};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The SNR of a channel that has one, if none is given.
const DEFAULT_SNR_DB: f64 = 12.0;

/// Arguments of `channel-emulator serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// The receiver, http://host:port.
    #[arg(long, value_name = "URL")]
    pub receiver: PeerUrl,
    /// Where to listen, host:port; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50052")]
    pub listen: String,
    /// The live channel: none, awgn, rayleigh, rician:K (linear K factor), or rician with --k-factor.
    #[arg(long, default_value = "rayleigh")]
    pub channel: ChannelName,
    /// The live SNR, Es/N0 per complex symbol in dB [default: 12].
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    pub snr: Option<SnrDb>,
    /// The live K factor, linear; rician only, and not beside rician:K.
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub k_factor: Option<f64>,
    /// Seeds the channel of bursts that carry no noise key.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Record what goes in and what comes out as SigMF, STEM-in and STEM-out; if there is such a recording, STEM-2.
    #[arg(long, value_name = "STEM")]
    pub record: Option<PathBuf>,
    /// What drives the live conditions.
    #[command(flatten)]
    pub trace: TraceArgs,
}

/// A file that drives the live conditions.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TraceArgs {
    /// Drive the live conditions by a CSV file: time_s,snr_db[,channel[,k_factor]], each row from its time on. A
    /// channel is named as in --channel.
    #[arg(long, value_name = "FILE")]
    pub snr_trace: Option<PathBuf>,
    /// Begin again at the time of the trace's last row, whose values never hold.
    #[arg(long, requires = "snr_trace")]
    pub snr_trace_loop: bool,
    /// When the trace's time 0 is.
    #[arg(long, value_name = "WHEN", requires = "snr_trace", default_value = "serve")]
    pub snr_trace_start: TraceStart,
}

impl ServeArgs {
    fn conditions(&self) -> anyhow::Result<Conditions> {
        let snr_db = match (self.channel.kind(), self.snr) {
            (ChannelKind::None, given) | (_, given @ Some(_)) => given,
            (_, None) => Some(SnrDb::try_from(DEFAULT_SNR_DB)?),
        };
        Ok(self.channel.conditions(snr_db, self.k_factor)?)
    }
}

/// A channel emulator that is ready to serve.
pub struct App {
    socket: Socket,
    live: Live,
    seed: u64,
    receiver: PeerUrl,
    recorder: Option<Recorder>,
    trace: Option<Trace>,
}

impl App {
    /// Checks the conditions and the trace, binds the port and begins the recording.
    ///
    /// # Errors
    /// If the conditions are none, the trace is none, the port cannot be bound or the recording cannot be written.
    pub async fn new(args: &ServeArgs) -> anyhow::Result<App> {
        let conditions = args.conditions()?;
        let TraceArgs { snr_trace, snr_trace_loop, snr_trace_start } = &args.trace;
        let trace = snr_trace.as_deref().map(|file| Trace::load(file, &conditions, *snr_trace_loop, *snr_trace_start));
        let trace = trace.transpose()?;
        let live = Live::new(trace.as_ref().map_or(conditions, Trace::first));
        let socket = Socket::bind(&args.listen).await?;
        let recorder = args.record.as_deref().map(Recorder::start).transpose()?;
        Ok(App { socket, live, seed: args.seed, receiver: args.receiver.clone(), recorder, trace })
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Serves until SIGTERM or SIGINT, then drains.
    ///
    /// # Errors
    /// If serving fails.
    pub async fn run(self) -> anyhow::Result<()> {
        let drain = Drain::on_signals()?;
        self.run_until(drain).await
    }

    /// Serves until `drain` starts, then drains.
    ///
    /// # Errors
    /// If serving fails.
    pub async fn run_until(self, drain: Drain) -> anyhow::Result<()> {
        let App { socket, live, seed, receiver, recorder, trace } = self;
        tracing::info!(conditions = %live.get(), seed, %receiver, "channel emulator");
        let observer = Observer::new("channel-emulator");
        let driving = trace.map(|trace| tokio::spawn(trace.drive(live.clone())));
        let service = Service::new(live, seed, receiver, drain.clone(), &observer).recording(recorder.clone());
        let server = ChannelEmulatorServer::new(service).max_decoding_message_size(wire::MAX_MESSAGE_BYTES);
        let served = serve(socket, Services::of(observer).with(server), &drain).await;
        if let Some(driving) = driving {
            driving.abort();
        }
        if let Some(recorder) = recorder {
            recorder.close().await;
        }
        Ok(served?)
    }
}
