//! Tests of the dashboard in a real browser, over a real link.

mod access;
mod control;
mod page;
mod proxy;
mod recovery;
mod sentence;
mod stream;
#[cfg(feature = "video")]
mod video;

use std::path::PathBuf;

use latentlink_tests::{Browser, Client, Role, Stack};
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::{ChannelKind, Conditions, GetConditionsRequest, SetConditionsRequest};

use crate::SITE;
use stream::Stream;

/// A link with a dashboard, clips that stream over it, and a browser that has the dashboard open.
struct Scene {
    // Fields are dropped in this order: the stream ends while there is still a transmitter.
    stream: Stream,
    browser: Browser,
    emulator: Client,
    stack: Stack,
}

impl Scene {
    /// Sets up the scene; without a browser, reports that `test` is skipped and returns `None`.
    fn start(test: &str) -> Option<Scene> {
        let browser = Browser::start(test, &SITE.folder(&format!("{test}-browser")))?;
        let stack = Stack::with_dashboard(&SITE, test, SITE.weights());
        let emulator = Client::connect(&stack.url(Role::Emulator));
        let stream = Stream::start(&stack.url(Role::Transmitter));
        let scene = Scene { stream, browser, emulator, stack };
        scene.set(ChannelKind::Awgn, 0.0);
        scene.browser.open(&scene.stack.dashboard_url());
        scene.browser.until("a live connection", "document.documentElement.dataset.link === 'live'");
        scene.browser.until("clips in the page", "document.querySelector('#clips-rows tr')");
        Some(scene)
    }

    /// The live conditions as the emulator reports them.
    fn in_force(&self) -> Conditions {
        let mut service = ChannelEmulatorClient::new(self.emulator.channel());
        self.emulator
            .block_on(service.get_conditions(GetConditionsRequest {}))
            .unwrap()
            .into_inner()
            .conditions
            .unwrap()
    }

    /// Sets the live conditions as another client would.
    fn set(&self, kind: ChannelKind, snr_db: f64) {
        let change =
            SetConditionsRequest { kind: Some(kind.into()), snr_db: Some(snr_db), ..SetConditionsRequest::default() };
        let mut service = ChannelEmulatorClient::new(self.emulator.channel());
        self.emulator.block_on(service.set_conditions(change)).unwrap();
    }

    /// Waits until the emulator has these live conditions and the page shows them as the text `shown`.
    #[track_caller]
    fn until_in_force(&self, kind: ChannelKind, snr_db: Option<f64>, shown: &str) {
        latentlink_tests::eventually(shown, std::time::Duration::from_secs(60), || {
            let conditions = self.in_force();
            (conditions.kind() == kind && conditions.snr_db == snr_db).then_some(())
        });
        self.browser.until(shown, &format!("document.querySelector('#force').textContent === {shown:?}"));
    }

    /// Waits until the curve of a channel has a point at `snr_db` dB, in the plot and in the table.
    #[track_caller]
    fn until_point(&self, channel: &str, snr_db: f64) {
        self.browser.until(
            &format!("a point of {channel} at {snr_db} dB"),
            &format!(
                "(document.querySelector('#curve-plot').data ?? []).some((trace) =>
                    trace.name === {channel:?} && trace.mode.includes('markers') && trace.x.includes({snr_db}))
                && [...document.querySelectorAll('#curve-rows tr')].some((row) => row.cells[0].textContent === {channel:?}
                    && row.cells[1].textContent === {:?})",
                snr_db.to_string().replace('-', "−")
            ),
        );
    }

    /// The default folder of screenshots.
    fn screenshots() -> PathBuf {
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots")
    }
}
