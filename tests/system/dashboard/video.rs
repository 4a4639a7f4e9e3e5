//! Tests of videos and recordings that a user sends, with weights that use all three modalities.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use latentlink_tests::{Browser, Process, Site, Stack, found, shared};
use serde_json::json;

use super::Scene;
use super::access::without_fault;
use crate::{SITE, text};

/// Number of recordings to train on. Extracted features are cached by content.
const RECORDINGS: usize = 8;
const COPIES: usize = 4;

fn weights(shared: &Path, folder: &Path) -> PathBuf {
    let (clips, table) = (folder.join("clips"), folder.join("labels.csv"));
    let (corpus, weights) = (folder.join("corpus"), folder.join("weights"));
    std::fs::create_dir(&clips).unwrap();
    let video = shared.join("media/talking-face.mp4");
    let mut recordings: Vec<PathBuf> =
        std::fs::read_dir(shared.join("data/emodb-dev/wav")).unwrap().map(|file| file.unwrap().path()).collect();
    recordings.sort();
    let mut labels = "id,label,split,text\n".to_owned();
    for (n, of) in recordings.iter().take(RECORDINGS).chain(std::iter::repeat_n(&video, COPIES)).enumerate() {
        let id = format!("clip-{n}.{}", of.extension().unwrap().display());
        std::fs::copy(of, clips.join(&id)).unwrap();
        let (label, word) = if n % 2 == 0 { (2, "great") } else { (-2, "bad") };
        let split = if n % 4 == 3 { "test" } else { "train" };
        writeln!(labels, "{id},{label},{split},the film was {word}").unwrap();
    }
    std::fs::write(&table, labels).unwrap();
    let models = shared.join("models");
    let extract = ["trainer", "corpus", "extract", "--clips", text(&clips), "--labels", text(&table)];
    let args = [&extract[..], &["--extractors", text(&models), "--out", text(&corpus)]].concat();
    Process::run(SITE.binary(), &args).succeeded();
    let train = ["trainer", "train", "--corpus", text(&corpus), "--preset", "small", "--epochs", "2"];
    let options = ["--text-encoder", Site::TEXT_ENCODER, "--validation", "fold:0/2", "--out", text(&weights)];
    Process::run(SITE.binary(), &[&train[..], &options].concat()).succeeded();
    weights
}

#[test]
fn a_video_is_seen_heard_sent_and_predicted() {
    let test = "a_film_is_seen_heard_sent_and_predicted";
    let Some(shared) = shared(test) else { return };
    let Some(page) = Browser::start(test, &SITE.folder(&format!("{test}-browser"))) else { return };
    let weights = weights(&shared, &SITE.folder(&format!("{test}-weights")));
    let models = shared.join("models");
    let stack = Stack::down(&SITE, test, &weights, &weights).with("LATENTLINK_EXTRACTORS", text(&models));
    let stack = stack.showing().started();
    page.open(&stack.dashboard_url());
    page.until("a field that is on", "!document.querySelector('#film-file').matches(':disabled')");

    a_video(&page, &shared.join("media/talking-face.mp4"));
    for scheme in ["light", "dark"] {
        page.prefer(scheme);
        for (width, height) in [(1400, 1000), (390, 844)] {
            page.resize(width, height);
            page.run("document.querySelector('.film').scrollIntoView();");
            std::thread::sleep(Duration::from_secs(1));
            without_fault(&page, &format!("film-{width}-{scheme}"));
        }
    }
    page.resize(1400, 1000);
    recordings(&page);
    assert_eq!(page.complaints(), [""; 0]);
    what_is_none(&page);
}

/// Sends the chosen file and waits for an answer that contains the text `finding`.
#[track_caller]
fn sent(page: &Browser, finding: &str) {
    page.until("a button that is on", "!document.querySelector('#film-send').disabled");
    page.click("#film-send");
    let status = format!("document.querySelector('#film-status').textContent.includes({finding:?})");
    page.until(finding, &format!("{status} && !document.querySelector('#film-answer').hidden"));
}

fn a_video(page: &Browser, video: &Path) {
    page.keys("#film-file", text(video));
    page.keys("#film-text", "<b>great</b> the film was great");
    sent(page, "Found in 19.7 s: silence, and a face in 9");
    assert_eq!(page.text("#film-said"), "<b>great</b> the film was great");

    // A browser without H.264 cannot play the video, and still shows the analysis.
    if page.value("document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.42E01E\"')") == json!("") {
        page.until("a note", "!document.querySelector('#film-note').hidden");
    } else {
        page.until("a box", "!document.querySelector('#film-face').hasAttribute('hidden')");
        let inside = page.run(
            "const box = document.querySelector('#film-face rect'), video = document.querySelector('#film-video');
             const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => Number(box.getAttribute(name)));
             return x >= 0 && y >= 0 && width > 50 && height > 50 && x + width <= video.videoWidth && y + height <= video.videoHeight;",
        );
        assert_eq!(inside, true);
        page.run("const video = document.querySelector('#film-video'); video.currentTime = 10; video.muted = true; video.play();");
        let position = "Number(document.querySelector('#film-wave line').getAttribute('x1'))";
        page.until("a position that moves", &format!("{position} > 205"));
        page.run("document.querySelector('#film-video').pause();");
    }
    assert_eq!(page.value("document.querySelector('#film-wave path').getAttribute('d').split('L').length"), 800);
    page.until("the latent, drawn", "document.querySelector('#latent-plot').data?.[0].y.length === 50");
    page.until("its symbols, drawn", "document.querySelector('#arrived-plot').data?.length === 4");
    assert_eq!(page.value("document.querySelectorAll('#latent-rows tr').length"), 25);
    let titles = page.value("[...document.querySelectorAll('#film-boxes h3')].map((title) => title.textContent)");
    assert_eq!(titles[0], "Noiseless");
    assert!(titles[1].as_str().is_some_and(|title| title.starts_with("Now: ")), "{titles}");
    page.until("the sweep, drawn", "document.querySelector('#film-plot').data?.[0].x.length === 12");
    page.until(
        "the film among the clips",
        "[...document.querySelectorAll('#clips-rows .id')].some((id) => id.textContent === 'a video from the dashboard')",
    );
}

/// Records with the browser's fake camera and microphone, which show no face and beep.
fn recordings(page: &Browser) {
    let record = |button: &str| {
        page.click(button);
        page.until("a recording", "document.querySelector('#record-left').textContent === '18 s left'");
        page.click("#record-stop");
    };
    record("#record-sound");
    sent(page, "sound, and no face");
    page.screenshot("film-sound", &Scene::screenshots());
    // Recordings of browsers are decoded by ffmpeg.
    if found(&["ffmpeg"]).is_some() {
        record("#record-film");
        sent(page, "sound, and no face");
        assert_eq!(page.value("document.querySelector('#film-video').videoWidth"), 640);
    }
}

/// Drops a file that is not a media file.
fn what_is_none(page: &Browser) {
    page.run(
        "const dataTransfer = new DataTransfer();
         dataTransfer.items.add(new File(['RIFF and nothing more'], 'broken.wav'));
         document.querySelector('#film-drop').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));",
    );
    page.until("its name", "document.querySelector('#film-status').textContent.startsWith('broken.wav')");
    page.click("#film-send");
    page.until("a problem", "document.querySelector('#film-problem').textContent.includes('not predicted')");
    std::thread::sleep(Duration::from_millis(200));
    let complaints = page.complaints();
    assert!(complaints.iter().all(|message| message.contains("422")), "{complaints:?}");
}
