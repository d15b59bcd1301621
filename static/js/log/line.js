// Parsed lines as elements. Text goes in as text nodes and nothing else, so nothing that a job prints can be markup.
import { PLAIN } from "./ansi.js";
import { count } from "./words.js";

const LONGEST = 10000;
const LINK = /https?:\/\/[^\s<>"'`\\^{}|]*[^\s<>"'`\\^{}|.,;:!?)\]]/g;

function colour(element, name, value) {
  if (value === null || value === undefined) return;
  if (typeof value === "number") element.classList.add((name === "color" ? "f" : "g") + value);
  else element.style.setProperty(name === "color" ? "color" : "background-color", value);
}

// Text in a colour too dark for the log's dark ground is mixed with white until it can be read (WCAG's 4.5 : 1).
const DARKEST = 0.2;

function luminance([red, green, blue]) {
  const linear = (part) => (part / 255) ** 2.2;
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function readable(value) {
  let parts = value.match(/\d+/g).map(Number);
  while (luminance(parts) < DARKEST) parts = parts.map((part) => Math.ceil(part + (255 - part) / 10));
  return `rgb(${parts.join(" ")})`;
}

function styled(style) {
  const element = document.createElement("span");
  let { fg, bg } = style;
  if (style.inverse) [fg, bg] = [bg ?? "var(--log-ground)", fg ?? 7];
  if (typeof fg === "string" && bg === null && !style.inverse) fg = readable(fg);
  if (style.bold && typeof fg === "number" && fg < 8) fg += 8;
  colour(element, "color", fg);
  colour(element, "background-color", bg);
  for (const [name, short] of [["bold", "b"], ["dim", "d"], ["italic", "i"], ["underline", "u"], ["strike", "s"], ["hidden", "h"]]) {
    if (style[name]) element.classList.add(short);
  }
  return element;
}

function appendText(parent, text) {
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    parent.append(text.slice(from, match.index));
    const link = document.createElement("a");
    link.href = match[0];
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    link.textContent = match[0];
    parent.append(link);
    from = match.index + match[0].length;
  }
  if (from < text.length) parent.append(text.slice(from));
}

export function renderRuns(target, runs) {
  let left = LONGEST;
  for (const { text, style } of runs) {
    const shown = text.length > left ? text.slice(0, left) : text;
    if (style === PLAIN) appendText(target, shown);
    else {
      const element = styled(style);
      appendText(element, shown);
      target.append(element);
    }
    left -= shown.length;
    if (shown.length < text.length) break;
  }
  const length = runs.reduce((sum, run) => sum + run.text.length, 0);
  if (length > LONGEST) note(target, ` … ${count(length - LONGEST)} more characters, see Raw`);
}

export function note(target, text) {
  const element = document.createElement("span");
  element.className = "more";
  element.textContent = text;
  target.append(element);
}

export function renderLine(number, runs) {
  const line = document.createElement("div");
  line.className = "line";
  line.dataset.line = number;
  const label = document.createElement("a");
  label.className = "n";
  label.href = `#L${number}`;
  label.dataset.n = number;
  label.tabIndex = -1;
  label.setAttribute("aria-hidden", "true");
  const text = document.createElement("span");
  text.className = "t";
  renderRuns(text, runs);
  line.append(label, text);
  return line;
}
