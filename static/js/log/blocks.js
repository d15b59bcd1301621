// The lines of a log as blocks: each has an element of the right height, and is drawn when it comes near.
// A browser cannot show an element of any height, so of a very long log a window of blocks is in the page (window.js).
import { duration } from "../clock.js";
import { parseLine } from "./ansi.js";
import { note, renderLine } from "./line.js";
import { Sections } from "./sections.js";
import { Window } from "./window.js";

const LINE_HEIGHT = 20;
const LONGEST_FETCH = 1 << 20;
const KEEP_DRAWN = 12;
const TRY_AGAIN = 1500;

// Past the browser's cache: there, parts of one address wait for each other, and for a log that grows meanwhile.
export async function fetchBytes(address, start, end) {
  const response = await fetch(address, { headers: { Range: `bytes=${start}-${end - 1}` }, cache: "no-store" });
  if (response.status !== 206) throw new Error(String(response.status));
  return response.arrayBuffer();
}

export class Blocks {
  // `drawn` is called whenever a block was drawn, or drawn lines were folded.
  constructor(scroller, address, times, drawn) {
    this.scroller = scroller;
    this.address = address;
    this.times = times;
    this.drawn = drawn;
    this.selected = null;
    this.current = null;
    this.all = [];
    this.sections = new Sections();
    this.list = document.createElement("div");
    this.list.className = "log-lines";
    this.window = new Window(this);
    this.observer = new IntersectionObserver((entries) => this.onSight(entries), { root: scroller, rootMargin: "1500px 0px" });
  }

  // { start, end: in bytes, line: the first one's number, lines: their count, style: sequences in force, state }
  add(block) {
    block.element = document.createElement("div");
    block.element.className = "block";
    block.element.block = block;
    block.index = this.all.push(block) - 1;
    this.size(block);
    this.observer.observe(block.element);
    return block;
  }

  // The same, at the end of what is seen.
  append(block) {
    const { atEnd } = this.window;
    this.add(block);
    if (atEnd) this.window.grow();
    return block;
  }

  seen(block) {
    return this.sections.seen(block.line, block.lines);
  }

  height(block) {
    return this.seen(block) * LINE_HEIGHT;
  }

  isEmpty(block) {
    return block.state === "empty" || block.state === "loading";
  }

  // An empty block takes the room that its lines will take; one that is folded away is not there to be seen and drawn.
  size(block) {
    const empty = this.isEmpty(block);
    const seen = empty ? this.seen(block) : 1;
    block.element.hidden = seen === 0;
    block.element.style.height = empty ? `${seen * LINE_HEIGHT}px` : "";
  }

  onSight(entries) {
    for (const { target, isIntersecting } of entries) {
      target.block.near = isIntersecting;
      if (isIntersecting) this.draw(target.block);
    }
    const drawn = this.all.filter((block) => block.state === "drawn");
    for (const block of drawn.filter((one) => !one.near).slice(0, Math.max(0, drawn.length - KEEP_DRAWN))) this.empty(block);
  }

  empty(block) {
    const height = block.element.offsetHeight;
    block.state = "empty";
    block.element.replaceChildren();
    block.element.style.height = `${height || this.height(block)}px`;
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
      const bytes = await fetchBytes(this.address, block.start, end);
      this.fill(block, new Uint8Array(bytes));
    } catch {
      block.state = "empty";
      setTimeout(() => block.near && this.draw(block), TRY_AGAIN);
    }
  }

  fill(block, bytes) {
    const decoder = new TextDecoder();
    const fragment = document.createDocumentFragment();
    let style = parseLine(block.style).style;
    let number = block.line;
    for (let from = 0; from < bytes.length; number += 1) {
      const found = bytes.indexOf(10, from);
      const to = found < 0 ? bytes.length : found;
      const parsed = parseLine(decoder.decode(bytes.subarray(from, to)), style);
      style = parsed.style;
      fragment.append(this.line(number, parsed, block.start + from));
      from = to + 1;
    }
    const length = block.end - block.start;
    if (bytes.length < length) note(fragment.lastChild.lastChild, ` … this line is ${length.toLocaleString("en")} bytes long, see Raw`);
    block.state = "drawn";
    block.element.replaceChildren(fragment);
    block.element.style.height = "";
    this.drawn();
  }

  // One line with what belongs to it: its time, the button and duration of a section's header, folding, the chosen's mark.
  line(number, parsed, offset) {
    const line = renderLine(number, parsed.runs);
    line.moment = parsed.moment ?? this.times.at(offset);
    if (this.times.on) this.times.show(line);
    const section = parsed.runs.length || !parsed.markers.length ? this.sections.headed(number) : undefined;
    if (section) this.header(line, section);
    line.hidden = this.sections.hides(number);
    this.markLine(line, number);
    return line;
  }

  header(line, section) {
    line.classList.add("section");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "fold";
    button.setAttribute("aria-expanded", String(!section.folded));
    button.setAttribute("aria-label", `Section ${section.name}`);
    button.addEventListener("click", () => {
      this.sections.toggle(section);
      this.refold();
    });
    line.insertBefore(button, line.lastChild);
    if (section.end !== null) this.took(line, section);
  }

  took(line, section) {
    const label = document.createElement("span");
    label.className = "took";
    label.textContent = duration(section.end - section.start);
    line.lastChild.append(label);
  }

  // What is folded has changed, or a section has ended.
  refold() {
    for (const block of this.all) {
      this.size(block);
      for (const line of block.element.children) this.refoldLine(line, Number(line.dataset.line));
    }
    this.window.fit();
    this.drawn();
  }

  refoldLine(line, number) {
    line.hidden = this.sections.hides(number);
    const button = line.querySelector(":scope > .fold");
    const section = button && this.sections.headed(number);
    if (!section) return;
    button.setAttribute("aria-expanded", String(!section.folded));
    if (section.end !== null && !line.querySelector(".took")) this.took(line, section);
  }

  // All lines that are drawn, those of blocks outside the window too: they come back as they are.
  drawnLines() {
    return this.all.flatMap((block) => [...block.element.children]);
  }

  isSelected(number) {
    return this.selected !== null && number >= this.selected[0] && number <= this.selected[1];
  }

  markLine(line, number) {
    line.classList.toggle("marked", this.isSelected(number));
    line.classList.toggle("current", number === this.current);
  }

  // Mark the lines from the first to the second of `ends` as chosen, and one line as the place at which a search is.
  mark({ selected = this.selected, current = this.current }) {
    this.selected = selected;
    this.current = current;
    for (const line of this.drawnLines()) this.markLine(line, Number(line.dataset.line));
  }

  // The block that holds a line.
  holding(number) {
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.all[middle].line <= number) low = middle + 1;
      else high = middle;
    }
    return this.all[low - 1];
  }

  // Bring a line into sight, wherever it is.
  async reveal(number) {
    if (this.sections.reveal(number)) this.refold();
    const block = this.holding(number);
    if (!block) return;
    this.window.include(block.index);
    block.near = true;
    this.scrollTo(block.element, (number - block.line) * LINE_HEIGHT);
    await this.draw(block);
    const line = block.element.querySelector(`[data-line="${number}"]`);
    if (line) this.scrollTo(line, 0);
  }

  // A third of the way down: what came before a line says more than what comes after it.
  scrollTo(element, offset) {
    const { scroller } = this;
    const top = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top + offset;
    scroller.scrollTop += top - scroller.clientHeight / 3;
  }

  close() {
    this.observer.disconnect();
    this.window.close();
  }
}
