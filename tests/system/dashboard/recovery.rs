//! Tests that the page recovers when the processes behind it are restarted.

use latentlink_tests::Role;
use proto::v1::ChannelKind::{Awgn, Rayleigh};

use super::Scene;

#[test]
fn the_page_outlives_the_receiver_and_the_emulator() {
    let Some(mut scene) = Scene::start("the_page_outlives_the_receiver_and_the_emulator") else { return };
    scene.until_in_force(Awgn, Some(0.0), "0 dB, AWGN");
    assert_eq!(scene.browser.complaints(), [""; 0]);

    scene.stack.kill_9(Role::Receiver);
    scene.browser.until("a banner", "!document.querySelector('#banner').hidden");
    assert!(scene.browser.text("#banner").contains("lost"));
    let before = scene.browser.value("Number(document.documentElement.dataset.renderedMs)").as_f64().unwrap();
    scene.stack.start(Role::Receiver);
    scene.browser.until("a live connection again", "document.documentElement.dataset.link === 'live'");
    scene.browser.until("no banner", "document.querySelector('#banner').hidden");
    scene.browser.until("newer states", &format!("Number(document.documentElement.dataset.renderedMs) > {before}"));
    scene.browser.until("clips that arrive", "Number(document.querySelector('#tile-rate').textContent) > 0");
    scene.set(Rayleigh, 3.0);
    scene.until_in_force(Rayleigh, Some(3.0), "3 dB, Rayleigh");

    scene.stack.kill_9(Role::Emulator);
    scene.browser.until("controls that are off", "document.querySelector('#channel-fields').disabled");
    let reason = scene.browser.text("#channel-reason");
    assert!(reason.contains(&scene.stack.url(Role::Emulator)), "{reason}");
    scene.stack.start(Role::Emulator);
    scene.browser.until("controls that are on", "!document.querySelector('#channel-fields').disabled");

    // The browser itself reports refused connections; nothing else may be wrong.
    let complaints = scene.browser.complaints();
    let others: Vec<&String> = complaints.iter().filter(|message| !message.contains("net::ERR_")).collect();
    assert!(others.is_empty(), "{others:?}");
}
