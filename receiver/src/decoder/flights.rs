//! The keys in work: a key that comes again while it is being decoded is not decoded twice.

use crate::journal::Answer;
use crate::refusal::Refusal;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use wire::Delivery;

/// What became of a burst.
pub type Reply = Result<Answer, Refusal>;

type Waiting = HashMap<Delivery, Vec<oneshot::Sender<Reply>>>;

/// The keys in work and who waits for each. Cheap to clone.
#[derive(Clone, Default)]
pub struct Flights(Arc<Mutex<Waiting>>);

/// Where a burst came in.
pub enum Entered {
    /// Its key is new here: it is to be decoded, and the flight to be landed with the reply.
    Leads(Flight, oneshot::Receiver<Reply>),
    /// Its key is in work: the reply will be the same. The channel closes without one if the work was called off.
    Follows(oneshot::Receiver<Reply>),
}

/// A key in work. Dropped without [`Flight::land`] it calls the work off.
pub struct Flight {
    delivery: Delivery,
    flights: Flights,
    landed: bool,
}

impl Flights {
    /// Enters a key, to lead it or to follow who does.
    pub fn enter(&self, delivery: Delivery) -> Entered {
        let (reply, answer) = oneshot::channel();
        let mut waiting = self.lock();
        match waiting.get_mut(&delivery) {
            Some(others) => {
                // Streams end and come again; what is kept for them must not grow with that.
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
    /// Gives the reply to all who wait for it. The key is out of work before anyone knows.
    pub fn land(mut self, reply: Reply) {
        self.landed = true;
        let waiting = self.flights.lock().remove(&self.delivery).unwrap_or_default();
        for other in waiting {
            // Gone, if its stream is.
            let _ = other.send(reply.clone());
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // The key of a flight that has landed may be in work anew.
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
