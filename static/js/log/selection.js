// Lines that somebody chose: an address (#L120-L140), a mark, and their text to copy without numbers and colours.
import { parseLine, plainText } from "./ansi.js";
import { fetchBytes } from "./blocks.js";

const HASH = /^#L(\d{1,10})(?:-L?(\d{1,10}))?$/;
const MOST = 10_000;

// → [first, last] or null
export function linesOfHash(hash) {
  const match = HASH.exec(hash);
  return match && [Number(match[1]), Number(match[2] || match[1])].sort((one, other) => one - other);
}

export function hashOfLines([first, last]) {
  return first === last ? `#L${first}` : `#L${first}-L${last}`;
}

export class Selection {
  // `bar` shows what is chosen, and has the buttons.
  constructor(bar, view) {
    this.bar = bar;
    this.view = view;
    this.words = bar.querySelector("[data-log-chosen]");
    const on = (name, action) => bar.querySelector(`[data-log-${name}]`).addEventListener("click", action);
    on("copy", (event) => this.copy(event.currentTarget, () => this.text()));
    on("link", (event) => this.copy(event.currentTarget, () => location.href));
    on("clear", () => this.choose(null));
  }

  // The first end of a range stays where it is while the other is moved.
  extend(number) {
    this.anchor ??= this.view.blocks.rows.selected?.[0] ?? number;
    this.choose([Math.min(this.anchor, number), Math.max(this.anchor, number)], this.anchor);
  }

  choose(ends, anchor = ends?.[0]) {
    this.anchor = anchor;
    history.replaceState(history.state, "", ends ? hashOfLines(ends) : location.pathname + location.search);
    this.show(ends);
  }

  show(ends) {
    this.view.blocks.mark({ selected: ends });
    this.bar.hidden = !ends;
    if (ends) this.words.textContent = ends[0] === ends[1] ? `Line ${ends[0]}` : `Lines ${ends[0]}–${ends[1]}`;
  }

  async copy(button, get) {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(await get());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  // The chosen lines as plain text, read anew: they may not be drawn.
  async text() {
    const { blocks, root } = this.view;
    const [first, last] = blocks.rows.selected;
    const end = Math.min(last, first + MOST - 1);
    const from = blocks.holding(first);
    const bytes = await fetchBytes(root.dataset.raw, from.start, blocks.holding(end).end);
    const lines = new TextDecoder().decode(bytes).split("\n").slice(first - from.line, end - from.line + 1);
    return lines.map((line) => plainText(parseLine(line).runs)).join("\n");
  }
}
