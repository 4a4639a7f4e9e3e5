//! Tests of the page behind nginx, below a path, with the `Host` header that nginx sends by default.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use latentlink_tests::{Browser, Client, Role, Stack, eventually, found, free_port, http_get, skipped};
use proto::v1::GetConditionsRequest;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;

use crate::SITE;

/// A running nginx in one process. Dropping it ends it.
struct Nginx(Child);

impl Nginx {
    /// Starts an nginx that serves `dashboard` below `/latentlink/` on a port.
    fn start(program: &Path, folder: &Path, port: u16, dashboard: &str) -> Nginx {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};", folder.display()))
            .join("\n");
        let text = format!(
            "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\n\
             server {{ listen 127.0.0.1:{port}; location /latentlink/ {{ proxy_pass {dashboard}/; }} }}\n}}\n",
            folder.display()
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).arg("-e").arg(folder.join("error.log")).arg("-c").arg(&file);
        let nginx = Nginx(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let url = format!("http://127.0.0.1:{port}");
        eventually("nginx", Duration::from_secs(30), || http_get(&url, "/latentlink/api/state"));
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_page_works_below_a_path_behind_nginx() {
    let test = "the_page_works_below_a_path_behind_nginx";
    let Some(nginx) = found(&["nginx"]) else { return skipped(test, "nginx") };
    let Some(page) = Browser::start(test, &SITE.folder(&format!("{test}-browser"))) else { return };
    let mut stack = Stack::with_dashboard(&SITE, test, SITE.weights());
    let emulator = Client::connect(&stack.url(Role::Emulator));
    let snr = || {
        let mut service = ChannelEmulatorClient::new(emulator.channel());
        emulator.block_on(service.get_conditions(GetConditionsRequest {})).unwrap().into_inner().conditions?.snr_db
    };
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let _nginx = Nginx::start(&nginx, &SITE.folder(&format!("{test}-nginx")), port, &stack.dashboard_url());

    // The URL without its final slash, as people type it.
    page.open(&format!("{origin}/latentlink"));
    page.until("a live connection", "document.documentElement.dataset.link === 'live'");
    page.until("controls that are on", "!document.querySelector('#channel-fields').disabled");
    page.until("plotly", "window.Plotly");
    assert_eq!(page.complaints(), [""; 0]);

    let before = snr();
    let slide = |to: &str| {
        page.run(&format!(
            "const slider = document.querySelector('#snr'); slider.value = '{to}'; slider.dispatchEvent(new Event('input'));"
        ));
    };
    slide("-7");
    let advice = format!("--dashboard-origin {origin}");
    page.until("what to do", &format!("document.querySelector('#channel-problem').textContent.includes({advice:?})"));
    assert_eq!(snr(), before);

    stack.kill_9(Role::Receiver);
    page.until("a lost connection", "document.documentElement.dataset.link === 'lost'");
    stack.tell_dashboard(&["--dashboard-origin", &origin]);
    stack.start(Role::Receiver);
    page.until("a live connection again", "document.documentElement.dataset.link === 'live'");
    page.until("controls that are on", "!document.querySelector('#channel-fields').disabled");
    page.until("no problem after the next change", {
        slide("-9");
        "document.querySelector('#channel-problem').hidden"
    });
    eventually("the emulator to follow", Duration::from_secs(60), || (snr() == Some(-9.0)).then_some(()));
    page.until("the page to follow", "document.querySelector('#force').textContent.startsWith('−9 dB')");
}
