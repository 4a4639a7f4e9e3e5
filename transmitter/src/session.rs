//! The session of one client's stream, from its clips to its outcomes.
//!
//! A clip takes a slot of the hop's window before it is encoded, and keeps it until its outcome. So one window bounds
//! the clips in the encoder's queue, the bursts that wait to be sent, and those that are sent and not acknowledged.

use crate::clip::{self, CheckedClip};
use crate::encoder::{Encoded, Encoder, Job};
use crate::extraction::{Extraction, Reservation};
use crate::feedback::Feedback;
use crate::inspection::inspection;
use crate::meter::Meter;
use crate::reader::Read;
use crate::relay::{Sent, ToEmulator};
use bytes::Bytes;
use corpus::Origins;
use futures::{StreamExt, TryStreamExt};
use proto::v1::{
    Acknowledgement, Answer, Burst, BurstPayload, Clip, DeliveryKey, Outcome, SendRequest, SendResponse, Timings,
    outcome,
};
use runtime::Hop;
use runtime::hop::{Acknowledged, HopReceiver, HopSender, Slot};
use runtime::serve::{Incoming, Outgoing};
use runtime::trace::{Span, Tracer};
use schemes::scheme::{ClipInput, Transmission, Transmit, TransportFormat};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use wire::chunks::Part;
use wire::chunks::{Assembler, MAX_MEDIA_BYTES, MAX_SYMBOLS, Rejected, SYMBOL_BYTES};
use wire::fault::ErrorCode;
use wire::{Delivery, Fault};
use wire::{answer_from_wire, clip_part, payload_to_wire};

/// The state of a clip while it is encoded.
pub struct Ticket {
    span: Span,
    delivery: Delivery,
    clip_id: String,
    /// The result of reading the clip's media file, kept if the client requests an inspection.
    read: Option<Arc<Read>>,
    /// The memory reservation for the burst of a video, held until the burst is answered.
    reservation: Option<Reservation>,
    /// The burst, still without symbols, payload and timings.
    burst: Burst,
    /// The payload of the burst, still without its transport format.
    payload: BurstPayload,
    slot: Slot<ToEmulator>,
}

/// A clip whose media file has not been read yet.
struct Video {
    file: Bytes,
    /// The content that the clip has beside the file.
    input: ClipInput,
    ticket: Ticket,
    /// The memory reservation for the file, held until it has been read.
    reservation: Option<Reservation>,
}

/// Maximum number of a client's files that are read concurrently; [`Extraction`] limits the work further.
const READERS: usize = 16;

/// The session of one client's stream.
pub struct Session {
    pub half: Arc<dyn Transmit>,
    /// The provenance of the features that the weights were trained on.
    pub provenance: Arc<Origins>,
    pub encoder: Encoder<Ticket>,
    pub extraction: Extraction,
    /// The source of CSIT; `None` for weights that do not need it.
    pub feedback: Option<Arc<Feedback>>,
    /// Number of slots in the hop's window.
    pub window: usize,
    pub outcomes: Outgoing<SendResponse>,
    /// Delivery keys of the clips between their arrival and their outcome.
    pub in_flight: Mutex<HashSet<Delivery>>,
    pub meter: Meter,
    pub tracer: Tracer,
}

impl Session {
    /// Runs until the stream ends: when the client has sent its last clip and all are answered, when the process drains
    /// and all accepted clips are answered, when the hop has a final status, or when the client is gone.
    pub async fn run(self, mut clips: Incoming<SendRequest>, hop: Hop<ToEmulator>) {
        let (reply, encoded) = mpsc::channel(self.window);
        let (videos, unread) = mpsc::channel(self.window);
        // The ends of the four parts follow each other: the last clip drops `hop.sender`, `videos` and `reply`; the
        // last file read drops the other `reply`; the last encoded clip drops its slot; and the last acknowledgement
        // ends the hop. An error in one part ends all.
        let parts = async {
            tokio::try_join!(
                self.take(&mut clips, hop.sender, videos, reply.clone()),
                self.read(unread, reply),
                self.forward(encoded),
                self.answer(hop.receiver),
            )
        };
        let done = tokio::select! {
            biased;
            () = self.outcomes.closed() => return,
            done = parts => done,
        };
        if let Some(status) = done.err().or_else(|| clips.ending()) {
            tracing::debug!(%status, "ended a client's stream");
            self.outcomes.end(status).await;
        }
    }

    /// Moves clips from the client to the encoder; those with a media file go to [`Session::read`].
    async fn take(
        &self,
        clips: &mut Incoming<SendRequest>,
        hop: HopSender<ToEmulator>,
        videos: mpsc::Sender<Video>,
        reply: mpsc::Sender<Encoded<Ticket>>,
    ) -> Result<(), Status> {
        let mut assembler = Assembler::default();
        // The reservation for the file that is being assembled.
        let mut reserved = None;
        while let Some(message) = clips.next_of(assembler.is_partial()).await? {
            let Some(part) = clip_part(message) else {
                let span = self.tracer.begin("", None, Instant::now());
                let fault = Fault::new(ErrorCode::Malformed, "message", "expected a clip or a chunk");
                self.refuse(None, String::new(), fault, &span).await?;
                continue;
            };
            if let Part::Item(clip) = &part {
                drop(reserved.take());
                reserved = self.reserve(clip).await;
            }
            let mut results = assembler.push(part).collect::<Vec<_>>().into_iter();
            // The reservation belongs to the last result, unless its file is still being assembled. A refused clip
            // releases it first.
            let mut reservation = if assembler.is_partial() { None } else { reserved.take() };
            while let Some(assembled) = results.next() {
                let arrived = Instant::now();
                self.meter.clips.inc();
                let clip = match assembled {
                    Ok(clip) => clip,
                    Err(rejected) => {
                        if results.len() == 0 {
                            drop(reservation.take());
                        }
                        let Rejected { delivery, fault } = *rejected;
                        let key = Delivery::from_wire(delivery.as_ref()).ok();
                        let span = self.tracer.begin("", key, arrived);
                        self.refuse(delivery, String::new(), fault, &span).await?;
                        continue;
                    }
                };
                let (delivery, clip_id) = (clip.delivery.clone(), clip.id.clone());
                let key = Delivery::from_wire(delivery.as_ref()).ok();
                let span = self.tracer.begin(clip.traceparent.as_deref().unwrap_or_default(), key, arrived);
                let CheckedClip { delivery, input, media, burst, payload } = match self.admit(clip) {
                    Ok(checked) => checked,
                    Err(fault) => {
                        drop(reservation.take());
                        self.refuse(delivery, clip_id, fault, &span).await?;
                        continue;
                    }
                };
                let Ok(slot) = hop.reserve().await else {
                    // The status that ended the hop is returned by `answer`.
                    return Ok(());
                };
                let ticket = Ticket { span, delivery, clip_id, read: None, reservation: None, burst, payload, slot };
                match media {
                    None => self.encode(input, ticket, reply.clone()).await?,
                    Some(file) => {
                        // The channel is as long as the window, which bounds the clips in it; it closes only with the
                        // whole session.
                        let _ = videos.send(Video { file, input, ticket, reservation: reservation.take() }).await;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reserves memory for the media file that begins with this message, or for the burst that it may become; `None`
    /// for a clip without a file. Waits while the budget is spent.
    async fn reserve(&self, message: &Clip) -> Option<Reservation> {
        let media = message.media.as_ref()?;
        let announced =
            usize::try_from(media.size.unwrap_or(0)).map_or(MAX_MEDIA_BYTES, |size| size.min(MAX_MEDIA_BYTES));
        let file = announced.max(media.data.len());
        // A video sent whole may become the longest burst, which is kept until it is answered.
        let whole = self.half.card().takes_media;
        let bytes = if whole { file.max(MAX_SYMBOLS * SYMBOL_BYTES) } else { file };
        Some(self.extraction.reserve(bytes).await)
    }

    async fn encode(
        &self,
        input: ClipInput,
        mut ticket: Ticket,
        reply: mpsc::Sender<Encoded<Ticket>>,
    ) -> Result<(), Status> {
        let csit = match &self.feedback {
            Some(feedback) => Some(feedback.settle(&mut ticket.burst).await?),
            None => None,
        };
        match self.encoder.submit(Job { input, csit, ticket, reply }).await {
            true => Ok(()),
            false => Err(Status::internal("the encoder has stopped")),
        }
    }

    /// Reads the media files of clips and passes the clips to the encoder with the content of their files.
    async fn read(&self, videos: mpsc::Receiver<Video>, reply: mpsc::Sender<Encoded<Ticket>>) -> Result<(), Status> {
        let videos = ReceiverStream::new(videos).map(Ok);
        videos.try_for_each_concurrent(READERS, |video| self.read_one(video, reply.clone())).await
    }

    async fn read_one(&self, video: Video, reply: mpsc::Sender<Encoded<Ticket>>) -> Result<(), Status> {
        let Video { file, mut input, mut ticket, reservation } = video;
        if self.half.card().takes_media {
            ticket.reservation.clone_from(&reservation);
        }
        match self.extraction.extract(file.into(), reservation).await {
            Ok(read) => {
                input.video.clone_from(&read.video);
                for (own, from_file) in input.features.iter_mut().zip(&read.findings.features) {
                    if own.is_none() {
                        own.clone_from(from_file);
                    }
                }
                ticket.read = ticket.payload.inspect.then_some(read);
                self.encode(input, ticket, reply).await
            }
            Err(fault) => self.give_up(ticket, fault).await,
        }
    }

    /// Refuses a clip that was in flight. Its memory and its slot are released before the outcome is sent, because the
    /// client may take any time to accept it.
    async fn give_up(&self, ticket: Ticket, fault: Fault) -> Result<(), Status> {
        let Ticket { span, delivery, clip_id, read, reservation, burst, payload, slot } = ticket;
        drop((read, reservation, burst, payload, slot));
        self.in_flight().remove(&delivery);
        self.refuse(Some(delivery.to_wire()), clip_id, fault, &span).await
    }

    /// Checks a clip by the rules of the wire and notes that it is in flight. The encoder checks later whether the
    /// weights accept it.
    fn admit(&self, clip: Clip) -> Result<CheckedClip, Fault> {
        let checked = clip::check(clip, &self.provenance)?;
        if !self.in_flight().insert(checked.delivery) {
            let problem = format!("{} is in flight on this stream already", checked.delivery);
            return Err(Fault::new(ErrorCode::BadKey, "delivery", problem));
        }
        Ok(checked)
    }

    /// Moves encoded clips to the hop as bursts.
    async fn forward(&self, mut encoded: mpsc::Receiver<Encoded<Ticket>>) -> Result<(), Status> {
        while let Some(Encoded { ticket, transmission }) = encoded.recv().await {
            match transmission {
                Ok(Transmission { symbols, format }) => {
                    let Ticket { span, delivery, clip_id, read, reservation, mut burst, mut payload, slot } = ticket;
                    burst.symbols = symbols.to_le_bytes().into();
                    payload.transport = format.map(format_to_wire);
                    burst.payload = payload_to_wire(&payload);
                    burst.timings = Some(Timings { transmitter_us: micros(span.began()), ..Timings::default() });
                    burst.traceparent = Some(span.traceparent());
                    self.meter.symbols.inc_by(symbols.len() as u64);
                    self.meter.encoding.observe_since(span.began());
                    // An error means that the hop has ended; `answer` returns its status.
                    let inspect = payload.inspect;
                    let _ =
                        slot.send(Sent { delivery, clip_id, span, read, _reservation: reservation, inspect, burst });
                }
                Err(fault) => self.give_up(ticket, fault).await?,
            }
        }
        Ok(())
    }

    /// Turns acknowledgements into outcomes and sends them to the client.
    async fn answer(&self, mut receipts: HopReceiver<ToEmulator>) -> Result<(), Status> {
        while let Some(acknowledged) = receipts.recv().await {
            let Acknowledged { item, response } = acknowledged?;
            // Before the outcome is sent: the client may then send the same key again.
            self.in_flight().remove(&item.delivery);
            let span = item.span;
            let outcome = self.outcome(item, response);
            self.account(&outcome, &span);
            self.outcomes.send(SendResponse { outcome: Some(outcome) }).await?;
        }
        Ok(())
    }

    fn outcome(&self, sent: Sent, acknowledgement: Acknowledgement) -> Outcome {
        let own = sent.burst.timings.unwrap_or_default();
        let (answer, fault) = match answer_from_wire(acknowledgement) {
            Ok(answer) => (answer, None),
            Err(fault) => (Answer::default(), Some(fault)),
        };
        let timings = Timings { transmitter_us: own.transmitter_us, ..answer.timings.unwrap_or_default() };
        let result = match (fault, answer.prediction) {
            (Some(fault), _) => outcome::Result::Error(fault.into()),
            (None, Some(prediction)) => outcome::Result::Prediction(prediction),
            (None, None) => {
                let fault = Fault::new(ErrorCode::Internal, "result", "the receiver answered with nothing");
                outcome::Result::Error(fault.into())
            }
        };
        let burst = &sent.burst;
        let inspect = || inspection(sent.read.as_ref().and_then(|read| read.found()), &burst.symbols, answer.symbols);
        let inspection = sent.inspect.then(inspect);
        Outcome {
            delivery: Some(sent.delivery.to_wire()),
            clip_id: sent.clip_id,
            result: Some(result),
            channel: answer.channel,
            timings: Some(timings),
            model_id: self.half.card().model_id.clone(),
            trace_id: sent.span.trace_id().to_string(),
            inspection,
            // A complex symbol has eight bytes.
            symbols: sent.burst.symbols.len() as u64 / 8,
        }
    }

    /// Counts an outcome in the metrics and ends its clip's span.
    fn account(&self, outcome: &Outcome, span: &Span) {
        let fault = match &outcome.result {
            Some(outcome::Result::Error(error)) => Some(Fault::from(error.clone())),
            _ => None,
        };
        if fault.is_some() { &self.meter.failed } else { &self.meter.predicted }.inc();
        self.meter.answering.observe_since(span.began());
        let delivery = Delivery::from_wire(outcome.delivery.as_ref()).ok();
        self.tracer.end(span, "transmit", delivery, fault.as_ref());
    }

    async fn refuse(
        &self,
        delivery: Option<DeliveryKey>,
        clip_id: String,
        fault: Fault,
        span: &Span,
    ) -> Result<(), Status> {
        self.meter.refused.count(fault.code);
        let outcome = Outcome {
            delivery,
            clip_id,
            result: Some(outcome::Result::Error(fault.into())),
            channel: None,
            timings: Some(Timings { transmitter_us: micros(span.began()), ..Timings::default() }),
            model_id: self.half.card().model_id.clone(),
            trace_id: span.trace_id().to_string(),
            inspection: None,
            symbols: 0,
        };
        self.account(&outcome, span);
        self.outcomes.send(SendResponse { outcome: Some(outcome) }).await
    }

    fn in_flight(&self) -> std::sync::MutexGuard<'_, HashSet<Delivery>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn format_to_wire(TransportFormat { mcs, bytes }: TransportFormat) -> proto::v1::TransportFormat {
    proto::v1::TransportFormat { mcs: mcs.into(), bytes }
}

fn micros(since: Instant) -> u64 {
    since.elapsed().as_micros() as u64
}
