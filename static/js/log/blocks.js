// The lines of a log as blocks: each has an element of the right height, and is drawn when it comes near.
import { duration } from "../clock.js";
import { parseLine } from "./ansi.js";
import { note, renderLine } from "./line.js";
import { Sections } from "./sections.js";

const LINE_HEIGHT = 20;
const LONGEST_FETCH = 1 << 20;
const KEEP_DRAWN = 12;
const TRY_AGAIN = 3000;

export class Blocks {
  // `drawn` is called whenever a block was drawn.
  constructor(scroller, address, drawn) {
    this.scroller = scroller;
    this.address = address;
    this.drawn = drawn;
    this.selected = null;
    this.all = [];
    this.sections = new Sections();
    this.list = document.createElement("div");
    this.list.className = "log-lines";
    this.observer = new IntersectionObserver((entries) => this.onSight(entries), { root: scroller, rootMargin: "1500px 0px" });
  }

  // { start, end: in bytes, line: the first one's number, lines: their count, style: sequences in force, state }
  add(block) {
    block.element = document.createElement("div");
    block.element.className = "block";
    block.element.block = block;
    this.all.push(block);
    this.size(block);
    this.list.append(block.element);
    this.observer.observe(block.element);
    return block;
  }

  // An empty block takes the room that its lines will take.
  size(block) {
    const empty = block.state === "empty" || block.state === "loading";
    block.element.style.height = empty ? `${this.sections.seen(block.line, block.lines) * LINE_HEIGHT}px` : "";
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
      const response = await fetch(this.address, { headers: { Range: `bytes=${block.start}-${end - 1}` } });
      if (response.status !== 206) throw new Error(String(response.status));
      this.fill(block, new Uint8Array(await response.arrayBuffer()));
    } catch {
      block.state = "empty";
      setTimeout(() => block.near && this.draw(block), TRY_AGAIN);
    }
  }

  fill(block, bytes) {
    const text = new TextDecoder().decode(bytes).split("\n");
    if (text.at(-1) === "") text.pop();
    const fragment = document.createDocumentFragment();
    let style = parseLine(block.style).style;
    text.forEach((line, index) => {
      const parsed = parseLine(line, style);
      style = parsed.style;
      fragment.append(this.line(block.line + index, parsed));
    });
    const length = block.end - block.start;
    if (bytes.length < length) note(fragment.lastChild.lastChild, ` … this line is ${length.toLocaleString("en")} bytes long, see Raw`);
    block.state = "drawn";
    block.element.replaceChildren(fragment);
    block.element.style.height = "";
    this.drawn();
  }

  // One line with what belongs to it: the button and duration of a section's header, folding, the mark of the chosen.
  line(number, parsed) {
    const line = renderLine(number, parsed.runs);
    const section = parsed.runs.length || !parsed.markers.length ? this.sections.headed(number) : undefined;
    if (section) this.header(line, section);
    line.hidden = this.sections.hides(number);
    line.classList.toggle("marked", this.isSelected(number));
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
  }

  refoldLine(line, number) {
    line.hidden = this.sections.hides(number);
    const button = line.querySelector(":scope > .fold");
    const section = button && this.sections.headed(number);
    if (!section) return;
    button.setAttribute("aria-expanded", String(!section.folded));
    if (section.end !== null && !line.querySelector(".took")) this.took(line, section);
  }

  isSelected(number) {
    return this.selected !== null && number >= this.selected[0] && number <= this.selected[1];
  }

  // Mark the lines from the first to the second of `ends`.
  select(ends) {
    this.selected = ends;
    for (const line of this.list.querySelectorAll(".line")) {
      line.classList.toggle("marked", this.isSelected(Number(line.dataset.line)));
    }
  }

  // Bring a line into sight, wherever it is.
  async reveal(number) {
    if (this.sections.reveal(number)) this.refold();
    const block = this.all.findLast((one) => one.line <= number);
    if (!block) return;
    block.near = true;
    block.element.scrollIntoView();
    await this.draw(block);
    block.element.querySelector(`[data-line="${number}"]`)?.scrollIntoView({ block: "center" });
  }

  close() {
    this.observer.disconnect();
  }
}
