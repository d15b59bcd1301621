// The palette (Ctrl-K): type a few letters or a number, choose, go. The server answers with what the visitor may open.
import { element, openDialog } from "./dialog.js";

const PAUSE_MS = 120;

class Palette {
  constructor(address) {
    this.address = address;
    this.asked = 0;
    this.chosen = 0;
    this.items = [];
    this.list = element("ul", { id: "palette-list", role: "listbox" });
    this.list.setAttribute("aria-label", "Where to go");
    this.state = element("p", { role: "status" });
    this.field = element("input", { type: "search", placeholder: "Project, page, #pipeline or #job", autocomplete: "off", spellcheck: false });
    for (const [name, value] of [["role", "combobox"], ["aria-label", "Go to"], ["aria-expanded", "true"], ["aria-controls", "palette-list"], ["aria-autocomplete", "list"]]) {
      this.field.setAttribute(name, value);
    }
    this.dialog = element("dialog", { className: "palette" }, this.field, this.list, this.state);
    this.dialog.setAttribute("aria-label", "Go to");
    this.field.addEventListener("input", () => this.later());
    this.field.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("click", (event) => this.open([...this.list.children].indexOf(event.target.closest("li"))));
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE_MS);
  }

  // An answer that comes behind a newer question is dropped.
  async ask() {
    const turn = ++this.asked;
    try {
      const response = await fetch(`${this.address}?q=${encodeURIComponent(this.field.value)}`);
      const { items } = await response.json();
      if (turn === this.asked) this.show(items);
    } catch {
      if (turn === this.asked) this.state.textContent = "The server does not answer.";
    }
  }

  show(items) {
    this.items = items;
    this.list.replaceChildren(...items.map(({ title, kind }, index) => {
      const row = element("li", { id: `palette-${index}`, role: "option" }, element("span", { textContent: title }), element("span", { className: "quiet", textContent: kind }));
      return row;
    }));
    this.state.textContent = items.length ? "" : "Nothing fits.";
    this.choose(0);
  }

  choose(index) {
    this.chosen = Math.max(0, Math.min(this.items.length - 1, index));
    [...this.list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === this.chosen)));
    const row = this.list.children[this.chosen];
    if (row) this.field.setAttribute("aria-activedescendant", row.id);
    else this.field.removeAttribute("aria-activedescendant");
    row?.scrollIntoView({ block: "nearest" });
  }

  onKey(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) this.choose(this.chosen + moves[event.key]);
    else if (event.key === "Enter") this.open(this.chosen);
    else return;
    event.preventDefault();
  }

  open(index) {
    if (this.items[index]) location.assign(this.items[index].url);
  }
}

export function openPalette() {
  const address = document.querySelector("[data-palette]")?.dataset.palette;
  if (!address) return;
  const palette = new Palette(address);
  if (!openDialog(palette.dialog)) return;
  palette.field.focus();
  palette.ask();
}
