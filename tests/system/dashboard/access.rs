//! Tests of the page's accessibility: by keyboard, for screen readers, in light and dark, wide and narrow.

use std::collections::BTreeSet;

use fantoccini::key::Key;
use latentlink_tests::Browser;
use proto::v1::ChannelKind::Rayleigh;

use super::Scene;

#[test]
fn the_page_is_accessible_and_fits() {
    let Some(scene) = Scene::start("the_page_is_accessible_and_fits") else { return };
    let page = &scene.browser;
    scene.set(Rayleigh, 6.0);
    page.until("the conditions", "document.querySelector('#force').textContent === '6 dB, Rayleigh'");
    page.until("a plot", "document.querySelector('#curve-plot').data?.length > 1");

    // The weights have no text encoder.
    page.until("the reason", "document.querySelector('#sentence-reason').textContent.includes('--text-encoder')");
    assert_eq!(page.value("document.querySelector('#text').matches(':disabled')"), true);
    // The transmitter has no extractors.
    page.until("the reason", "document.querySelector('#film-reason').textContent.includes('--extractors')");
    assert_eq!(page.value("document.querySelector('#film-file').matches(':disabled')"), true);
    page.until("what is said aloud", "document.querySelector('#spoken').textContent.includes('6 dB, Rayleigh')");

    by_keyboard(page);
    for scheme in ["light", "dark"] {
        page.prefer(scheme);
        page.resize(1400, 1000);
        settle(page);
        without_fault(page, &format!("wide-{scheme}"));
        page.resize(390, 844);
        settle(page);
        without_fault(page, &format!("narrow-{scheme}"));
        page.resize(360, 740);
        settle(page);
        fits(page);
    }
    chosen_by_hand(page);
    assert_eq!(page.complaints(), [""; 0]);
}

/// Waits for two frames and for all that the plots draw in them.
fn settle(page: &Browser) {
    page.run("document.documentElement.dataset.seen = document.documentElement.dataset.renderedMs;");
    let root = "document.documentElement";
    page.until("a drawing", &format!("{root}.dataset.renderedMs !== {root}.dataset.seen && {root}.dataset.seen"));
    std::thread::sleep(std::time::Duration::from_millis(700));
}

#[track_caller]
fn fits(page: &Browser) {
    let widths = page.value("[document.documentElement.scrollWidth, document.documentElement.clientWidth]");
    assert!(widths[0].as_u64() <= widths[1].as_u64(), "it scrolls sideways: {widths}");
}

/// Asserts that the page fits its width and that `access.js` finds no fault (contrast, names of controls); takes a
/// screenshot as `name`.
#[track_caller]
pub(super) fn without_fault(page: &Browser, name: &str) {
    fits(page);
    page.screenshot(name, &Scene::screenshots());
    let faults = page.run(include_str!("access.js"));
    assert_eq!(faults, serde_json::json!([]), "{name}");
}

/// Asserts that the tab key reaches every enabled control and that the focus is visible.
fn by_keyboard(page: &Browser) {
    let wanted = page.run(
        "return [...document.querySelectorAll('button, input, select, textarea, summary')]
            .filter((e) => !e.matches(':disabled') && e.checkVisibility()).map((e, n) => (e.dataset.tab = String(n)));",
    );
    let wanted: BTreeSet<String> = wanted.as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect();
    assert!(wanted.len() >= 15, "{wanted:?}");
    page.run("document.activeElement.blur(); document.body.focus();");
    let mut reached = BTreeSet::new();
    for _ in 0..2 * wanted.len() + 20 {
        page.type_on(&Key::Tab.to_string());
        let at = page.run(
            "const e = document.activeElement;
             return [e.dataset.tab ?? null, e === document.body || getComputedStyle(e).outlineStyle !== 'none'];",
        );
        assert_eq!(at[1], true, "no visible focus on control {}", at[0]);
        reached.extend(at[0].as_str().map(str::to_owned));
    }
    assert_eq!(reached, wanted);
    page.run("document.activeElement.blur(); scrollTo(0, 0);");
}

/// Asserts that the theme chosen in the menu overrides the system's, in the plots too.
fn chosen_by_hand(page: &Browser) {
    let ink = "getComputedStyle(document.querySelector('#curve-plot .xtick text')).fill";
    let dark = page.value(ink);
    page.choose("#theme", "light");
    page.until(
        "a light page",
        "getComputedStyle(document.querySelector('.card')).backgroundColor === 'rgb(255, 255, 255)'",
    );
    page.until("a light plot", &format!("{ink} !== {dark}"));
}
