// The log of a job: its end at once, every other part when it is scrolled to, and what is added while the job runs.
//
// 1. The index says where blocks of whole lines lie, and the sections (blocks.js).
// 2. While the job runs, an event stream brings the bytes behind the last block (tail.js).
// 3. What people do: follow, scroll, wrap, full screen, addresses of lines.
import { refresh } from "../live.js";
import { Stream } from "../stream.js";
import { parseLine, PLAIN } from "./ansi.js";
import { Blocks } from "./blocks.js";
import { Tail } from "./tail.js";

const BOTTOM = 30;
const HASH = /^#L(\d{1,10})(?:-L?(\d{1,10}))?$/;

export function startLog() {
  const root = document.querySelector("[data-log]");
  if (root) new LogView(root).start();
}

class LogView {
  constructor(root) {
    this.root = root;
    this.scroller = root.querySelector(".log-scroll");
    this.events = root.dataset.events || "";
    this.follow = true;
    this.lastTop = 0;
    this.frame = 0;
    this.blocks = null;
    this.tail = null;
    this.stream = null;
    this.bindTools();
  }

  tool(name) {
    return this.root.querySelector(`[data-log-${name}]`);
  }

  async start() {
    this.scroller.scrollTop = this.scroller.scrollHeight; // the end that came with the page, until the rest is here
    let index;
    try {
      const response = await fetch(this.root.dataset.index);
      if (!response.ok) throw new Error(String(response.status));
      index = await response.json();
    } catch {
      this.tool("note").textContent = "The log could not be loaded; this is its end.";
      return;
    }
    if (!this.events && !index.size) return;
    this.build(index);
    this.tool("tools").hidden = false;
    if (this.events) this.listen();
    if (!this.goToHash()) this.toEnd();
  }

  build(index) {
    this.blocks?.close();
    this.blocks = new Blocks(this.scroller, this.root.dataset.raw, () => this.stick());
    this.blocks.sections.adopt(index.sections);
    const found = index.blocks.map(([start, line, lines, style], at) => (
      { start, end: index.blocks[at + 1]?.[0] ?? index.size, line, lines, style, state: "empty" }
    ));
    // The last line may not be whole yet: of a running job the stream sends the last block again from its start.
    const last = this.events ? found.pop() : null;
    for (const block of found) this.blocks.add(block);
    this.tail = new Tail(this.blocks, {
      received: last ? last.start : index.size,
      nextLine: last ? last.line : index.lines + 1,
      style: last ? parseLine(last.style).style : PLAIN,
    });
    if (found.length) this.scroller.replaceChildren(this.blocks.list);
    this.say();
  }

  // ---- while the job runs ----

  listen() {
    const address = () => {
      const url = new URL(this.events, location.href);
      url.searchParams.set("from", this.tail.received);
      url.searchParams.set("version", document.getElementById("job-head")?.dataset.version || "");
      return url.href;
    };
    this.stream = new Stream(address, {
      log: (event) => this.receive(event),
      changed: () => refresh(),
      reset: () => this.restart(),
      end: () => this.finish(),
    });
    this.tool("follow").hidden = false;
  }

  // The id is the offset behind the bytes: what was there already is left out, and a gap is noticed.
  receive(event) {
    const bytes = Uint8Array.from(atob(event.data), (character) => character.charCodeAt(0));
    const end = Number(event.lastEventId);
    const start = end - bytes.length;
    if (start > this.tail.received) {
      this.restart();
    } else if (end > this.tail.received) {
      if (!this.blocks.list.isConnected) this.scroller.replaceChildren(this.blocks.list);
      this.tail.append(bytes.subarray(this.tail.received - start));
      this.say();
      this.stick();
    }
  }

  finish() {
    this.tail.finish();
    this.events = "";
    this.tool("follow").hidden = true;
    this.say();
    this.stick();
    refresh();
  }

  restart() {
    this.stream?.stop();
    this.scroller.replaceChildren();
    this.start();
  }

  say() {
    const { lines, received } = this.tail;
    if (!lines) return;
    this.root.style.setProperty("--digits", String(Math.max(3, String(lines).length)));
    const count = lines === 1 ? "1 line" : `${lines.toLocaleString("en")} lines`;
    this.tool("note").textContent = `${count}, ${fileSize(received)}${this.events ? ", live" : ""}`;
  }

  // ---- moving about ----

  // To the end, once a frame however often lines come: asking for the height lays everything out.
  stick() {
    if (!this.follow || this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.follow) return;
      this.scroller.scrollTop = this.scroller.scrollHeight;
      this.lastTop = this.scroller.scrollTop;
    });
  }

  setFollow(on) {
    this.follow = on;
    this.tool("follow").setAttribute("aria-pressed", String(on));
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
    const match = HASH.exec(location.hash);
    if (!match) return false;
    const ends = [Number(match[1]), Number(match[2] || match[1])].sort((one, other) => one - other);
    this.blocks.select(ends);
    this.setFollow(false);
    this.blocks.reveal(ends[0]).then(() => { this.lastTop = this.scroller.scrollTop; });
    return true;
  }

  onLineNumber(event) {
    const label = event.target.closest(".n");
    if (!label) return;
    event.preventDefault();
    const number = Number(label.dataset.n);
    const from = event.shiftKey && this.blocks.selected ? this.blocks.selected[0] : number;
    const ends = [Math.min(from, number), Math.max(from, number)];
    history.replaceState(null, "", ends[0] === ends[1] ? `#L${ends[0]}` : `#L${ends[0]}-L${ends[1]}`);
    this.blocks.select(ends);
  }

  bindTools() {
    const on = (name, action) => this.tool(name).addEventListener("click", action);
    on("top", () => { this.setFollow(false); this.scroller.scrollTop = 0; });
    on("end", () => this.toEnd());
    on("follow", () => (this.follow ? this.setFollow(false) : this.toEnd()));
    on("wrap", () => this.wrap());
    on("full", () => this.fullScreen(!this.root.classList.contains("full-screen")));
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.fullScreen(false));
    this.scroller.addEventListener("scroll", () => this.blocks && this.onScroll(), { passive: true });
    this.scroller.addEventListener("click", (event) => this.blocks && this.onLineNumber(event));
    window.addEventListener("hashchange", () => this.blocks && this.goToHash());
  }

  wrap() {
    this.tool("wrap").setAttribute("aria-pressed", String(this.scroller.classList.toggle("wrap")));
    this.stick();
  }

  fullScreen(on) {
    this.root.classList.toggle("full-screen", on);
    this.tool("full").setAttribute("aria-pressed", String(on));
    this.stick();
  }
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
