//! One client's stream, from its clips to its outcomes.
//!
//! A clip takes a slot of the hop's window before it is encoded, and the slot goes with it until its outcome: one window
//! bounds the clips in the encoder's queue, the bursts that wait to be sent, and those that are out.

use crate::clip::{self, CheckedClip};
use crate::encoder::{Encoded, Encoder, Job, fault_of};
use crate::meter::Meter;
use crate::relay::{Sent, ToEmulator};
use link::fault::ErrorCode;
use link::hop::{Acknowledged, HopReceiver, HopSender, Slot};
use link::serve::{Incoming, Outgoing};
use link::trace::{Span, Tracer};
use link::{Delivery, Fault, Hop};
use model::scheme::TransmitterHalf;
use proto::v1::{Burst, Clip, DeliveryKey, Outcome, Receipt, Timings, outcome, receipt};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;
use tonic::Status;

/// What a clip leaves behind while it is encoded.
pub struct Ticket {
    span: Span,
    delivery: Delivery,
    clip_id: String,
    /// Without symbols.
    burst: Burst,
    slot: Slot<ToEmulator>,
}

/// One client's stream.
pub struct Session {
    pub half: Arc<dyn TransmitterHalf>,
    pub encoder: Encoder<Ticket>,
    /// Clips in the hop's window.
    pub window: usize,
    pub outcomes: Outgoing<Outcome>,
    /// Clips between their arrival and their outcome.
    pub in_flight: Mutex<HashSet<Delivery>>,
    pub meter: Meter,
    pub tracer: Tracer,
}

impl Session {
    /// Runs to the end of the stream: when the client has sent its last clip and all are answered, when the process
    /// drains and all that was taken is answered, when the hop has a final status, or when the client is gone.
    pub async fn run(self, mut clips: Incoming<Clip>, hop: Hop<ToEmulator>) {
        let (reply, encoded) = mpsc::channel(self.window);
        // The ends of the three parts follow each other: the last clip drops `hop.sender` and `reply`, the last encoded
        // one its slot, and the last acknowledgement ends the hop. An error in one ends all.
        let parts = async {
            tokio::try_join!(self.take(&mut clips, hop.sender, reply), self.forward(encoded), self.answer(hop.receiver),)
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

    /// Clips to the encoder.
    async fn take(
        &self,
        clips: &mut Incoming<Clip>,
        hop: HopSender<ToEmulator>,
        reply: mpsc::Sender<Encoded<Ticket>>,
    ) -> Result<(), Status> {
        while let Some(clip) = clips.next().await? {
            let arrived = Instant::now();
            self.meter.clips.inc();
            let (delivery, clip_id) = (clip.delivery.clone(), clip.id.clone());
            let key = Delivery::from_wire(delivery.as_ref()).ok();
            let span = self.tracer.begin(&clip.traceparent, key, arrived);
            let CheckedClip { delivery, input, burst } = match self.admit(clip) {
                Ok(checked) => checked,
                Err(fault) => {
                    self.refuse(delivery, clip_id, fault, &span).await?;
                    continue;
                }
            };
            let Ok(slot) = hop.reserve().await else {
                // The status that ended the hop comes through `answer`.
                return Ok(());
            };
            let ticket = Ticket { span, delivery, clip_id, burst, slot };
            if !self.encoder.submit(Job { input, ticket, reply: reply.clone() }).await {
                return Err(Status::internal("the encoder has stopped"));
            }
        }
        Ok(())
    }

    /// Checks a clip and notes that it is in flight.
    fn admit(&self, clip: Clip) -> Result<CheckedClip, Fault> {
        let checked = clip::check(clip)?;
        self.half.check(&checked.input).map_err(fault_of)?;
        if !self.in_flight().insert(checked.delivery) {
            let problem = format!("{} is in flight on this stream already", checked.delivery);
            return Err(Fault::new(ErrorCode::BadKey, "delivery", problem));
        }
        Ok(checked)
    }

    /// Encoded clips to the hop.
    async fn forward(&self, mut encoded: mpsc::Receiver<Encoded<Ticket>>) -> Result<(), Status> {
        while let Some(Encoded { ticket, symbols }) = encoded.recv().await {
            let Ticket { span, delivery, clip_id, mut burst, slot } = ticket;
            match symbols {
                Ok(symbols) => {
                    burst.symbols = symbols.to_le_bytes();
                    burst.timings = Some(Timings { transmitter_us: micros(span.began()), ..Timings::default() });
                    burst.traceparent = span.traceparent();
                    self.meter.symbols.inc_by(symbols.len() as u64);
                    self.meter.encoding.observe_since(span.began());
                    // An error means that the hop has ended; `answer` learns why.
                    let _ = slot.send(Sent { delivery, clip_id, span, burst });
                }
                Err(fault) => {
                    self.in_flight().remove(&delivery);
                    self.refuse(Some(delivery.to_wire()), clip_id, fault, &span).await?;
                }
            }
        }
        Ok(())
    }

    /// Receipts to the client.
    async fn answer(&self, mut receipts: HopReceiver<ToEmulator>) -> Result<(), Status> {
        while let Some(acknowledged) = receipts.recv().await {
            let Acknowledged { item, response } = acknowledged?;
            // Before the client can know: it may send the same key again.
            self.in_flight().remove(&item.delivery);
            let span = item.span;
            let outcome = self.outcome(item, response);
            self.account(&outcome, &span);
            self.outcomes.send(outcome).await?;
        }
        Ok(())
    }

    fn outcome(&self, sent: Sent, receipt: Receipt) -> Outcome {
        let own = sent.burst.timings.unwrap_or_default();
        let timings = Timings { transmitter_us: own.transmitter_us, ..receipt.timings.unwrap_or_default() };
        let result = match receipt.result {
            Some(receipt::Result::Prediction(prediction)) => outcome::Result::Prediction(prediction),
            Some(receipt::Result::Error(error)) => outcome::Result::Error(error),
            None => {
                let fault = Fault::new(ErrorCode::Internal, "result", "the receiver answered with nothing");
                outcome::Result::Error(fault.into())
            }
        };
        Outcome {
            delivery: Some(sent.delivery.to_wire()),
            clip_id: sent.clip_id,
            result: Some(result),
            channel: receipt.channel,
            timings: Some(timings),
            model_id: self.half.model_id().into(),
            trace_id: sent.span.trace_id().to_string(),
        }
    }

    /// Counts an outcome and ends its clip's span.
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
            model_id: self.half.model_id().into(),
            trace_id: span.trace_id().to_string(),
        };
        self.account(&outcome, span);
        self.outcomes.send(outcome).await
    }

    fn in_flight(&self) -> std::sync::MutexGuard<'_, HashSet<Delivery>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(since: Instant) -> u64 {
    since.elapsed().as_micros() as u64
}
