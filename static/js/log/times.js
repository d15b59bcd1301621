// When lines were printed: from the runner's own stamp, else from when the server got the bytes.

import { keep, kept } from "./kept.js";

const MODES = ["off", "relative", "local", "UTC"];

export class Times {
  // `started`: when the job began, in milliseconds since 1970, or NaN.
  constructor(started) {
    this.started = started;
    this.marks = [];
    this.mode = MODES.includes(kept("times")) ? kept("times") : "off";
  }

  get on() {
    return this.mode !== "off";
  }

  next() {
    this.mode = MODES[(MODES.indexOf(this.mode) + 1) % MODES.length];
    keep("times", this.mode);
  }

  // [[offset, seconds since 1970], …]: the bytes from there on came then. What comes later about the same bytes counts.
  adopt(marks) {
    if (!marks.length) return;
    this.marks = this.marks.filter(([offset]) => offset < marks[0][0]).concat(marks);
  }

  // When the byte at `offset` came, in milliseconds; undefined where nobody noted it.
  at(offset) {
    let low = 0;
    let high = this.marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.marks[middle][0] <= offset) low = middle + 1;
      else high = middle;
    }
    return low ? this.marks[low - 1][1] * 1000 : undefined;
  }

  words(moment) {
    if (moment === undefined || !this.on) return "";
    if (this.mode === "relative" && !Number.isNaN(this.started)) return relative((moment - this.started) / 1000);
    const date = new Date(moment);
    return this.mode === "local" ? date.toLocaleTimeString("en-GB", { hour12: false }) : date.toISOString().slice(11, 19);
  }

  // The time before a line's text; a line keeps its moment, so that another way to say it needs nothing else.
  show(line) {
    let label = line.querySelector(":scope > .at");
    const words = this.words(line.moment);
    if (!label && !words) return;
    if (!label) {
      label = document.createElement("span");
      label.className = "at";
      line.insertBefore(label, line.querySelector(":scope > .t"));
    }
    label.dataset.at = words;
    if (line.moment !== undefined) label.title = new Date(line.moment).toISOString();
  }
}

function relative(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
