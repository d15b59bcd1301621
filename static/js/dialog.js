// What the palette and the list of keys share: one modal dialog at a time, closed by Escape or a click beside it.

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function openDialog(dialog) {
  if (document.querySelector("dialog[open]")) return false;
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove(), { once: true });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.showModal();
  return true;
}
