use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

fn extraction(reader: Result<Arc<dyn ReadMedia>, String>) -> Extraction {
    Extraction::new(reader, Meter::default())
}

/// A reader that waits for its gate, counts the files that it has begun, and returns a configured result.
struct Slow {
    begun: AtomicUsize,
    go_on: Mutex<mpsc::Receiver<Result<Read, Unreadable>>>,
}

impl ReadMedia for Slow {
    fn read(&self, _: Result<Media, media::Error>) -> Result<Read, Unreadable> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.go_on.lock().unwrap().recv().unwrap()
    }
}

fn slow() -> (Arc<Slow>, mpsc::Sender<Result<Read, Unreadable>>) {
    let (answers, go_on) = mpsc::channel();
    (Arc::new(Slow { begun: AtomicUsize::new(0), go_on: Mutex::new(go_on) }), answers)
}

async fn until(mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("never came true");
}

#[tokio::test]
async fn without_extractors_a_file_is_refused_by_field() {
    let extraction = extraction(Err("start with --extractors".into()));
    let fault = extraction.extract(vec![1], None).await.unwrap_err();
    assert_eq!(fault, Fault::new(ErrorCode::Unsupported, "media", "start with --extractors"));
}

#[test]
fn the_newest_files_are_remembered() {
    let extraction = extraction(Err(String::new()));
    let first = extraction.cell([0; 32]);
    (1..REMEMBERED as u8).for_each(|n| drop(extraction.cell([n; 32])));
    assert!(Arc::ptr_eq(&first, &extraction.cell([0; 32])), "asked for again, it is the newest");
    let second = extraction.cell([1; 32]);
    drop(extraction.cell([99; 32]));
    assert!(Arc::ptr_eq(&second, &extraction.cell([1; 32])));
    assert_eq!(extraction.remembered.lock().unwrap().len(), REMEMBERED);
}

/// A client that uploads a file and disconnects no longer waits, but the work goes on and keeps its place and its
/// memory.
#[tokio::test]
async fn work_that_nobody_waits_for_any_more_keeps_its_place_and_its_memory() {
    let (reader, answers) = slow();
    let extraction = extraction(Ok(reader.clone()));
    let places = extraction.places.available_permits();
    for file in 0..places {
        let reservation = extraction.reserve(1 << 20).await;
        let work = extraction.extract(vec![file as u8], Some(reservation));
        let mut work = Box::pin(work);
        until(|| {
            let waker = futures::task::noop_waker();
            let polled = work.as_mut().poll(&mut std::task::Context::from_waker(&waker));
            assert!(polled.is_pending());
            reader.begun.load(Ordering::SeqCst) == file + 1
        })
        .await;
        drop(work);
    }
    assert_eq!(extraction.places.available_permits(), 0, "places of work that goes on");
    assert_eq!(BUDGET_KIB - extraction.budget.available_permits(), places * 1025, "memory of work that goes on");
    (0..places).for_each(|_| answers.send(Ok(Read::default())).unwrap());
    until(|| extraction.places.available_permits() == places).await;
    until(|| extraction.budget.available_permits() == BUDGET_KIB).await;
}

#[tokio::test]
async fn what_hangs_on_the_moment_is_not_remembered_and_what_is_wrong_with_the_file_is() {
    let (reader, answers) = slow();
    let extraction = extraction(Ok(reader.clone()));
    let fault = |text: &str| Fault::new(ErrorCode::TooLong, "media", text);
    for (text, transient) in [("ffmpeg took too long", true), ("and again", true), ("too many frames", false)] {
        answers.send(Err(Unreadable { fault: fault(text), transient })).unwrap();
        assert_eq!(extraction.extract(vec![1], None).await.unwrap_err(), fault(text));
    }
    // The reader has no further result, so this one was remembered.
    assert_eq!(extraction.extract(vec![1], None).await.unwrap_err(), fault("too many frames"));
    assert_eq!(reader.begun.load(Ordering::SeqCst), 3);
    answers.send(Ok(Read::default())).unwrap();
    let first = extraction.extract(vec![2], None).await.unwrap();
    assert!(Arc::ptr_eq(&first, &extraction.extract(vec![2], None).await.unwrap()));
}

/// A panic is transient: nothing shows that the reader will panic again on the same file.
#[tokio::test]
async fn a_panic_is_not_remembered() {
    let (reader, answers) = slow();
    let extraction = extraction(Ok(reader.clone()));
    drop(answers);
    for _ in 0..2 {
        assert_eq!(extraction.extract(vec![1], None).await.unwrap_err().code, ErrorCode::Internal);
    }
    assert_eq!(reader.begun.load(Ordering::SeqCst), 2);
}
