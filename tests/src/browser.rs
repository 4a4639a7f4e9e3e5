//! A real browser, driven like a user does: headless Chromium through chromedriver.

use std::fmt::Debug;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::{MARK, kill_9, running, skipped};

/// Time limit of every wait for the browser; generous, for a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser with one window. Dropping it ends its processes.
pub struct Browser {
    runtime: tokio::runtime::Runtime,
    client: Option<Client>,
    driver: Child,
    mark: String,
    profile: PathBuf,
}

impl Browser {
    /// Starts a browser with a new profile below `scratch`. If the programs are not installed, reports that `test` is
    /// skipped and returns `None`.
    ///
    /// # Panics
    /// Panics if the programs are installed and the browser still cannot be started.
    pub fn start(test: &str, scratch: &Path) -> Option<Browser> {
        let Some(driver) = found(&["chromedriver"]) else {
            skipped(test, "chromedriver");
            return None;
        };
        let Some(chromium) = found(&["chromium", "chromium-browser", "google-chrome"]) else {
            skipped(test, "chromium");
            return None;
        };
        let mark = format!("{test}-{}", std::process::id());
        let profile = scratch.join("profile");
        let (driver, port) = start_driver(&driver, &mark);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut browser = Browser { runtime, client: None, driver, mark, profile };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&chromium, &browser.profile));
        let client = browser.runtime.block_on(builder.connect(&format!("http://127.0.0.1:{port}")));
        browser.client = Some(client.unwrap());
        browser.resize(1400, 1000);
        Some(browser)
    }

    /// Opens the page at `url`.
    pub fn open(&self, url: &str) {
        self.wait(self.client().goto(url));
    }

    /// Sets the size of the window's content in CSS pixels, however narrow.
    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Sets the colour scheme that the system prefers: `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Runs `script` as the body of a function in the page; returns its return value.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.wait(self.client().execute(script, Vec::new()))
    }

    /// The value of a JavaScript expression in the page.
    #[track_caller]
    pub fn value(&self, expression: &str) -> Value {
        self.run(&format!("return {expression};"))
    }

    /// The text content of the element that `selector` selects.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector({selector:?}).textContent"));
        text.as_str().expect("text").to_owned()
    }

    /// Waits until a JavaScript expression is true in the page.
    ///
    /// # Panics
    /// Panics with `what` if that takes more than a minute.
    #[track_caller]
    pub fn until(&self, what: &str, expression: &str) {
        let start = Instant::now();
        while self.value(&format!("Boolean({expression})")) != Value::Bool(true) {
            let page = || self.run("return document.body.innerText;");
            assert!(start.elapsed() < LIMIT, "{what}: not within {LIMIT:?}; the page: {}", page());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Focuses an element and types into it as a user would; `fantoccini::key::Key` has the keys without letters.
    #[track_caller]
    pub fn keys(&self, selector: &str, keys: &str) {
        let element = self.wait(self.client().find(Locator::Css(selector)));
        self.wait(element.send_keys(keys));
    }

    /// Types into the element that has the focus.
    #[track_caller]
    pub fn type_on(&self, keys: &str) {
        let element = self.wait(self.client().active_element());
        self.wait(element.send_keys(keys));
    }

    /// Clicks the element that `selector` selects.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let element = self.wait(self.client().find(Locator::Css(selector)));
        self.wait(element.click());
    }

    /// Chooses the option of a menu that has the given value.
    #[track_caller]
    pub fn choose(&self, selector: &str, value: &str) {
        let element = self.wait(self.client().find(Locator::Css(selector)));
        self.wait(element.select_by_value(value));
    }

    /// The messages of level WARNING or above that the browser's console got since the last call.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let log = self.wait(self.client().issue_cmd(Chromium("se/log", json!({ "type": "browser" }).to_string())));
        let messages = log.as_array().expect("messages").iter();
        let bad = messages.filter(|message| ["WARNING", "SEVERE"].contains(&message["level"].as_str().unwrap_or("")));
        bad.map(|message| message["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Writes a screenshot of the window as `NAME.png` to the folder that the variable `LATENTLINK_SCREENSHOTS` names,
    /// else to `otherwise`.
    #[track_caller]
    pub fn screenshot(&self, name: &str, otherwise: &Path) {
        let folder = std::env::var_os("LATENTLINK_SCREENSHOTS").map_or_else(|| otherwise.to_owned(), PathBuf::from);
        std::fs::create_dir_all(&folder).unwrap();
        let png = self.wait(self.client().screenshot());
        std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    /// Waits for a file that the page saves in the downloads folder; returns its bytes.
    #[track_caller]
    pub fn saved(&self, name: &str) -> Vec<u8> {
        let path = self.profile.join("downloads").join(name);
        let start = Instant::now();
        // While the file is being written it has another name.
        while !path.is_file() {
            assert!(start.elapsed() < LIMIT, "{name} was not saved within {LIMIT:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        std::fs::read(path).unwrap()
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("a browser that was not dropped")
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        let body = json!({ "cmd": command, "params": parameters }).to_string();
        self.wait(self.client().issue_cmd(Chromium("goog/cdp/execute", body)));
    }

    #[track_caller]
    fn wait<T, E: Debug>(&self, call: impl Future<Output = Result<T, E>>) -> T {
        let limited = async { tokio::time::timeout(LIMIT, call).await };
        self.runtime.block_on(limited).expect("an answer of the browser within a minute").expect("success")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The window is closed in order if possible, else the processes are killed: all that the driver started carry
        // the mark.
        if let Some(client) = self.client.take() {
            let close = async { tokio::time::timeout(Duration::from_secs(5), client.close()).await };
            let _ = self.runtime.block_on(close);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        running(&self.mark).into_iter().for_each(kill_9);
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// A command specific to chromedriver: its path below the session, and its body.
#[derive(Debug)]
struct Chromium(&'static str, String);

impl WebDriverCompatibleCommand for Chromium {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.1.clone()))
    }
}

/// The path of the first of the named programs that is found on `PATH`; `None` if none is.
pub fn found(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|f| f.is_file())
}

/// Starts chromedriver, marked with `mark`, on a free port; returns the process and the port, which chromedriver
/// prints.
fn start_driver(program: &Path, mark: &str) -> (Child, u16) {
    let mut command = Command::new(program);
    command.arg("--port=0").env(MARK, mark).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut driver = command.spawn().unwrap();
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut ports =
        lines.filter_map(|line| line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok());
    let port = ports.next().expect("chromedriver names its port");
    (driver, port)
}

fn capabilities(chromium: &Path, profile: &Path) -> serde_json::Map<String, Value> {
    let downloads = profile.join("downloads");
    let profile = format!("--user-data-dir={}", profile.display());
    let mut args = vec!["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", &profile];
    // A fake camera that shows a clock and a fake microphone that beeps; pages get access without a prompt.
    args.extend(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
    if rustix::process::geteuid().is_root() {
        // Chromium's sandbox does not start as root.
        args.push("--no-sandbox");
    }
    let capabilities = json!({
        "goog:chromeOptions": {
            "binary": chromium, "args": args, "prefs": { "download.default_directory": downloads, "download.prompt_for_download": false },
        },
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    capabilities.as_object().expect("an object").clone()
}
