"use strict";
// Seeks recordings from moments, words and timelines. Everything works without a recording too: the position is then
// that of the timeline alone.
(() => {
  const announcer = document.getElementById("announcer");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const clock = (s) => {
    const t = Math.floor(Math.max(0, s));
    const [h, m, sec] = [Math.floor(t / 3600), Math.floor(t / 60) % 60, String(t % 60).padStart(2, "0")];
    return h ? `${h}:${String(m).padStart(2, "0")}:${sec}` : `${m}:${sec}`;
  };
  const seconds = (element, name) => (element.dataset[name] ? Number(element.dataset[name]) : null);

  class Answer {
    constructor(root) {
      this.root = root;
      this.length = Number(root.dataset.length);
      this.position = 0;
      // Where the player's clock stands at the position 0. Recordings may begin late, and players differ in whether they
      // count from the container's own zero or, as the page does, from the first thing heard or seen.
      this.origin = 0;
      this.media = root.querySelector("video, audio");
      this.scrub = root.querySelector(".scrub");
      this.playhead = root.querySelector(".playhead");
      this.now = root.querySelector(".now");
      this.words = [...root.querySelectorAll(".words .w")];
      this.starts = this.words.map((word) => seconds(word, "start"));
      this.ends = this.words.map((word) => seconds(word, "end"));
      this.spoken = null;
      if (this.media) this.watchMedia();
      if (this.scrub) this.listenToTimeline();
      this.listenToWords();
      for (const mark of root.querySelectorAll(".mark")) mark.addEventListener("click", () => this.visit(mark));
    }

    watchMedia() {
      const media = this.media;
      const fail = () => {
        this.media = null;
        media.hidden = true;
        this.root.querySelector(".recording").classList.add("absent");
        this.root.querySelector(".unplayable").hidden = false;
      };
      if (media.error) return fail();
      media.addEventListener("error", fail);
      const begin = () => {
        this.origin = media.currentTime;
        if (this.position > 0) media.currentTime = this.origin + this.position;
      };
      if (media.readyState > 0) begin();
      media.addEventListener("loadedmetadata", begin);
      const follow = () => {
        if (media.readyState > 0) this.show(Math.max(0, media.currentTime - this.origin));
        if (!media.paused && !media.ended && !calm.matches) requestAnimationFrame(follow);
      };
      for (const event of ["play", "seeked", "timeupdate"]) media.addEventListener(event, follow);
    }

    seek(time) {
      this.show(Math.min(Math.max(0, time), this.length));
      // Before the metadata is there, the position waits for it.
      if (this.media && this.media.readyState > 0) this.media.currentTime = this.origin + this.position;
    }

    show(time) {
      this.position = time;
      this.markSpoken(time);
      if (!this.scrub) return;
      this.playhead.style.left = `${Math.min(100, (100 * time) / this.length)}%`;
      const text = clock(time);
      if (this.now.textContent !== text) {
        this.now.textContent = text;
        this.scrub.setAttribute("aria-valuenow", time.toFixed(1));
        this.scrub.setAttribute("aria-valuetext", `${text} of ${clock(this.length)}`);
      }
    }

    markSpoken(time) {
      const within = (_, k) => this.starts[k] !== null && this.starts[k] <= time + 1e-3 && time < this.ends[k];
      const spoken = this.words.find(within) ?? null;
      if (spoken !== this.spoken) {
        this.spoken?.classList.remove("spoken");
        spoken?.classList.add("spoken");
        this.spoken = spoken;
      }
    }

    // Goes to a moment: to its time, or to its first word where the words have no times.
    visit(element) {
      const [start, word] = [seconds(element, "start"), seconds(element, "word")];
      if (start !== null) this.seek(start);
      else if (word !== null) this.focusWord(word);
      for (const other of document.querySelectorAll("[data-rank].current")) other.classList.remove("current");
      for (const same of document.querySelectorAll(`[data-rank="${CSS.escape(element.dataset.rank)}"]`)) {
        same.classList.add("current");
      }
      announcer.textContent = start === null ? "" : `Answer ${answers.indexOf(this) + 1}, ${clock(start)}`;
    }

    toggle() {
      if (!this.media) return;
      if (this.media.paused) this.media.play().catch(() => {});
      else this.media.pause();
    }

    listenToTimeline() {
      const at = (event) => {
        const box = this.scrub.getBoundingClientRect();
        this.seek(((event.clientX - box.left) / box.width) * this.length);
      };
      this.scrub.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        this.scrub.setPointerCapture(event.pointerId);
        at(event);
      });
      this.scrub.addEventListener("pointermove", (event) => {
        if (this.scrub.hasPointerCapture(event.pointerId)) at(event);
      });
      const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 };
      this.scrub.addEventListener("keydown", (event) => {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key in steps) this.seek(this.position + steps[event.key]);
        else if (event.key === "Home") this.seek(0);
        else if (event.key === "End") this.seek(this.length);
        else if (event.key === " ") this.toggle();
        else return;
        event.preventDefault();
      });
    }

    focusWord(k) {
      const word = this.words[k];
      if (!word) return;
      for (const other of this.words) other.tabIndex = -1;
      word.tabIndex = 0;
      word.focus();
    }

    listenToWords() {
      const list = this.root.querySelector(".words");
      if (!list) return;
      const go = (word) => {
        const start = seconds(word, "start");
        if (start !== null) this.seek(start);
      };
      list.addEventListener("click", (event) => {
        const word = event.target.closest(".w");
        if (!word) return;
        this.focusWord(this.words.indexOf(word));
        go(word);
      });
      list.addEventListener("keydown", (event) => {
        const k = this.words.indexOf(event.target);
        if (k < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
        const last = this.words.length - 1;
        const next = { ArrowRight: k + 1, ArrowDown: k + 10, ArrowLeft: k - 1, ArrowUp: k - 10, Home: 0, End: last };
        if (event.key === "Enter" || event.key === " ") go(event.target);
        else if (event.key in next) this.focusWord(Math.min(Math.max(0, next[event.key]), last));
        else return;
        event.preventDefault();
      });
    }
  }

  const answers = [...document.querySelectorAll(".answer")].map((root) => new Answer(root));
  for (const button of document.querySelectorAll(".moment")) {
    button.addEventListener("click", () => {
      const answer = answers[Number(button.dataset.go)];
      answer.root.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
      answer.root.querySelector(`.mark[data-rank="${CSS.escape(button.dataset.rank)}"]`)?.focus({ preventScroll: true });
      answer.visit(button);
    });
  }
})();
