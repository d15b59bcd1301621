// The log of a job: its end at once, every other part when it is scrolled to, and what is added while the job runs.
//
// 1. The index says where blocks of whole lines lie, and the sections (blocks.js).
// 2. While the job runs, an event stream brings the bytes behind the last block (tail.js).
// 3. What people do: buttons and keys (tools.js) for following, wrapping, times, full screen; search (search.js) and
//    choosing lines (selection.js).
import { refresh } from "../live.js";
import { Stream } from "../stream.js";
import { parseLine, PLAIN } from "./ansi.js";
import { Blocks } from "./blocks.js";
import { Follow } from "./follow.js";
import { Inbox } from "./inbox.js";
import { Search } from "./search.js";
import { linesOfHash, Selection } from "./selection.js";
import { keep, kept } from "./kept.js";
import { Tail } from "./tail.js";
import { Times } from "./times.js";
import { bindTools, takeLogKeys } from "./tools.js";
import { count, fileSize } from "./words.js";

export function startLog() {
  new LogView(document.querySelector("[data-log]")).start();
}

class LogView {
  constructor(root) {
    this.root = root;
    this.scroller = root.querySelector(".log-scroll");
    this.events = root.dataset.events || "";
    this.blocks = null;
    this.tail = null;
    this.inbox = new Inbox((event) => this.receive(event));
    this.stream = null;
    this.follow = new Follow(this.scroller, this.tool("follow"), () => this.blocks?.drawInSight());
    this.times = new Times(Date.parse(root.dataset.started));
    this.search = new Search(this.tool("search"), this);
    this.selection = new Selection(this.tool("selection"), this);
    bindTools(this);
    takeLogKeys(this);
    this.sayTimes();
    this.showWrap(kept("wrap") === "yes");
  }

  tool(name) {
    return this.root.querySelector(`[data-log-${name}]`);
  }

  async start() {
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
    this.tool("search").hidden = false;
    if (this.events) this.listen();
    if (!this.goToHash()) this.toEnd();
  }

  build(index) {
    this.blocks?.close();
    this.times.adopt(index.times);
    this.blocks = new Blocks(this.scroller, this.root.dataset.raw, this.times, () => this.onDrawn());
    this.blocks.window.moved = () => this.follow.stay();
    this.blocks.sections.adopt(index.sections);
    const found = index.blocks.map(([start, line, lines, style], at) => (
      { start, end: index.blocks[at + 1]?.[0] ?? index.size, line, lines, style, state: "empty" }
    ));
    // The last line may not be whole yet: of a running job the stream sends the last block again from its start.
    const last = this.events ? found.pop() : null;
    for (const block of found) this.blocks.add(block);
    if (found.length) this.blocks.window.around(found.length - 1);
    this.tail = new Tail(this.blocks, {
      received: last ? last.start : index.size,
      nextLine: last ? last.line : index.lines + 1,
      style: last ? parseLine(last.style).style : PLAIN,
      onLine: (number, parsed) => this.search.onLine(number, parsed),
    });
    if (index.last) this.fillEnd(decoded(index.last));
    if (this.tail.lines) this.place();
    this.openFailed();
    this.say();
  }

  // Instead of the end that came with the page.
  place() {
    this.scroller.classList.remove("at-end");
    this.scroller.replaceChildren(this.blocks.list);
  }

  // The last block came with the index.
  fillEnd(bytes) {
    if (this.events) this.tail.append(bytes);
    else this.blocks.fill(this.blocks.all.at(-1), bytes);
  }

  // ---- while the job runs ----

  listen() {
    const address = () => {
      const url = new URL(this.events, location.href);
      url.searchParams.set("from", this.tail.received);
      url.searchParams.set("version", document.getElementById("page").dataset.version || "");
      return url.href;
    };
    this.stream = new Stream(address, {
      log: (event) => this.inbox.add(event),
      times: (event) => this.times.adopt(JSON.parse(event.data)),
      changed: () => refresh(),
      reset: () => this.restart(),
      end: () => this.inbox.end(() => this.finish()),
    });
    this.tool("follow").hidden = false;
  }

  // The id is the offset behind the bytes: what was there already is left out, and a gap is noticed.
  receive(event) {
    const bytes = decoded(event.data);
    const end = Number(event.lastEventId);
    const start = end - bytes.length;
    if (start > this.tail.received) {
      this.restart();
    } else if (end > this.tail.received) {
      if (!this.blocks.list.isConnected) this.place();
      this.tail.append(bytes.subarray(this.tail.received - start));
      this.say();
      this.follow.stick();
    }
  }

  finish() {
    this.tail.finish();
    this.events = "";
    this.tool("follow").hidden = true;
    this.say();
    this.follow.stick();
    refresh();
  }

  restart() {
    this.stream?.stop();
    this.inbox.clear();
    this.scroller.replaceChildren();
    this.start();
  }

  say() {
    const { lines, received } = this.tail;
    if (!lines) return;
    this.makeRoom(Math.max(3, String(lines).length));
    this.tool("note").textContent = `${count(lines)} line${lines === 1 ? "" : "s"}, ${fileSize(received)}${this.events ? ", live" : ""}`;
    this.sayFold();
  }

  // For numbers of so many digits; all lines change with it.
  makeRoom(digits) {
    if (digits === this.digits) return;
    this.digits = digits;
    this.root.style.setProperty("--digits", String(digits));
  }

  sayFold() {
    const { all } = this.blocks.sections;
    this.tool("fold").hidden = !all.length;
    this.tool("fold").textContent = all.every((section) => section.folded) ? "Unfold all" : "Fold all";
  }

  onDrawn() {
    this.follow.stick();
    this.sayFold();
    if (this.search.words) {
      this.search.paint();
      this.search.say();
    }
  }

  // ---- moving about ----

  toEnd() {
    this.follow.set(true);
    this.blocks.window.include(this.blocks.all.length - 1);
    this.follow.stick();
  }

  onScroll() {
    this.follow.onScroll();
    this.blocks.drawInSight();
    this.scroller.classList.toggle("aside", this.scroller.scrollLeft > 0);
  }

  // [first, last] of the last lines that failed, or null; the server counts them from the end.
  failedLines() {
    const { first, last } = document.querySelector("#failure[data-first]")?.dataset || {};
    if (this.events || !Number(first)) return null;
    return [first, last].map((place) => Math.max(1, this.tail.lines - Number(place) + 1));
  }

  showFailed() {
    const ends = this.failedLines();
    if (!ends) return;
    this.openFailed();
    this.blocks.mark({ selected: ends });
    this.reveal(ends[0]);
  }

  // The page says anew how the job stands: the failed section is opened, whatever the job asked for.
  openFailed() {
    const ends = this.blocks && this.failedLines();
    if (ends?.map((line) => this.blocks.sections.reveal(line)).includes(true)) this.blocks.refold();
  }

  goToHash() {
    if (location.hash === "#failure" && this.failedLines()) {
      this.showFailed();
      return true;
    }
    const ends = linesOfHash(location.hash);
    if (!ends) return false;
    this.selection.show(ends);
    this.reveal(ends[0]);
    return true;
  }

  async reveal(number) {
    this.follow.set(false);
    await this.blocks.reveal(number);
    this.root.scrollIntoView({ block: "nearest" });
    this.follow.stay();
  }

  firstLineInSight() {
    const top = this.scroller.getBoundingClientRect().top;
    const line = this.blocks.drawnLines().find((one) => one.isConnected && !one.hidden && one.getBoundingClientRect().bottom > top);
    return line ? Number(line.dataset.line) : 1;
  }

  onLineNumber(event) {
    const label = event.target.closest(".n");
    if (!label) return;
    event.preventDefault();
    const number = Number(label.dataset.n);
    if (event.shiftKey) this.selection.extend(number);
    else this.selection.choose([number, number]);
  }

  toTop() {
    this.follow.set(false);
    this.blocks.window.include(0);
    this.scroller.scrollTop = 0;
  }

  toggleWrap() {
    const on = !this.scroller.classList.contains("wrap");
    keep("wrap", on ? "yes" : "no");
    this.showWrap(on);
  }

  toggleFollow() {
    if (this.follow.on) this.follow.set(false);
    else this.toEnd();
  }

  foldAll() {
    const { sections } = this.blocks;
    sections.foldAll(!sections.all.every((section) => section.folded));
    this.blocks.refold();
  }

  nextTimes() {
    this.times.next();
    for (const line of this.blocks.drawnLines()) this.times.show(line);
    this.sayTimes();
  }

  sayTimes() {
    this.tool("times").textContent = `Times: ${this.times.mode}`;
    this.root.classList.toggle("with-times", this.times.on);
  }

  showWrap(on) {
    this.scroller.classList.toggle("wrap", on);
    this.tool("wrap").setAttribute("aria-pressed", String(on));
    this.follow.stick();
  }

  toggleFull() {
    this.fullScreen(!this.root.classList.contains("full-screen"));
  }

  fullScreen(on) {
    this.root.classList.toggle("full-screen", on);
    this.tool("full").setAttribute("aria-pressed", String(on));
    this.follow.stick();
  }
}

// The bytes in a text in base64.
function decoded(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at);
  return bytes;
}
