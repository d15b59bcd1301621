// The log of a job: its end at once, every other part when it is scrolled to, and what is added while the job runs.
//
// 1. The index says where blocks of whole lines lie, and the sections. Each block becomes an element of the right height.
// 2. A block that comes near is fetched by its range of bytes and drawn; one that is far away is emptied again.
// 3. While the job runs, an event stream brings the bytes behind the last block; they are cut into blocks as they come.
import { duration } from "../clock.js";
import { refresh } from "../live.js";
import { Stream } from "../stream.js";
import { parseLine, PLAIN } from "./ansi.js";
import { note, renderLine } from "./line.js";
import { Sections } from "./sections.js";

const LINE_HEIGHT = 20;
const BLOCK_LINES = 500;
const LONGEST_FETCH = 1 << 20;
const KEEP_DRAWN = 12;
const BOTTOM = 30;

export function startLog() {
  const root = document.querySelector("[data-log]");
  if (root) new LogView(root).start();
}

class LogView {
  constructor(root) {
    this.root = root;
    this.scroller = root.querySelector(".log-scroll");
    this.noteElement = root.querySelector("[data-log-note]");
    this.events = root.dataset.events || "";
    this.follow = true;
    this.lastTop = 0;
    this.stream = null;
    this.selected = null;
    this.observer = new IntersectionObserver((entries) => this.onSight(entries), { root: this.scroller, rootMargin: "1500px 0px" });
    this.bindTools();
  }

  async start() {
    let index;
    this.scroller.scrollTop = this.scroller.scrollHeight; // the end that came with the page, until the rest is here
    try {
      const response = await fetch(this.root.dataset.index);
      if (!response.ok) throw new Error(String(response.status));
      index = await response.json();
    } catch {
      this.noteElement.textContent = "The log could not be loaded; this is its end.";
      return;
    }
    if (!this.events && !index.size) return;
    this.build(index);
    this.root.querySelector("[data-log-tools]").hidden = false;
    if (this.events) this.listen();
    if (!this.goToHash()) this.toEnd();
  }

  build(index) {
    this.observer.disconnect();
    this.sections = new Sections();
    this.sections.adopt(index.sections);
    this.blocks = index.blocks.map(([start, line, lines, style], at) => ({
      start, line, lines, style, end: index.blocks[at + 1]?.[0] ?? index.size, state: "empty", element: null,
    }));
    // The last line may not be whole yet: the stream sends the last block again from its start.
    const last = this.events ? this.blocks.pop() : null;
    this.received = last ? last.start : index.size;
    this.nextLine = last ? last.line : index.lines + 1;
    this.style = last ? parseLine(last.style).style : PLAIN;
    this.pending = new Uint8Array(0);
    this.live = null;
    this.partial = null;
    this.list = document.createElement("div");
    this.list.className = "log-lines";
    for (const block of this.blocks) this.place(block);
    if (this.blocks.length) this.scroller.replaceChildren(this.list);
    this.say();
  }

  place(block) {
    block.element = document.createElement("div");
    block.element.className = "block";
    block.element.block = block;
    this.size(block);
    this.list.append(block.element);
    this.observer.observe(block.element);
  }

  // An empty block takes the room that its lines will take.
  size(block) {
    const empty = block.state !== "drawn" && block.state !== "live";
    block.element.style.height = empty ? `${this.sections.seen(block.line, block.lines) * LINE_HEIGHT}px` : "";
  }

  onSight(entries) {
    for (const { target, isIntersecting } of entries) {
      target.block.near = isIntersecting;
      if (isIntersecting) this.draw(target.block);
    }
    const drawn = this.blocks.filter((block) => block.state === "drawn");
    for (const block of drawn.filter((one) => !one.near).slice(0, Math.max(0, drawn.length - KEEP_DRAWN))) this.empty(block);
  }

  empty(block) {
    const height = block.element.offsetHeight;
    block.state = "empty";
    block.element.replaceChildren();
    block.element.style.height = `${height}px`;
  }

  draw(block) {
    if (block.state === "empty") {
      block.state = "loading";
      block.drawing = this.fetchAndDraw(block);
    }
    return block.drawing;
  }

  async fetchAndDraw(block) {
    const end = Math.min(block.end, block.start + LONGEST_FETCH);
    try {
      const response = await fetch(this.root.dataset.raw, { headers: { Range: `bytes=${block.start}-${end - 1}` } });
      if (response.status !== 206 && response.status !== 200) throw new Error(String(response.status));
      this.fill(block, new Uint8Array(await response.arrayBuffer()), end < block.end);
    } catch {
      block.state = "empty";
      setTimeout(() => block.near && this.draw(block), 3000);
    }
  }

  fill(block, bytes, cut) {
    const text = new TextDecoder().decode(bytes).split("\n");
    if (text.at(-1) === "") text.pop();
    const fragment = document.createDocumentFragment();
    let style = parseLine(block.style).style;
    let number = block.line;
    for (const line of text) {
      const parsed = parseLine(line, style);
      style = parsed.style;
      fragment.append(this.dress(renderLine(number, parsed.runs), number, parsed.markers.length > 0 && !parsed.runs.length));
      number += 1;
    }
    if (cut) note(fragment.lastChild.querySelector(".t"), ` … this line is ${(block.end - block.start).toLocaleString("en")} bytes long, see Raw`);
    const atEnd = this.follow;
    block.state = "drawn";
    block.element.replaceChildren(fragment);
    block.element.style.height = "";
    if (atEnd) this.stick();
  }

  // Folding, the button and duration of a section's header, and the marks of the chosen lines.
  dress(line, number, onlyMarkers) {
    const section = this.sections.headed(number);
    if (section && !onlyMarkers) {
      line.classList.add("section");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "fold";
      button.setAttribute("aria-expanded", String(!section.folded));
      button.setAttribute("aria-label", `Section ${section.name}`);
      button.addEventListener("click", () => this.toggle(section));
      line.insertBefore(button, line.lastChild);
      if (section.end !== null) this.tookLabel(line, section);
    }
    line.hidden = this.sections.hides(number);
    if (this.selected && number >= this.selected[0] && number <= this.selected[1]) line.classList.add("marked");
    return line;
  }

  tookLabel(line, section) {
    const label = document.createElement("span");
    label.className = "took";
    label.textContent = duration(section.end - section.start);
    line.lastChild.append(label);
  }

  toggle(section) {
    this.sections.toggle(section);
    this.refold();
  }

  refold() {
    for (const block of this.blocks) {
      this.size(block);
      for (const line of block.element.children) {
        const number = Number(line.dataset.line);
        line.hidden = this.sections.hides(number);
        const button = line.querySelector(":scope > .fold");
        const section = button && this.sections.headed(number);
        if (!section) continue;
        button.setAttribute("aria-expanded", String(!section.folded));
        if (section.end !== null && !line.querySelector(".took")) this.tookLabel(line, section);
      }
    }
  }

  // ---- while the job runs ----

  listen() {
    const address = () => {
      const url = new URL(this.events, location.href);
      url.searchParams.set("from", this.received);
      url.searchParams.set("version", document.getElementById("job-head")?.dataset.version || "");
      return url.href;
    };
    this.stream = new Stream(address, {
      log: (event) => this.receive(event),
      changed: () => refresh(),
      reset: () => this.restart(),
      end: () => this.finish(),
    });
    this.root.querySelector("[data-log-follow]").hidden = false;
    this.say();
  }

  receive(event) {
    const text = atob(event.data);
    let bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const end = Number(event.lastEventId);
    const start = end - bytes.length;
    if (start > this.received) return this.restart(); // a piece is missing
    if (end <= this.received) return undefined;
    bytes = bytes.subarray(this.received - start);
    this.received = end;
    this.append(bytes);
    return undefined;
  }

  append(bytes) {
    if (!this.list.isConnected) this.scroller.replaceChildren(this.list);
    const all = new Uint8Array(this.pending.length + bytes.length);
    all.set(this.pending);
    all.set(bytes, this.pending.length);
    const whole = all.lastIndexOf(10) + 1;
    this.pending = all.slice(whole);
    this.partial?.remove();
    this.partial = null;
    if (whole) this.appendLines(all.subarray(0, whole));
    if (this.pending.length) {
      const parsed = parseLine(new TextDecoder().decode(this.pending.subarray(-LONGEST_FETCH)), this.style);
      this.partial = renderLine(this.nextLine, parsed.runs);
      this.partial.hidden = this.sections.hides(this.nextLine);
      this.list.append(this.partial);
    }
    this.say();
    this.stick();
  }

  appendLines(bytes) {
    let refold = false;
    let from = 0;
    while (from < bytes.length) {
      const to = bytes.indexOf(10, from) + 1;
      const parsed = parseLine(new TextDecoder().decode(bytes.subarray(from, to - 1)), this.style);
      this.style = parsed.style;
      for (const marker of parsed.markers) refold = this.sections.mark(marker, this.nextLine) || refold;
      const block = this.liveBlock(this.received - this.pending.length - bytes.length + from);
      block.element.append(this.dress(renderLine(this.nextLine, parsed.runs), this.nextLine, parsed.markers.length > 0 && !parsed.runs.length));
      block.lines += 1;
      block.end += to - from;
      this.nextLine += 1;
      from = to;
    }
    if (refold) this.refold();
  }

  liveBlock(start) {
    if (!this.live || this.live.lines >= BLOCK_LINES) {
      if (this.live) this.live.state = "drawn";
      this.live = { start, end: start, line: this.nextLine, lines: 0, style: sequence(this.style), state: "live", element: null };
      this.blocks.push(this.live);
      this.place(this.live);
    }
    return this.live;
  }

  finish() {
    if (this.pending.length) this.append(new Uint8Array([10]));
    this.events = "";
    this.root.querySelector("[data-log-follow]").hidden = true;
    this.say();
    refresh();
  }

  restart() {
    this.stream?.stop();
    this.scroller.replaceChildren();
    this.start();
  }

  // ---- moving about ----

  say() {
    const lines = this.nextLine - 1 + (this.partial ? 1 : 0);
    if (!lines) return;
    this.root.style.setProperty("--digits", String(Math.max(3, String(lines).length)));
    const count = lines === 1 ? "1 line" : `${lines.toLocaleString("en")} lines`;
    this.noteElement.textContent = `${count}, ${fileSize(this.received)}${this.events ? ", live" : ""}`;
  }

  stick() {
    if (!this.follow) return;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
  }

  setFollow(on) {
    this.follow = on;
    this.root.querySelector("[data-log-follow]").setAttribute("aria-pressed", String(on));
  }

  toEnd() {
    this.setFollow(true);
    this.stick();
  }

  onScroll() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    if (scrollTop < this.lastTop - 2) this.setFollow(false);
    else if (scrollTop + clientHeight >= scrollHeight - BOTTOM) this.setFollow(true);
    this.lastTop = scrollTop;
  }

  goToHash() {
    const match = /^#L(\d{1,10})(?:-L?(\d{1,10}))?$/.exec(location.hash);
    if (!match) return false;
    const ends = [Number(match[1]), Number(match[2] || match[1])].sort((one, other) => one - other);
    this.select(ends);
    this.show(ends[0]);
    return true;
  }

  select(ends) {
    this.selected = ends;
    for (const line of this.list.querySelectorAll(".line")) {
      const number = Number(line.dataset.line);
      line.classList.toggle("marked", number >= ends[0] && number <= ends[1]);
    }
  }

  async show(number) {
    this.setFollow(false);
    if (this.sections.reveal(number)) this.refold();
    const block = this.blocks.findLast((one) => one.line <= number);
    if (!block) return;
    block.near = true;
    block.element.scrollIntoView();
    await this.draw(block);
    block.element.querySelector(`[data-line="${number}"]`)?.scrollIntoView({ block: "center" });
    this.lastTop = this.scroller.scrollTop;
  }

  onLineNumber(event) {
    const label = event.target.closest(".n");
    if (!label) return;
    event.preventDefault();
    const number = Number(label.dataset.n);
    const from = event.shiftKey && this.selected ? this.selected[0] : number;
    const ends = [Math.min(from, number), Math.max(from, number)];
    history.replaceState(null, "", ends[0] === ends[1] ? `#L${ends[0]}` : `#L${ends[0]}-L${ends[1]}`);
    this.select(ends);
  }

  bindTools() {
    const tool = (name, action) => this.root.querySelector(`[data-log-${name}]`).addEventListener("click", action);
    const pressed = (name, on) => this.root.querySelector(`[data-log-${name}]`).setAttribute("aria-pressed", String(on));
    tool("top", () => { this.setFollow(false); this.scroller.scrollTop = 0; });
    tool("end", () => this.toEnd());
    tool("follow", () => (this.follow ? this.setFollow(false) : this.toEnd()));
    tool("wrap", () => { pressed("wrap", this.scroller.classList.toggle("wrap")); this.stick(); });
    tool("full", () => this.fullScreen(!this.root.classList.contains("full-screen")));
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.fullScreen(false));
    this.scroller.addEventListener("scroll", () => this.list && this.onScroll(), { passive: true });
    this.scroller.addEventListener("click", (event) => this.list && this.onLineNumber(event));
    window.addEventListener("hashchange", () => this.list && this.goToHash());
  }

  fullScreen(on) {
    this.root.classList.toggle("full-screen", on);
    this.root.querySelector("[data-log-full]").setAttribute("aria-pressed", String(on));
    this.stick();
  }
}

// A style as the sequence that makes it, for a block that is emptied and drawn again.
function sequence(style) {
  const codes = [];
  const names = [["bold", 1], ["dim", 2], ["italic", 3], ["underline", 4], ["inverse", 7], ["hidden", 8], ["strike", 9]];
  for (const [name, code] of names) if (style[name]) codes.push(code);
  for (const [value, base] of [[style.fg, 38], [style.bg, 48]]) {
    if (typeof value === "number") codes.push(base, 5, value);
    else if (value) codes.push(base, 2, ...value.match(/\d+/g));
  }
  return codes.length ? `\x1b[${codes.join(";")}m` : "";
}

function fileSize(count) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  let amount = count;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return unit ? `${amount.toFixed(1)} ${units[unit]}` : `${count} bytes`;
}
