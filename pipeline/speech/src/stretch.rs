use crate::SpeechSettings;
use crate::activity::ACTIVITY_HOP_S;

/// A stretch of speech: what is recognised by itself. Seconds since media time zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Where its sound begins, padding included.
    pub start: f64,
    /// Where its sound ends, padding included.
    pub end: f64,
    /// The runs of speech inside it, `(start, end)`, without padding.
    pub speech: Vec<(f64, f64)>,
}

impl Stretch {
    /// Seconds of speech in it.
    #[must_use]
    pub fn speech_s(&self) -> f64 {
        self.speech.iter().map(|(start, end)| end - start).sum()
    }
}

/// A run of speech in windows of the detector, `[start, end)`.
type Run = (usize, usize);

/// Finds stretches in the probabilities of voice activity as they arrive.
///
/// Speech begins at `vad_threshold` and ends where the probability has fallen below `vad_release` for `min_silence_s`
/// (the hysteresis of Silero VAD's own utilities). Runs with pauses below `merge_gap_s` between make one stretch.
#[derive(Debug)]
pub struct StretchFinder {
    threshold: f32,
    release: f32,
    min_speech: usize,
    min_silence: usize,
    merge_gap: usize,
    /// A longer pause is recognised as one of so many windows.
    longest_pause: usize,
    pad_s: f64,
    /// The most windows that are recognised of one stretch.
    longest: usize,
    probabilities: Vec<f32>,
    /// Closed runs of the open stretch.
    runs: Vec<Run>,
    /// Start of the run that is going on.
    speaking_since: Option<usize>,
    /// Where the probability fell below the release inside that run.
    falling_since: Option<usize>,
    /// End of the last stretch with its padding: no sound is recognised twice.
    taken_until: f64,
}

fn windows(seconds: f64) -> usize {
    (seconds / ACTIVITY_HOP_S).round() as usize
}

fn seconds(window: usize) -> f64 {
    window as f64 * ACTIVITY_HOP_S
}

impl StretchFinder {
    /// A finder at the start of a recording.
    #[must_use]
    pub fn new(settings: &SpeechSettings) -> StretchFinder {
        StretchFinder {
            threshold: settings.vad_threshold,
            release: settings.vad_release,
            min_speech: windows(settings.min_speech_s),
            min_silence: windows(settings.min_silence_s).max(1),
            merge_gap: windows(settings.merge_gap_s).max(1),
            longest_pause: (settings.longest_pause_s / ACTIVITY_HOP_S).ceil() as usize,
            pad_s: settings.pad_s,
            longest: ((settings.max_stretch_s - 2.0 * settings.pad_s) / ACTIVITY_HOP_S).floor() as usize,
            probabilities: Vec::new(),
            runs: Vec::new(),
            speaking_since: None,
            falling_since: None,
            taken_until: 0.0,
        }
    }

    /// Takes the probability of the next window; gives the stretch that it closes.
    pub fn push(&mut self, probability: f32) -> Option<Stretch> {
        let now = self.probabilities.len();
        self.probabilities.push(probability);
        self.follow(now, probability);
        if self.open_runs(now + 1).map(|(before, run)| before + run.1 - run.0).sum::<usize>() > self.longest {
            return self.cut(now + 1);
        }
        match (self.speaking_since, self.runs.last()) {
            (None, Some((_, end))) if now + 1 - end >= self.merge_gap => {
                let runs = std::mem::take(&mut self.runs);
                self.close(&runs, seconds(now + 1))
            }
            _ => None,
        }
    }

    /// Ends the recording, which is `duration_s` long; gives the last stretch.
    pub fn finish(&mut self, duration_s: f64) -> Option<Stretch> {
        if let Some(start) = self.speaking_since {
            self.end_run(start, self.falling_since.unwrap_or(self.probabilities.len()));
        }
        let runs = std::mem::take(&mut self.runs);
        self.close(&runs, duration_s)
    }

    /// The probability of each window so far.
    #[must_use]
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// Where the sound of the open stretch begins: nothing before it is needed any more.
    #[must_use]
    pub fn needed_from(&self) -> f64 {
        let start = self.stretch_start().unwrap_or(self.probabilities.len());
        (seconds(start) - self.pad_s).max(self.taken_until)
    }

    fn stretch_start(&self) -> Option<usize> {
        self.runs.first().map(|(start, _)| *start).or(self.speaking_since)
    }

    fn follow(&mut self, now: usize, probability: f32) {
        let Some(start) = self.speaking_since else {
            if probability >= self.threshold {
                (self.speaking_since, self.falling_since) = (Some(now), None);
            }
            return;
        };
        if probability >= self.threshold {
            self.falling_since = None;
        } else if probability < self.release && self.falling_since.is_none() {
            self.falling_since = Some(now);
        }
        if let Some(end) = self.falling_since
            && now + 1 - end >= self.min_silence
        {
            self.end_run(start, end);
        }
    }

    /// Keeps a run that has ended, unless it is too short to be speech.
    fn end_run(&mut self, start: usize, end: usize) {
        self.speaking_since = None;
        if end - start >= self.min_speech {
            self.runs.push((start, end));
        }
    }

    /// The runs of the open stretch until `now`, each after the windows that are recognised of the pause before it.
    fn open_runs(&self, now: usize) -> impl Iterator<Item = (usize, Run)> {
        let speaking = self.speaking_since.map(|start| (start, now));
        let mut last_end = None;
        self.runs.iter().copied().chain(speaking).map(move |run| {
            let pause = run.0 - last_end.replace(run.1).unwrap_or(run.0);
            (pause.min(self.longest_pause), run)
        })
    }

    /// The window after which half of the longest stretch has been heard.
    fn second_half(&self, now: usize) -> usize {
        let mut left = self.longest / 2;
        for (pause, (start, end)) in self.open_runs(now) {
            left = left.saturating_sub(pause);
            if left < end - start {
                return start + left;
            }
            left -= end - start;
        }
        now
    }

    /// Closes a stretch that has grown too long, in its second half: at the last pause that is at least half as long as
    /// the longest there, so that few stretches hold all speech, or inside speech where speech is least likely.
    fn cut(&mut self, now: usize) -> Option<Stretch> {
        let half = self.second_half(now);
        if let Some(start) = self.speaking_since {
            self.runs.push((start, self.falling_since.unwrap_or(now)));
        }
        let pause = |k: usize| (self.runs[k + 1].0 - self.runs[k].1).min(self.longest_pause);
        let pauses = || (0..self.runs.len().saturating_sub(1)).filter(|k| self.runs[*k].1 > half);
        let longest = pauses().map(pause).max();
        let best = pauses().rfind(|k| longest.is_some_and(|longest| 2 * pause(*k) >= longest));
        let (before, mut after, until) = if let Some(k) = best {
            let middle = f64::midpoint(seconds(self.runs[k].1), seconds(self.runs[k + 1].0));
            (self.runs[..=k].to_vec(), self.runs[k + 1..].to_vec(), middle)
        } else {
            let at = self.least_speech(half, now);
            let mut before = self.runs.clone();
            before.retain_mut(|run| {
                run.1 = run.1.min(at);
                run.0 < run.1
            });
            let after = self.runs.iter().map(|run| (run.0.max(at), run.1)).filter(|run| run.0 < run.1).collect();
            (before, after, seconds(at))
        };
        if self.speaking_since.is_some() {
            self.speaking_since = after.pop().map(|(start, _)| start);
            self.falling_since = self.falling_since.filter(|_| self.speaking_since.is_some());
        }
        self.runs = after;
        self.close(&before, until)
    }

    /// The window in `[from, to)` with the lowest probability of speech, averaged over its neighbours.
    fn least_speech(&self, from: usize, to: usize) -> usize {
        let around = |k: usize| {
            let near = &self.probabilities[k.saturating_sub(2)..(k + 3).min(to)];
            near.iter().sum::<f32>() / near.len() as f32
        };
        (from..to).min_by(|a, b| around(*a).total_cmp(&around(*b))).unwrap_or(from)
    }

    /// Pads a stretch, `until` at most and never into the one before; `None` without runs.
    fn close(&mut self, runs: &[Run], until: f64) -> Option<Stretch> {
        let (first, last) = (runs.first()?, runs.last()?);
        let speech: Vec<(f64, f64)> =
            runs.iter().map(|(start, end)| (seconds(*start), seconds(*end).min(until))).collect();
        let start = (seconds(first.0) - self.pad_s).max(self.taken_until);
        let end = (seconds(last.1) + self.pad_s).min(until);
        self.taken_until = end;
        Some(Stretch { start, end, speech })
    }
}

#[cfg(test)]
#[path = "stretch_tests.rs"]
mod tests;
