// The lines of a log as blocks: each has an element of the right height, and is fetched when it comes near; of a block that
// is there, the groups of lines that are near are drawn (groups.js).
// A browser cannot show an element of any height, so of a very long log a window of blocks is in the page (window.js).
import { parseLine } from "./ansi.js";
import { Group, grouped } from "./groups.js";
import { Rows } from "./rows.js";
import { Sections } from "./sections.js";
import { Window } from "./window.js";
import { count } from "./words.js";

const LINE_HEIGHT = 20;
const FETCH_NEAR = 2000; // pixels above and below what is seen
const DRAW_NEAR = 500;
const LONGEST_FETCH = 1 << 20;
const KEEP_BLOCKS = 12;
const KEEP_GROUPS = 60;
const TRY_AGAIN = 1500;

// Past the browser's cache: there, parts of one address wait for each other, and for a log that grows meanwhile.
export async function fetchBytes(address, start, end) {
  const response = await fetch(address, { headers: { Range: `bytes=${start}-${end - 1}` }, cache: "no-store" });
  if (response.status !== 206) throw new Error(String(response.status));
  return response.arrayBuffer();
}

export class Blocks {
  // `drawn` is called whenever lines were drawn, or drawn lines were folded.
  constructor(scroller, address, times, drawn) {
    this.scroller = scroller;
    this.address = address;
    this.drawn = drawn;
    this.all = [];
    this.here = new Set(); // blocks whose lines are here
    this.grown = new Set(); // groups that are not drawn and have no room yet for their last lines
    this.sections = new Sections();
    this.rows = new Rows(times, this.sections, (section) => this.toggle(section));
    this.list = document.createElement("div");
    this.list.className = "log-lines";
    this.window = new Window(this);
    const watch = (action, near) => new IntersectionObserver((entries) => action(entries), { root: scroller, rootMargin: `${near}px 0px` });
    this.fetcher = watch((entries) => this.onNear(entries), FETCH_NEAR);
    this.drawer = watch((entries) => this.onSight(entries), DRAW_NEAR);
  }

  // { start, end: in bytes, line: the first one's number, lines: their count, style: sequences in force, state }, which is
  // "empty", "loading", "here", or "growing" at the end of a running job's log.
  add(block) {
    block.groups = [];
    block.element = document.createElement("div");
    block.element.className = "block";
    block.element.block = block;
    block.index = this.all.push(block) - 1;
    if (block.state === "growing") this.here.add(block);
    this.window.add(block);
    this.size(block);
    this.fetcher.observe(block.element);
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
    for (const group of block.groups) this.sizeGroup(group);
  }

  sizeGroup(group) {
    const seen = this.sections.seen(group.line, group.lines.length);
    group.element.hidden = seen === 0;
    group.element.style.height = group.drawn ? "" : `${seen * LINE_HEIGHT}px`;
  }

  onNear(entries) {
    for (const { target, isIntersecting } of entries) {
      target.block.near = isIntersecting;
      if (isIntersecting) this.load(target.block);
    }
    this.tidy();
  }

  onSight(entries) {
    for (const { target, isIntersecting } of entries) target.group.near = isIntersecting;
    this.tidy();
    this.drawGroups(this.groups().filter((group) => group.near));
  }

  // What is far away goes, but not from under somebody's selection.
  tidy() {
    const selection = getSelection();
    if (!selection.isCollapsed && this.list.contains(selection.anchorNode)) return;
    const far = this.drawnGroups().filter((group) => !group.near);
    this.emptyGroups(far.slice(0, Math.max(0, far.length - KEEP_GROUPS)));
    const away = [...this.here].filter((block) => block.state === "here" && !block.near);
    this.empty(away.slice(0, Math.max(0, this.here.size - KEEP_BLOCKS)));
  }

  // What is emptied keeps its height. All are asked before any is changed: otherwise each answer lays the page out anew.
  empty(blocks) {
    const heights = blocks.map(({ element }) => element.offsetHeight);
    for (const [index, block] of blocks.entries()) {
      block.state = "empty";
      this.here.delete(block);
      this.setGroups(block, []);
      block.element.style.height = `${heights[index] || this.height(block)}px`;
    }
  }

  emptyGroups(groups) {
    const heights = groups.map(({ element }) => element.offsetHeight);
    for (const [index, group] of groups.entries()) {
      group.drawn = false;
      group.element.replaceChildren();
      this.sizeGroup(group);
      if (heights[index]) group.element.style.height = `${heights[index]}px`;
    }
  }

  load(block) {
    if (block.state === "empty") {
      block.state = "loading";
      block.loading = this.fetchAndFill(block);
    }
    return block.loading;
  }

  async fetchAndFill(block) {
    const end = Math.min(block.end, block.start + LONGEST_FETCH);
    try {
      const bytes = await fetchBytes(this.address, block.start, end);
      this.fill(block, new Uint8Array(bytes));
      this.drawInSight();
    } catch {
      block.state = "empty";
      setTimeout(() => block.near && this.load(block), TRY_AGAIN);
    }
  }

  fill(block, bytes) {
    const decoder = new TextDecoder();
    const lines = [];
    let style = parseLine(block.style).style;
    for (let from = 0; from < bytes.length;) {
      const found = bytes.indexOf(10, from);
      const to = found < 0 ? bytes.length : found;
      const parsed = parseLine(decoder.decode(bytes.subarray(from, to)), style);
      style = parsed.style;
      lines.push({ parsed, offset: block.start + from });
      from = to + 1;
    }
    const length = block.end - block.start;
    if (bytes.length < length) lines.at(-1).more = ` … this line is ${count(length)} bytes long, see Raw`;
    block.state = "here";
    this.here.add(block);
    this.setGroups(block, grouped(lines, block.line));
    this.size(block);
  }

  setGroups(block, groups) {
    for (const { element } of block.groups) this.drawer.unobserve(element);
    block.groups = groups;
    block.element.replaceChildren(...groups.map((group) => group.element));
    for (const { element } of groups) this.drawer.observe(element);
  }

  // One more line at the end of a growing block. After some of them: `settle`.
  push(block, line) {
    let group = block.groups.at(-1);
    if (!group || group.full) {
      group = new Group(block.line + block.lines);
      block.groups.push(group);
      block.element.append(group.element);
      this.drawer.observe(group.element);
    }
    group.lines.push(line);
    block.lines += 1;
    if (group.drawn) group.element.append(this.rows.build(block.line + block.lines - 1, line));
    else this.grown.add(group);
  }

  settle() {
    for (const group of this.grown) this.sizeGroup(group);
    this.grown.clear();
    this.window.size(1);
  }

  groups() {
    return [...this.here].flatMap((block) => block.groups);
  }

  drawnGroups() {
    return this.groups().filter((group) => group.drawn);
  }

  // Draw what is seen now, before anything is painted: the observer tells of it one frame later, and of what is near it.
  drawInSight() {
    const frame = this.scroller.getBoundingClientRect();
    const isSeen = ({ element }) => {
      const { top, bottom, height } = element.getBoundingClientRect();
      return height > 0 && bottom > frame.top && top < frame.bottom;
    };
    const seen = [...this.here].filter(isSeen).flatMap((block) => block.groups.filter((group) => !group.drawn && isSeen(group)));
    return this.drawGroups(seen);
  }

  // → whether there was anything to draw
  drawGroups(groups) {
    const fresh = groups.filter((group) => !group.drawn);
    for (const group of fresh) {
      group.drawn = true;
      group.element.replaceChildren(...group.lines.map((line, index) => this.rows.build(group.line + index, line)));
      this.sizeGroup(group);
    }
    if (fresh.length) this.drawn();
    return fresh.length > 0;
  }

  toggle(section) {
    this.sections.toggle(section);
    this.refold();
  }

  // What is folded has changed, or a section has ended.
  refold() {
    for (const block of this.all) this.size(block);
    for (const line of this.drawnLines()) this.rows.refold(line);
    this.window.fit();
    this.drawInSight();
    this.drawn();
  }

  // All lines that are drawn, in order; those of blocks outside the window too: they come back as they are.
  drawnLines() {
    const groups = this.drawnGroups().sort((one, other) => one.line - other.line);
    return groups.flatMap(({ element }) => [...element.children]);
  }

  // Mark the lines from the first to the second of `ends` as chosen, and one line as the place at which a search is.
  mark({ selected = this.rows.selected, current = this.rows.current }) {
    Object.assign(this.rows, { selected, current });
    for (const line of this.drawnLines()) this.rows.mark(line);
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
    await this.load(block);
    const group = block.groups.find((one) => one.holds(number));
    if (!group) return;
    this.drawGroups([group]);
    this.scrollTo(group.element.children[number - group.line], 0);
    this.drawInSight();
  }

  // A third of the way down: what came before a line says more than what comes after it.
  scrollTo(element, offset) {
    const { scroller } = this;
    const top = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top + offset;
    scroller.scrollTop += top - scroller.clientHeight / 3;
  }

  close() {
    this.fetcher.disconnect();
    this.drawer.disconnect();
    this.window.close();
  }
}
