// The palette (Ctrl-K): type a few letters or a number, choose, go. The server answers with what the visitor may open.
const PAUSE_MS = 120;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

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
    this.dialog.addEventListener("close", () => this.dialog.remove());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
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

function openPalette(address) {
  if (document.querySelector("dialog[open]")) return;
  const palette = new Palette(address);
  document.body.append(palette.dialog);
  palette.dialog.showModal();
  palette.field.focus();
  palette.ask();
}

export function startPalette() {
  const button = document.querySelector("[data-palette]");
  if (!button) return;
  const open = () => openPalette(button.dataset.palette);
  button.hidden = false;
  button.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
}
