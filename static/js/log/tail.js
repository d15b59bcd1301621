// The end of a log that still grows: bytes come in pieces of any size and are cut into lines and blocks.
import { parseLine } from "./ansi.js";
import { renderLine } from "./line.js";

const BLOCK_LINES = 500;
const LONGEST_PARTIAL = 1 << 16;

export class Tail {
  // From byte `received` on, where line `nextLine` begins in the style `style`. `onLine` gets every new line, parsed.
  constructor(blocks, { received, nextLine, style, onLine }) {
    this.onLine = onLine;
    this.blocks = blocks;
    this.received = received;
    this.nextLine = nextLine;
    this.style = style;
    this.pending = [];
    this.partial = null;
    this.block = null;
  }

  // How many lines there are, the one at work included.
  get lines() {
    return this.nextLine - 1 + (this.partial ? 1 : 0);
  }

  append(bytes) {
    const lineStart = this.received - this.pendingLength();
    this.received += bytes.length;
    const whole = bytes.lastIndexOf(10) + 1;
    this.showPartial(null);
    if (whole) {
      this.appendLines(joined([...this.pending, bytes.subarray(0, whole)]), lineStart);
      this.pending = [];
    }
    if (whole < bytes.length) this.pending.push(bytes.slice(whole));
    this.drawPartial();
  }

  // Nothing more comes: the last line is whole as it is.
  finish() {
    if (!this.pending.length) return;
    const received = this.received;
    this.append(new Uint8Array([10]));
    this.received = received;
    this.block.end = received;
  }

  pendingLength() {
    return this.pending.reduce((sum, piece) => sum + piece.length, 0);
  }

  // The line that is not whole yet: its end counts, which is what a progress bar writes last.
  drawPartial() {
    if (!this.pending.length) return;
    const shown = joined(this.pending).subarray(-LONGEST_PARTIAL);
    const line = renderLine(this.nextLine, parseLine(new TextDecoder().decode(shown), this.style).runs);
    line.hidden = this.blocks.sections.hides(this.nextLine);
    this.showPartial(line);
  }

  showPartial(line) {
    this.partial = line;
    this.blocks.window.showPartial(line);
  }

  appendLines(bytes, offset) {
    const decoder = new TextDecoder();
    let refold = false;
    let from = 0;
    while (from < bytes.length) {
      const to = bytes.indexOf(10, from) + 1;
      const before = this.style;
      const parsed = parseLine(decoder.decode(bytes.subarray(from, to - 1)), before);
      this.style = parsed.style;
      for (const marker of parsed.markers) refold = this.blocks.sections.mark(marker, this.nextLine) || refold;
      const block = this.blockFor(offset + from, before);
      this.blocks.push(block, { parsed, offset: offset + from });
      this.onLine(this.nextLine, parsed);
      block.end = offset + to;
      this.nextLine += 1;
      from = to;
    }
    this.blocks.settle();
    if (refold) this.blocks.refold();
  }

  blockFor(start, style) {
    if (!this.block || this.block.lines >= BLOCK_LINES) {
      if (this.block) this.block.state = "here";
      this.block = this.blocks.append({ start, end: start, line: this.nextLine, lines: 0, style: sequence(style), state: "growing" });
    }
    return this.block;
  }
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
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
