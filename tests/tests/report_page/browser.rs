//! Headless Chromium driven by the DevTools protocol over a pair of pipes: no driver program, no port, no network.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// Longest wait for one answer of the browser; the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-pipe",
];

/// One browser with one open page.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    next_id: u64,
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser, or `None`, counted aloud, where there is no Chromium.
    pub(crate) fn start() -> Option<Browser> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let Some(chromium) = std::env::split_paths(&path).map(|dir| dir.join("chromium")).find(|file| file.is_file())
        else {
            hirenet_tests::skipped("the report page's tests need chromium");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        // The protocol wants descriptors 3 and 4: the shell hands it this process's two pipes under those numbers.
        let child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(chromium)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        let (commands, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(output).split(0) {
                let Ok(message) = message else { return };
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut browser =
            Browser { child, commands, messages, session: None, next_id: 0, events: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Calls a method of the protocol and waits for its result; events that come meanwhile are kept.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.commands.write_all(&bytes).unwrap();
        loop {
            let mut answer = self.messages.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{method}: {e}"));
            if answer["id"] == json!(id) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    /// Opens a file and waits until it is loaded.
    pub(crate) fn open(&mut self, file: &Path) {
        self.call("Page.navigate", &json!({"url": format!("file://{}", file.display())}));
        self.wait_for(
            "document.readyState === 'complete' && location.protocol === 'file:'",
            "document",
            "readystatechange",
        );
    }

    /// The value of a JavaScript expression; a promise is awaited.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut result = self.call("Runtime.evaluate", &params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].take()
    }

    /// The number that a JavaScript expression gives.
    pub(crate) fn number(&mut self, expression: &str) -> f64 {
        let value = self.value(expression);
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}, not a number"))
    }

    /// The text that a JavaScript expression gives.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}, not a text")).to_owned()
    }

    /// Waits until `condition` holds, looking again at each of the `events` of `target`, which spaces separate.
    pub(crate) fn wait_for(&mut self, condition: &str, target: &str, events: &str) {
        self.value(&format!(
            "new Promise((done) => {{
                const events = '{events}'.split(' ');
                const look = () => {{
                    if ({condition}) {{ events.forEach((e) => {target}.removeEventListener(e, look)); done(true); }}
                }};
                events.forEach((e) => {target}.addEventListener(e, look));
                look();
            }})"
        ));
    }

    /// Clicks in the middle of the element that `expression` gives, with the mouse.
    pub(crate) fn click(&mut self, expression: &str) {
        let place = self.value(&format!(
            "(() => {{ const e = {expression}; e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect();
               return {{x: b.x + b.width / 2, y: b.y + b.height / 2}}; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &params);
        }
    }

    /// Presses and releases a key on the focused element.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            " " => (32, " "),
            "Tab" => (9, ""),
            "End" => (35, ""),
            "ArrowLeft" => (37, ""),
            "ArrowRight" => (39, ""),
            other => panic!("the key {other} has no code here"),
        };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let down = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text});
        self.call("Input.dispatchKeyEvent", &down);
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}));
    }

    /// Gives the page a window of this size; a narrow one is a phone's.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let mobile = width < 600;
        let params = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.call("Emulation.setDeviceMetricsOverride", &params);
    }

    /// Shows the page as with this colour preference, `light` or `dark`.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Writes a picture of the whole page into the folder `HIRENET_SCREENSHOTS`, where that is set.
    pub(crate) fn screenshot(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("HIRENET_SCREENSHOTS") else { return };
        let picture = self.call("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        let file = Path::new(&folder).join(format!("{name}.png.base64"));
        std::fs::write(file, picture["data"].as_str().unwrap()).unwrap();
    }

    /// Fails where the page complained on the console, threw, broke its policy, or asked for anything but local files.
    pub(crate) fn assert_quiet_and_local(&mut self) {
        // A round trip, so that events of what came before have arrived.
        self.value("0");
        for event in &self.events {
            let params = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => panic!("the page threw: {params}"),
                "Runtime.consoleAPICalled" => panic!("the page wrote to the console: {params}"),
                "Log.entryAdded" => panic!("the browser complained: {params}"),
                "Network.requestWillBeSent" => {
                    let url = params["request"]["url"].as_str().unwrap_or_default();
                    let local = ["file:", "data:", "about:"].iter().any(|scheme| url.starts_with(scheme));
                    assert!(local, "the page asked for {url}");
                }
                _ => {}
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closing the pipe ends the browser and its children; the wait lets it leave its profile folder first.
        let closed = self.commands.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        if closed.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
