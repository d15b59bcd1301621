// The lines of a block that was fetched, in groups: only groups near what is seen have elements for their lines, so that
// neither drawing nor laying out ever takes long enough to be felt.

const LINES = 25;

// A line: { parsed: by parseLine, offset: of its first byte in the log, more: what is to be said behind it, if anything }.
export class Group {
  constructor(line) {
    this.line = line; // the number of its first line
    this.lines = [];
    this.near = false;
    this.drawn = false;
    this.element = document.createElement("div");
    this.element.group = this;
  }

  get full() {
    return this.lines.length >= LINES;
  }

  holds(number) {
    return number >= this.line && number < this.line + this.lines.length;
  }
}

// The lines of a block, that starts with line number `line`, as groups.
export function grouped(lines, line) {
  const groups = [];
  for (let at = 0; at < lines.length; at += LINES) {
    const group = new Group(line + at);
    group.lines = lines.slice(at, at + LINES);
    groups.push(group);
  }
  return groups;
}
