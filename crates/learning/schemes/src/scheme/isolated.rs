//! A panic on one item of a batch, kept to that item.

use super::{ClipInput, Csit, InputError, InputErrorKind, Receive, ReceivedBurst, Transmission, Transmit};
use metrics::Prediction;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// [`Transmit::transmit`], one round: where it panics the batch is cut in halves until the item is found that it panics on, which
/// is refused with [`InputErrorKind::Internal`]. `csit` is empty or one for each clip.
pub fn transmit(
    half: &dyn Transmit,
    clips: &[ClipInput],
    csit: &[Option<Csit>],
) -> Vec<Result<Transmission, InputError>> {
    let csit_of = |range: &Range<usize>| if csit.is_empty() { csit } else { &csit[range.clone()] };
    each("clip", 0..clips.len(), &|range| half.transmit(&clips[range.clone()], csit_of(&range)))
}

/// [`Receive::receive`]: where it panics the batch is cut in halves until the item is found that it panics on, which is refused
/// with [`InputErrorKind::Internal`].
pub fn receive(half: &dyn Receive, bursts: &[ReceivedBurst]) -> Vec<Result<Prediction, InputError>> {
    each("symbols", 0..bursts.len(), &|range| half.receive(&bursts[range]))
}

fn each<T>(
    field: &str,
    items: Range<usize>,
    work: &dyn Fn(Range<usize>) -> Vec<Result<T, InputError>>,
) -> Vec<Result<T, InputError>> {
    if items.is_empty() {
        return Vec::new();
    }
    let failed = |message: String| InputError::new(InputErrorKind::Internal, field, message);
    // What unwinds out of `&self` leaves nothing behind but locks, which are taken poisoned or not.
    match catch_unwind(AssertUnwindSafe(|| work(items.clone()))) {
        Ok(results) if results.len() == items.len() => results,
        Ok(results) => {
            let message = format!("{} results for {} items", results.len(), items.len());
            items.map(|_| Err(failed(message.clone()))).collect()
        }
        // The panic hook has told the log where.
        Err(_) if items.len() == 1 => vec![Err(failed("the model failed on it; the log says where".into()))],
        Err(_) => {
            let middle = items.start + items.len() / 2;
            let mut results = each(field, items.start..middle, work);
            results.extend(each(field, middle..items.end, work));
            results
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_items_own_and_so_is_an_error() {
        let work = |range: Range<usize>| {
            assert!(!range.contains(&5), "five");
            let one = |k: usize| if k == 2 { Err(InputError::new(InputErrorKind::Empty, "two", "")) } else { Ok(k) };
            range.map(one).collect()
        };
        let results = each("item", 0..9, &work);
        for (k, result) in results.into_iter().enumerate() {
            match k {
                2 => assert_eq!(result.unwrap_err().kind, InputErrorKind::Empty),
                5 => assert_eq!(result.unwrap_err().kind, InputErrorKind::Internal),
                k => assert_eq!(result.unwrap(), k),
            }
        }
        let short = each("item", 0..3, &|_| vec![Ok(1)]);
        assert!(
            short.len() == 3
                && short.iter().all(|result| result.as_ref().is_err_and(|e| e.message.contains("1 results")))
        );
    }
}
