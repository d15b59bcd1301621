// The palette (Ctrl-K): type a few letters or a number, choose, go. htmx asks the server, which answers with links.

export function startPalette() {
  const dialog = document.getElementById("palette");
  const button = document.querySelector("[data-palette]");
  if (!dialog || !button) return;
  const field = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const chosen = () => list.querySelector("[aria-selected=true]");
  let answered = null; // the text that the rows answer
  let kept = ""; // where the row leads that was chosen with the arrows, for an answer that comes after that
  let opens = false; // Enter was pressed before the answer to what was typed came

  const choose = (wanted) => {
    const rows = [...list.children];
    const at = Math.max(0, Math.min(rows.length - 1, wanted));
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
    field.setAttribute("aria-activedescendant", rows[at]?.id || "");
    rows[at]?.scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    choose([...list.children].indexOf(chosen()) + by);
    kept = chosen()?.href || "";
  };
  const enter = () => {
    opens = field.value !== answered;
    if (!opens) chosen()?.click();
  };
  const forget = () => {
    kept = "";
    opens = false;
  };
  const show = ({ detail }) => {
    answered = detail.requestConfig.parameters.q;
    choose([...list.children].findIndex((row) => row.href === kept));
    if (opens && dialog.open) enter();
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
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter") enter();
    else return;
    event.preventDefault();
  });
  field.addEventListener("input", forget);
  list.addEventListener("htmx:afterSwap", show);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    field.value = "";
    forget();
  });
}
