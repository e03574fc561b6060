//! The report page in a real browser: `hirenet report` writes it, headless Chromium shows and drives it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod browser;
mod interview;

use browser::Browser;
use interview::{Interview, Recordings};

/// Seconds between where a recording should stand and where it stands: a decoder may land one frame off.
const SEEK_TOLERANCE_S: f64 = 0.11;
/// WCAG 2.2, 1.4.3: contrast of text at level AA.
const MIN_CONTRAST: f64 = 4.5;

/// Opens the page of an interview, or returns `None`, aloud, where the machine lacks a browser.
fn open(interview: &Interview) -> Option<Browser> {
    let mut browser = Browser::start()?;
    browser.resize(1200, 900);
    browser.open(&interview.page);
    Some(browser)
}

fn wait_for_metadata(browser: &mut Browser) {
    browser.wait_for(
        "document.querySelector('video').readyState >= 1",
        "document.querySelector('video')",
        "loadedmetadata",
    );
}

/// Waits until the video stands at `time`.
fn assert_video_at(browser: &mut Browser, time: f64) {
    assert_late_video_at(browser, time, 0.0);
}

/// Waits until a video whose player begins to count at `start` stands at `time` after its beginning.
fn assert_late_video_at(browser: &mut Browser, time: f64, start: f64) {
    let video = "document.querySelector('video')";
    browser.wait_for(
        &format!("!{video}.seeking && Math.abs({video}.currentTime - {start} - {time}) < {SEEK_TOLERANCE_S}"),
        video,
        // A paused video's last `timeupdate` may come before the end of its seek.
        "timeupdate seeked",
    );
    let shown = browser.number("parseFloat(document.querySelector('.playhead').style.left)");
    let expected = 100.0 * time / interview::DURATION_S;
    assert!((shown - expected).abs() < 100.0 * SEEK_TOLERANCE_S / interview::DURATION_S, "playhead at {shown} %");
}

#[test]
fn a_click_on_a_moment_or_a_word_seeks_the_video() {
    let interview = Interview::new(Recordings::Linked);
    let Some(mut browser) = open(&interview) else { return };
    wait_for_metadata(&mut browser);
    browser.click("document.querySelector('#answer-1 .mark[data-rank=\"1\"]')");
    assert_video_at(&mut browser, 4.55);
    browser.screenshot("moment");
    browser.click("document.querySelectorAll('#answer-1 .words .w')[10]");
    assert_video_at(&mut browser, 2.2);
    assert_eq!(browser.text("document.querySelector('.words .spoken').textContent"), "in");
    browser.click("document.querySelector('.moment[data-rank=\"3\"]')");
    assert_video_at(&mut browser, 1.25);
    browser.click("document.querySelector('#answer-1 .scrub')");
    assert_video_at(&mut browser, 6.0);
    browser.assert_quiet_and_local();
}

#[test]
fn a_moment_chosen_before_the_video_is_loaded_is_kept() {
    let interview = Interview::new(Recordings::Linked);
    let Some(mut browser) = open(&interview) else { return };
    browser.value("(() => { const v = document.querySelector('video'); v.load(); document.querySelector('.mark[data-rank=\"1\"]').click(); })()");
    assert_video_at(&mut browser, 4.55);
}

#[test]
fn a_recording_that_begins_late_is_sought_by_its_players_clock() {
    let interview = Interview::new(Recordings::Late);
    let Some(mut browser) = open(&interview) else { return };
    wait_for_metadata(&mut browser);
    let start = browser.number("document.querySelector('video').currentTime");
    assert!((start - interview::LATE_S).abs() < SEEK_TOLERANCE_S, "Chromium counts from the container's zero: {start}");
    browser.click("document.querySelector('#answer-1 .mark[data-rank=\"1\"]')");
    assert_late_video_at(&mut browser, 4.55, start);
    browser.click("document.querySelectorAll('#answer-1 .words .w')[10]");
    assert_late_video_at(&mut browser, 2.2, start);
    assert_eq!(browser.text("document.querySelector('.words .spoken').textContent"), "in");
    browser.click("document.querySelector('#answer-1 .scrub')");
    assert_late_video_at(&mut browser, 6.0, start);
    // A moment chosen before the video is loaded waits for the player's clock.
    browser.value("(() => { const v = document.querySelector('video'); v.load(); document.querySelector('.mark[data-rank=\"1\"]').click(); })()");
    assert_late_video_at(&mut browser, 4.55, start);
    // The playhead follows the video.
    browser.value("document.querySelector('video').currentTime = 9");
    assert_late_video_at(&mut browser, 9.0 - start, start);
    browser.assert_quiet_and_local();
}

#[test]
fn everything_works_by_keyboard() {
    let interview = Interview::new(Recordings::Linked);
    let Some(mut browser) = open(&interview) else { return };
    wait_for_metadata(&mut browser);
    browser.value("document.querySelector('#answer-1 .mark[data-rank=\"2\"]').focus()");
    browser.press("Enter");
    assert_video_at(&mut browser, 3.0);
    browser.value("document.querySelector('#answer-1 .mark[data-rank=\"3\"]').focus()");
    browser.press(" ");
    assert_video_at(&mut browser, 1.25);

    browser.value("document.querySelector('#answer-1 .words .w').focus()");
    browser.press("ArrowRight");
    browser.press("ArrowRight");
    browser.press("Enter");
    assert_video_at(&mut browser, 0.68);
    assert_eq!(browser.number("document.querySelectorAll('#answer-1 .words [tabindex=\"0\"]').length"), 1.0);

    browser.value("document.querySelector('#answer-1 .scrub').focus()");
    browser.press("ArrowRight");
    assert_video_at(&mut browser, 1.68);
    browser.press("ArrowLeft");
    assert_video_at(&mut browser, 0.68);
    browser.press(" ");
    browser.wait_for(
        "document.querySelector('video').currentTime > 1",
        "document.querySelector('video')",
        "timeupdate",
    );
    browser.press(" ");
    assert_eq!(browser.value("document.querySelector('video').paused"), true);

    let outline = browser.text("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid", "focus is visible");
    browser.assert_quiet_and_local();
}

#[test]
fn tab_reaches_every_mark_in_the_order_of_the_page() {
    let interview = Interview::new(Recordings::None);
    let Some(mut browser) = open(&interview) else { return };
    let mut reached = Vec::new();
    for _ in 0..14 {
        browser.press("Tab");
        let name = "(() => { const e = document.activeElement;
            return `${e.className.split(' ')[0]} ${e.dataset.rank ?? ''}`; })()";
        reached.push(browser.text(name).trim().to_owned());
    }
    let expected = [
        "skip", "moment 1", "moment 2", "moment 3", "moment 4", "moment 5", "w", "scrub", "mark 1", "mark 2", "mark 3",
        "w", "scrub", "mark 5",
    ];
    assert_eq!(reached, expected);
}

fn assert_fits(browser: &mut Browser) {
    for width in [320, 360, 768] {
        browser.resize(width, 740);
        let wide = browser.number("document.documentElement.scrollWidth");
        assert!(wide <= f64::from(width), "{wide} pixels wide on a screen of {width}");
    }
}

#[test]
fn a_phone_shows_the_whole_width() {
    let interview = Interview::new(Recordings::Linked);
    let Some(mut browser) = open(&interview) else { return };
    assert_fits(&mut browser);
    browser.resize(360, 740);
    wait_for_metadata(&mut browser);
    browser.screenshot("phone");
    browser.click("document.querySelector('#answer-1 .words .w:last-child')");
    assert_video_at(&mut browser, 2.96);
    let top = browser.number("document.querySelector('video').getBoundingClientRect().top");
    assert!((0.0..60.0).contains(&top), "the recording stays in sight of the last word, at {top}");
}

#[test]
fn the_policy_forbids_the_network_and_foreign_scripts() {
    let interview = Interview::new(Recordings::None);
    let Some(mut browser) = open(&interview) else { return };
    let blocked = browser.value(
        "new Promise((done) => {
            const blocked = [];
            document.addEventListener('securitypolicyviolation', (event) => {
                blocked.push(event.effectiveDirective);
                if (blocked.length === 3) done(blocked.sort());
            });
            fetch('https://example.org/').catch(() => {});
            new Image().src = 'https://example.org/a.png';
            document.body.append(Object.assign(document.createElement('script'), {text: 'window.intruder = 1'}));
        })",
    );
    assert_eq!(blocked, serde_json::json!(["connect-src", "img-src", "script-src-elem"]));
    assert_eq!(browser.text("typeof window.intruder"), "undefined");
}

#[test]
fn text_is_readable_by_day_and_by_night() {
    let interview = Interview::new(Recordings::Linked);
    let Some(mut browser) = open(&interview) else { return };
    wait_for_metadata(&mut browser);
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        let video = "document.querySelector('video')";
        browser.wait_for(&format!("{video}.readyState >= 2"), video, "loadeddata");
        browser.screenshot(scheme);
        let worst = browser.value(include_str!("contrast.js"));
        let ratio = worst["ratio"].as_f64().unwrap();
        assert!(worst["checked"].as_u64().unwrap() > 100, "{scheme}: too little text was looked at");
        assert!(ratio >= MIN_CONTRAST, "{scheme}: {worst}");
    }
    let ground = browser.text("getComputedStyle(document.body).backgroundColor");
    assert_eq!(ground, "rgb(19, 21, 25)", "dark mode is dark");
}

#[test]
fn without_recordings_the_page_says_so_and_works() {
    let interview = Interview::new(Recordings::None);
    let Some(mut browser) = open(&interview) else { return };
    assert_eq!(browser.number("document.querySelectorAll('video, audio').length"), 0.0);
    let note = browser.text("document.querySelector('#answer-1 .recording').innerText");
    assert!(note.contains("was not found") && note.contains("still work"), "{note}");
    browser.click("document.querySelector('#answer-1 .mark[data-rank=\"1\"]')");
    assert_eq!(browser.text("document.querySelector('.playhead').style.left"), "37.9167%");
    // Words without times: the moment leads to its first word.
    browser.click("document.querySelector('.moment[data-rank=\"4\"]')");
    assert_eq!(browser.text("document.activeElement.textContent"), "work");
    browser.assert_quiet_and_local();
}

#[test]
fn a_recording_that_was_moved_away_leaves_the_page_working() {
    let interview = Interview::new(Recordings::Linked);
    interview.remove_recording();
    let Some(mut browser) = open(&interview) else { return };
    let notice = "document.querySelector('#answer-1 .unplayable')";
    browser.value(&format!(
        "new Promise((done) => {{ const seen = () => !{notice}.hidden && done(true);
            new MutationObserver(seen).observe({notice}, {{attributes: true}}); seen(); }})"
    ));
    browser.click("document.querySelector('#answer-1 .mark[data-rank=\"1\"]')");
    assert_eq!(browser.text("document.querySelector('.playhead').style.left"), "37.9167%");
}

#[test]
fn an_embedded_recording_plays_from_the_page_alone() {
    let mut interview = Interview::new(Recordings::Embedded);
    interview.move_page_alone();
    let Some(mut browser) = open(&interview) else { return };
    wait_for_metadata(&mut browser);
    browser.click("document.querySelector('#answer-1 .mark[data-rank=\"1\"]')");
    assert_video_at(&mut browser, 4.55);
    browser.assert_quiet_and_local();
}

#[test]
fn text_of_an_interview_is_never_markup() {
    let interview = Interview::hostile();
    let Some(mut browser) = open(&interview) else { return };
    assert_eq!(browser.text("typeof window.intruder"), "undefined");
    assert_eq!(browser.number("document.querySelectorAll('script').length"), 1.0);
    assert_eq!(browser.number("document.querySelectorAll('img, iframe, object, embed').length"), 0.0);
    let question = browser.text("document.querySelector('#question-1').textContent");
    assert_eq!(question, interview::HOSTILE);
    assert_fits(&mut browser);
    browser.assert_quiet_and_local();
}
