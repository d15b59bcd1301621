// The palette (Ctrl-K): type a few letters or a number, choose, go. htmx asks the server, which answers with links.

export function startPalette() {
  const dialog = document.getElementById("palette");
  const button = document.querySelector("[data-palette]");
  if (!dialog || !button) return;
  const field = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const chosen = () => list.querySelector("[aria-selected=true]");

  const choose = (by) => {
    const rows = [...list.children];
    const at = Math.max(0, Math.min(rows.length - 1, rows.indexOf(chosen()) + by));
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
    field.setAttribute("aria-activedescendant", rows[at]?.id || "");
    rows[at]?.scrollIntoView({ block: "nearest" });
  };
  const open = () => document.querySelector("dialog[open]") || dialog.showModal();

  button.hidden = false;
  button.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(1);
    else if (event.key === "ArrowUp") choose(-1);
    else if (event.key === "Enter") chosen()?.click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("htmx:afterSwap", () => choose(0));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => { field.value = ""; });
}
