//! Tests of a sentence that a user sends, with weights that have a text encoder.

use fantoccini::key::Key;
use latentlink_tests::{Browser, Stack};

use super::Scene;
use crate::SITE;

#[test]
fn a_sentence_is_read_at_every_snr() {
    let test = "a_sentence_is_read_at_every_snr";
    let Some(page) = Browser::start(test, &SITE.folder(&format!("{test}-browser"))) else { return };
    let stack = Stack::with_dashboard(&SITE, test, &SITE.reading_weights());
    page.open(&stack.dashboard_url());
    page.until("a field that is on", "!document.querySelector('#text').matches(':disabled')");
    assert_eq!(page.value("document.querySelector('#sentence-reason').hidden"), true);

    page.keys("#text", &format!("<b>great</b> the film was great{}", Key::Enter));
    page.until("an answer", "!document.querySelector('#answer').hidden");
    assert_eq!(page.text("#answer-text"), "<b>great</b> the film was great");
    let answers = page.value("[...document.querySelectorAll('#answer-boxes h3')].map((title) => title.textContent)");
    assert_eq!(answers[0], "Noiseless");
    assert!(answers[1].as_str().is_some_and(|title| title.starts_with("Now: ")), "{answers}");
    page.until("the sweep, drawn", "document.querySelector('#answer-plot').data?.[0].x.length === 12");
    let rows = page.value("[...document.querySelectorAll('#answer-rows tr')].map((row) => row.cells[1].textContent)");
    assert_eq!((rows[0].as_str(), rows[11].as_str()), (Some("−12"), Some("21")));
    let shares = page.value("document.querySelector('#answer-plot').data[0].y");
    assert!(
        shares.as_array().unwrap().iter().all(|p| p.as_f64().is_some_and(|p| (0.0..=1.0).contains(&p))),
        "{shares}"
    );
    page.until(
        "the sentence among the clips",
        "document.querySelector('#clips-rows .verdict')?.textContent === 'no label'",
    );

    the_channel_changes(&page, &stack);

    page.resize(1400, 1500);
    std::thread::sleep(std::time::Duration::from_millis(700));
    page.screenshot("sentence", &Scene::screenshots());
    assert_eq!(page.complaints(), [""; 0]);
}

/// Asserts that a sentence is sent again when the SNR slider has moved, and that the page shows it.
fn the_channel_changes(page: &Browser, stack: &Stack) {
    let title = "document.querySelector('#answer-boxes').lastElementChild.firstElementChild.textContent";
    page.run(
        "const slider = document.querySelector('#snr'); slider.value = '-5'; slider.dispatchEvent(new Event('input'));",
    );
    page.until("an answer over the channel as it is now", &format!("{title}.startsWith('Now: −5 dB')"));
    page.until(
        "when",
        "/^Sent at [0-9]{2}:[0-9]{2}:[0-9]{2}[.]$/.test(document.querySelector('#answer-sent').textContent)",
    );
    // Once for each channel: the noiseless one, twelve SNRs, and the current conditions.
    assert_eq!(stack.journal().len(), 2 * 14);
}
