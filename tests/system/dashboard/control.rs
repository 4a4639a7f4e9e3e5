//! Tests that the page follows the channel's conditions and changes them.

use fantoccini::key::Key;
use proto::v1::ChannelKind::{Awgn, None as Noiseless, Rayleigh, Rician};

use super::Scene;
use super::stream::MISCHIEF;

#[test]
fn the_page_follows_and_governs_the_channel() {
    let Some(scene) = Scene::start("the_page_follows_and_governs_the_channel") else { return };
    let page = &scene.browser;
    page.click("#curve-data summary");
    scene.until_in_force(Awgn, Some(0.0), "0 dB, AWGN");
    scene.until_point("AWGN", 0.0);

    // Another client changes the conditions.
    scene.set(Rayleigh, 6.0);
    scene.until_in_force(Rayleigh, Some(6.0), "6 dB, Rayleigh");
    page.until("the controls to follow", "document.querySelector('#snr').value === '6'");
    page.until("the menu to follow", "document.querySelector('#kind').value === 'rayleigh'");
    scene.until_point("Rayleigh", 6.0);

    the_slider(&scene);
    the_menus(&scene);
    let lag = page.value("Date.now() - Number(document.documentElement.dataset.renderedMs)").as_f64();
    assert!(lag.is_some_and(|lag| lag < 10_000.0), "what is drawn is {lag:?} ms old");
    wire_text_stays_text(&scene);
    a_sweep(&scene);
    assert_eq!(page.complaints(), [""; 0]);
}

/// Changes the SNR by the slider's keys, by the input box, and by script.
fn the_slider(scene: &Scene) {
    let page = &scene.browser;
    page.keys("#snr", &format!("{}{}", Key::Right, Key::Right));
    scene.until_in_force(Rayleigh, Some(7.0), "7 dB, Rayleigh");
    page.run("const box = document.querySelector('#snr-box'); box.focus(); box.select();");
    page.type_on(&format!("-6.5{}", Key::Enter));
    scene.until_in_force(Rayleigh, Some(-6.5), "−6.5 dB, Rayleigh");
    page.run(
        "const slider = document.querySelector('#snr'); slider.value = '9'; slider.dispatchEvent(new Event('input'));",
    );
    scene.until_in_force(Rayleigh, Some(9.0), "9 dB, Rayleigh");
    scene.until_point("Rayleigh", 9.0);
    // A value out of range is reported and not sent.
    page.run("const box = document.querySelector('#snr-box'); box.focus(); box.select();");
    page.type_on(&format!("99{}", Key::Enter));
    page.until(
        "a sentence about the range",
        "document.querySelector('#channel-problem').textContent.includes('30 dB')",
    );
    assert_eq!(scene.in_force().snr_db, Some(9.0));
}

fn the_menus(scene: &Scene) {
    let page = &scene.browser;
    page.choose("#kind", "rician");
    scene.until_in_force(Rician, Some(9.0), "9 dB, Rician K=4");
    assert_eq!(scene.in_force().k_factor, Some(4.0));
    page.choose("#kind", "none");
    scene.until_in_force(Noiseless, None, "noiseless");
    page.until("a slider that is off", "document.querySelector('#snr').disabled");
    page.until(
        "the noiseless level",
        "document.querySelector('#curve-plot').data.some((trace) => trace.name === 'noiseless')",
    );
    page.choose("#kind", "awgn");
    scene.until_in_force(Awgn, Some(9.0), "9 dB, AWGN");

    let drawn =
        "JSON.stringify(document.querySelector('#curve-plot').data.filter((t) => t.name === 'AWGN').map((t) => t.y))";
    page.until("the metric's name", "document.querySelector('#curve-name').textContent === 'Acc-2'");
    page.choose("#metric", "mae");
    page.until("the other metric's name", "document.querySelector('#curve-name').textContent === 'MAE'");
    page.until("the axis to follow", "document.querySelector('#curve-plot').layout.yaxis.title.text === 'MAE'");
    let error = page.value(drawn);
    page.choose("#metric", "acc2_pos");
    page.until("the curve to follow", &format!("{drawn} !== {error}"));
    page.until(
        "points over time",
        "document.querySelector('#time-plot').data.some((trace) => trace.y.some((v) => v !== null))",
    );
    page.until("a constellation", "document.querySelector('#points-plot').data?.every((trace) => trace.x.length > 0)");
    page.until("latencies", "document.querySelectorAll('#latency-rows td')[0].textContent.endsWith('ms')");
}

/// Asserts that captions and identifiers of clips are never interpreted as markup.
fn wire_text_stays_text(scene: &Scene) {
    let page = &scene.browser;
    for of in ["caption", "id"] {
        let texts = "[...document.querySelectorAll('#clips-rows .caption')].map((e) => e.textContent)";
        let wanted = if of == "caption" {
            format!("t === {MISCHIEF:?}")
        } else {
            format!("t.startsWith({MISCHIEF:?}) && t !== {MISCHIEF:?}")
        };
        page.until(&format!("the {of} as text"), &format!("{texts}.some((t) => {wanted})"));
    }
    assert_eq!(page.value("document.querySelectorAll('img').length"), 0);
    assert!(page.value("document.body.dataset.owned ?? null").is_null());
}

/// Runs one sweep to its end, waits until another one reports that it waits, and stops that.
fn a_sweep(scene: &Scene) {
    let page = &scene.browser;
    let sweep = |snr: &str, clips: u32| {
        page.run(&format!("document.querySelector('#sweep-snr').value = {snr:?}; document.querySelector('#sweep-clips').value = '{clips}';"));
        page.click("#sweep-start");
        page.until("a sweep that runs", "!document.querySelector('#sweep-running').hidden");
    };
    sweep("-9,15", 20);
    assert!(page.value("document.querySelector('#channel-fields').disabled").as_bool().unwrap());
    page.until("the sweep's end", "document.querySelector('#sweep-running').hidden");
    for channel in ["AWGN", "Rayleigh"] {
        scene.until_point(channel, -9.0);
        scene.until_point(channel, 15.0);
    }
    scene.until_in_force(Awgn, Some(9.0), "9 dB, AWGN");

    scene.stream.pause(true);
    sweep("-3:3:3", 1000);
    page.until("the command that streams clips", "!document.querySelector('#sweep-waiting').hidden");
    let command = page.text("#sweep-command");
    let url = scene.stack.url(latentlink_tests::Role::Transmitter);
    assert!(command.contains(&url) && command.contains("--forever"), "{command}");
    scene.stream.pause(false);
    page.until("clips again", "document.querySelector('#sweep-waiting').hidden");
    page.until(
        "the first point's conditions",
        "document.querySelector('#sweep-word').textContent.includes('1 of 6: −3 dB, AWGN')",
    );
    page.click("#sweep-stop");
    page.until("the sweep's stop", "document.querySelector('#sweep-running').hidden");
    scene.until_in_force(Awgn, Some(9.0), "9 dB, AWGN");
}
