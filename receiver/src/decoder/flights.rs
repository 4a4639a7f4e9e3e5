//! The delivery keys that are being decoded: a key that arrives again meanwhile is not decoded twice.

use crate::journal::Answer;
use crate::refusal::Refusal;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use wire::Delivery;

/// The result of decoding a burst: the journal's answer, or why there is none.
pub type Reply = Result<Answer, Refusal>;

type Waiting = HashMap<Delivery, Vec<oneshot::Sender<Reply>>>;

/// The delivery keys that are being decoded, and the channels of all who wait for each. Cheap to clone.
#[derive(Clone, Default)]
pub struct Flights(Arc<Mutex<Waiting>>);

/// The role of a burst whose delivery key was entered with [`Flights::enter`].
pub enum Entered {
    /// The delivery key was not in work: the burst is to be decoded, and the flight landed with the reply, which then
    /// also arrives on this channel.
    Leads(Flight, oneshot::Receiver<Reply>),
    /// The delivery key is in work: the reply of the leading burst arrives on this channel. The channel closes without
    /// a reply if the work was called off.
    Follows(oneshot::Receiver<Reply>),
}

/// A delivery key that is being decoded. Dropped without [`Flight::land`], it calls the work off.
pub struct Flight {
    delivery: Delivery,
    flights: Flights,
    landed: bool,
}

impl Flights {
    /// Enters a delivery key: as the leader if the key is not in work, else as a follower of the leader.
    pub fn enter(&self, delivery: Delivery) -> Entered {
        let (reply, answer) = oneshot::channel();
        let mut waiting = self.lock();
        match waiting.get_mut(&delivery) {
            Some(others) => {
                // Streams end and come back; the senders kept for them must not grow with that.
                others.retain(|other| !other.is_closed());
                others.push(reply);
                Entered::Follows(answer)
            }
            None => {
                waiting.insert(delivery, vec![reply]);
                Entered::Leads(Flight { delivery, flights: self.clone(), landed: false }, answer)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Sends the reply to all who wait for this delivery key. The key is removed from the keys in work before any of
    /// them gets the reply.
    pub fn land(mut self, reply: Reply) {
        self.landed = true;
        let waiting = self.flights.lock().remove(&self.delivery).unwrap_or_default();
        for other in waiting {
            // The channel is closed if its stream has ended.
            let _ = other.send(reply.clone());
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // The key of a flight that has landed may be in work again.
        if !self.landed {
            drop(self.flights.lock().remove(&self.delivery));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Reply {
        Err(Refusal::Unavailable("a reply".into()))
    }

    fn key(sequence: u64) -> Delivery {
        Delivery { run: uuid::Uuid::nil(), sequence }
    }

    #[tokio::test]
    async fn who_follows_gets_the_reply_of_who_leads_and_a_landed_key_is_free() {
        let flights = Flights::default();
        let Entered::Leads(flight, first) = flights.enter(key(1)) else { panic!("a new key") };
        let Entered::Follows(second) = flights.enter(key(1)) else { panic!("a key in work") };
        assert!(matches!(flights.enter(key(2)), Entered::Leads(..)), "another key");
        flight.land(refusal());
        for reply in [first, second] {
            assert!(matches!(reply.await.unwrap(), Err(Refusal::Unavailable(_))));
        }
        let Entered::Leads(flight, _) = flights.enter(key(1)) else { panic!("a free key") };
        let Entered::Follows(called_off) = flights.enter(key(1)) else { panic!("a key in work") };
        drop(flight);
        assert!(called_off.await.is_err());
        assert!(matches!(flights.enter(key(1)), Entered::Leads(..)));
    }

    #[test]
    fn streams_that_came_and_went_leave_nothing() {
        let flights = Flights::default();
        let Entered::Leads(_flight, _) = flights.enter(key(1)) else { panic!("a new key") };
        (0..1000).for_each(|_| drop(flights.enter(key(1))));
        assert!(flights.lock()[&key(1)].len() <= 2);
    }
}
