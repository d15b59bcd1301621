// Search in the whole log: the server tells which lines hold the words, what comes later is looked at here.
import { plainText } from "./ansi.js";
import { count } from "./words.js";

const PAUSE = 250;
const PAINT = "log-found";

export class Search {
  // `form` holds an input, an output and buttons; `view` is the LogView.
  constructor(form, view) {
    this.form = form;
    this.view = view;
    this.input = form.querySelector("input");
    this.output = form.querySelector("output");
    this.words = "";
    this.clear();
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), PAUSE);
    });
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-log-next]").addEventListener("click", () => this.step(1));
    form.querySelector("[data-log-previous]").addEventListener("click", () => this.step(-1));
  }

  clear() {
    this.lines = []; // the numbers of lines that hold the words, rising
    this.held = new Set();
    this.total = 0;
    this.place = -1;
    this.scanned = 0;
    this.waiting = null; // what comes while the server is asked
  }

  async onKey(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      const pending = this.input.value.toLowerCase() !== this.words;
      if (pending) await this.search();
      else this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.input.value = "";
      await this.search();
      this.view.scroller.focus();
    }
  }

  async search() {
    clearTimeout(this.timer);
    const words = this.input.value.toLowerCase();
    this.words = words;
    this.clear();
    this.view.blocks.mark({ current: null });
    if (words) {
      this.waiting = [];
      this.output.textContent = "…";
      const found = await this.ask(words);
      if (this.words !== words) return; // somebody has typed on
      if (found) this.adopt(found);
      else this.output.textContent = "The search failed";
    } else {
      this.say();
    }
    this.paint();
    if (this.lines.length) await this.start();
  }

  async ask(words) {
    const url = new URL(this.view.root.dataset.search, location.href);
    url.searchParams.set("q", words);
    try {
      const response = await fetch(url);
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  adopt({ lines, total, scanned }) {
    this.lines = lines;
    this.held = new Set(lines);
    this.total = total;
    this.scanned = scanned;
    const later = this.waiting;
    this.waiting = null;
    for (const [number, text] of later) this.look(number, text);
    this.say();
  }

  // A new line of a running job.
  onLine(number, parsed) {
    if (!this.words) return;
    const text = plainText(parsed.runs);
    if (this.waiting) this.waiting.push([number, text]);
    else if (this.look(number, text)) this.say();
  }

  look(number, text) {
    // The last line that the server saw may not have been whole.
    if (number < this.scanned || this.held.has(number) || !text.toLowerCase().includes(this.words)) return false;
    this.lines.push(number);
    this.held.add(number);
    this.total += 1;
    return true;
  }

  // The first place to show: the next one from what is in sight, without leaving it where there is one.
  async start() {
    const top = this.view.firstLineInSight();
    const next = this.lines.findIndex((line) => line >= top);
    await this.go(next < 0 ? this.lines.length - 1 : next);
  }

  async step(by) {
    if (this.lines.length) await this.go((this.place + by + this.lines.length) % this.lines.length);
  }

  async go(place) {
    this.place = place;
    const line = this.lines[place];
    this.view.blocks.mark({ current: line });
    this.say();
    await this.view.reveal(line);
  }

  say() {
    if (!this.words) this.output.textContent = "";
    else if (!this.total) this.output.textContent = "Not found";
    else {
      const place = this.place >= 0 ? `${count(this.place + 1)} of ` : "";
      const folded = this.lines.filter((line) => this.view.blocks.sections.hides(line)).length;
      this.output.textContent = `${place}${count(this.total)} line${this.total === 1 ? "" : "s"}${folded ? `, ${count(folded)} folded away` : ""}`;
    }
  }

  // How many found lines lie in a section.
  within(section) {
    const end = section.endLine ?? Infinity;
    return this.lines.filter((line) => line > section.line && line < end).length;
  }

  // Colour what was found in the lines that are drawn, and count in the headers of folded sections. The page itself is not
  // touched for the colours, where the browser can do that.
  paint() {
    const { blocks } = this.view;
    const ranges = [];
    for (const line of blocks.drawnLines()) {
      if (this.held.has(Number(line.dataset.line)) && line.isConnected && !line.hidden) rangesIn(line.querySelector(".t"), this.words, ranges);
      if (line.classList.contains("section")) this.count(line, blocks.sections.headed(Number(line.dataset.line)));
    }
    if (globalThis.CSS?.highlights) CSS.highlights.set(PAINT, new Highlight(...ranges));
  }

  count(line, section) {
    let label = line.querySelector(".hits");
    const found = section?.folded ? this.within(section) : 0;
    if (!label && !found) return;
    if (!label) {
      label = document.createElement("span");
      label.className = "hits";
      line.lastChild.append(label);
    }
    label.textContent = found ? `${count(found)} found` : "";
  }
}

// The places of `words` in the text below `element`, as ranges, whatever elements they reach across.
function rangesIn(element, words, ranges) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  let text = "";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    nodes.push([text.length, node]);
    text += node.data;
  }
  const place = (offset) => {
    const [start, node] = nodes.findLast(([begin]) => begin <= offset);
    return [node, Math.min(offset - start, node.length)];
  };
  const low = text.toLowerCase();
  for (let at = low.indexOf(words); at >= 0; at = low.indexOf(words, at + words.length)) {
    const range = new Range();
    range.setStart(...place(at));
    range.setEnd(...place(at + words.length));
    ranges.push(range);
  }
}
