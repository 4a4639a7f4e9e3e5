//! Tests of the page's figures, and of the files that it lets users save.

use std::time::Duration;

use latentlink_tests::{Client, Role, corpus_of};
use proto::v1::ChannelKind::{Awgn, None as Noiseless, Rayleigh};
use proto::v1::{ChannelKind, Conditions};
use serde_json::json;

use super::Scene;
use super::access::without_fault;

/// Number of times that each clip of the corpus is sent.
const ROUNDS: u64 = 3;

/// Sends clips that pin the given conditions, with sequence numbers from `first`; returns the number after the last.
fn pinned(client: &Client, first: u64, kind: ChannelKind, snr_db: f64) -> u64 {
    let corpus = corpus_of(1, 1, 48);
    let clips: Vec<&corpus::Clip> = corpus.clips.iter().filter(|clip| clip.split == "test").collect();
    let snr_db = (kind != Noiseless).then_some(snr_db);
    let conditions = Conditions { kind: kind.into(), snr_db, k_factor: None };
    let count = ROUNDS * clips.len() as u64;
    let all = (0..count).map(|n| client.clip(first + n, clips[n as usize % clips.len()], conditions));
    client.send(all.collect());
    first + count
}

#[test]
fn what_is_measured_is_told_apart_and_can_be_kept() {
    let Some(scene) = Scene::start("what_is_measured_is_told_apart_and_can_be_kept") else { return };
    let page = &scene.browser;
    scene.set(Rayleigh, -20.0);
    scene.until_in_force(Rayleigh, Some(-20.0), "−20 dB, Rayleigh");
    let client = Client::connect(&scene.stack.url(Role::Transmitter));
    let mut next = 0;
    for (kind, snr_db) in [(Noiseless, 0.0), (Awgn, 6.0), (Awgn, 9.0), (Awgn, 21.0)] {
        next = pinned(&client, next, kind, snr_db);
    }
    // Some arriving clips were sent over other conditions.
    page.until(
        "how much else arrives",
        "/met other conditions/.test(document.querySelector('#tile-others').textContent)",
    );
    page.until(
        "what it is of",
        "document.querySelector('#tile-accuracy-sub').textContent.includes('at −20 dB, Rayleigh')",
    );
    page.until(
        "the same over time",
        "/met others and is not in it/.test(document.querySelector('#time-note').textContent)",
    );

    // The noiseless level has a band, and states its number of clips: those with a label other than 0, once each.
    let judged = corpus_of(1, 1, 48).clips.iter().filter(|c| c.split == "test" && c.label != 0.0).count();
    let note = "document.querySelector('#curve-note').textContent";
    page.until("the clips behind the noiseless level", &format!("{note}.includes('from {judged} clips.')"));
    let data = "document.querySelector('#curve-plot').data";
    page.until("its band", &format!("{data}.some((t) => t.name === 'noiseless, 95 %' && t.y[0] < t.y[2])"));
    let level = page.value(&format!("{data}.find((t) => t.name === 'noiseless').customdata[0]"));
    assert_eq!((&level[2], &level[3]), (&json!(ROUNDS as usize * judged), &json!(judged)));
    page.until("the bound", &format!("{data}.some((t) => t.name === 'AWGN, matched filter' && t.x.length > 5)"));
    // 9 and 21 dB are further apart than the step, so the curve has a gap there; 6 and 9 dB are not.
    page.until("a gap", &format!("{data}.some((t) => t.name === 'AWGN' && `${{t.x}}`.includes('6,9,,21'))"));

    keep(&scene);
    under_the_pointer(&scene);
    folded(&scene);
    assert_eq!(page.complaints(), [""; 0]);
}

/// Saves every plot as a picture and as numbers.
fn keep(scene: &Scene) {
    let page = &scene.browser;
    page.click(".curve .saves [data-save$='.csv']");
    let csv = String::from_utf8(page.saved("latentlink-curve.csv")).unwrap();
    assert!(csv.starts_with("series,snr_db,value,low,high,rows,clips\n"), "{csv}");
    let awgn: Vec<&str> = csv.lines().filter(|line| line.starts_with("AWGN,")).collect();
    assert!(awgn.iter().any(|line| line.starts_with("AWGN,21,0.")), "{csv}");
    assert!(csv.contains("\nnoiseless,,0.") && csv.contains("\n\"AWGN, matched filter\",9,0."), "{csv}");
    page.click(".curve .saves [data-save$='.png']");
    let png = page.saved("latentlink-curve.png");
    assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000, "{} bytes", png.len());
    page.click(".time .saves [data-save$='.csv']");
    let csv = String::from_utf8(page.saved("latentlink-time.csv")).unwrap();
    assert!(csv.starts_with("series,minutes,value\n") && csv.contains("\nclips/s,"), "{csv}");
    page.until(
        "one pair of buttons a plot",
        "document.querySelectorAll('.saves').length === document.querySelectorAll('.plot').length",
    );
}

/// Asserts that a pressed button is readable under the pointer, too.
fn under_the_pointer(scene: &Scene) {
    let page = &scene.browser;
    page.run("scrollTo(0, 0);");
    for scheme in ["light", "dark"] {
        page.prefer(scheme);
        // The pointer stays where it has clicked.
        page.click("#freeze");
        assert_eq!(page.value("document.querySelector('#freeze').matches(':hover[aria-pressed=true]')"), true);
        std::thread::sleep(Duration::from_millis(500));
        without_fault(page, &format!("frozen-{scheme}"));
        page.click("#freeze");
    }
    page.prefer("light");
}

/// Asserts that a feature which these weights do not support takes one line of the page, with the reason on request.
fn folded(scene: &Scene) {
    let page = &scene.browser;
    for (width, height) in [(1440, 1000), (390, 844)] {
        page.resize(width, height);
        std::thread::sleep(Duration::from_millis(500));
        for card in ["sentence", "film"] {
            let height = page.value(&format!("document.querySelector('.card.{card}').offsetHeight"));
            assert!(height.as_u64().is_some_and(|height| height <= 48), "{card} takes {height} pixels");
        }
    }
    page.resize(1440, 1000);
    let reason = "document.querySelector('#sentence-reason').checkVisibility()";
    assert_eq!(page.value(reason), false);
    page.run("document.querySelector('#sentence-why').scrollIntoView({ block: 'center' });");
    page.click("#sentence-why");
    assert_eq!(page.value(reason), true);
    page.click("#sentence-why");
    assert_eq!(page.value(reason), false);
    // The suggested command names the corpus of the weights.
    let command = page.text("#clips-command");
    assert!(command.contains(&format!("--corpus {}", crate::text(crate::SITE.corpus()))), "{command}");
}
