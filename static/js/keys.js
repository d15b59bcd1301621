// Keys of a page: each module says which it takes and what they do; `?` shows them all.
// A key is what KeyboardEvent.key says ("f", "F" with shift, "/"), or two of them in turn ("g p").

const IN_TURN = 1200;
const taken = [];
let first = "";
let timer = 0;

// [[key, what it does, action], …] under a heading in the list.
export function takeKeys(heading, keys) {
  taken.push({ heading, keys });
}

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
  const key = first ? `${first} ${event.key}` : event.key;
  const all = taken.flatMap((group) => group.keys);
  const action = (all.find(([name]) => name === key) || all.find(([name]) => name === event.key))?.[2];
  clearTimeout(timer);
  first = "";
  if (action) {
    event.preventDefault();
    action();
  } else if (all.some(([name]) => name.startsWith(`${event.key} `))) {
    first = event.key;
    timer = setTimeout(() => { first = ""; }, IN_TURN);
  }
}

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function showList() {
  const dialog = element("dialog", "", element("h2", "Keys"));
  dialog.className = "keys";
  for (const { heading, keys } of taken) {
    const rows = keys.map(([key, what]) => {
      const names = key.split(" ").flatMap((name) => [element("kbd", name), " "]);
      return element("div", "", element("dt", "", ...names), element("dd", what));
    });
    dialog.append(element("h3", heading), element("dl", "", ...rows));
  }
  const close = element("button", "Close");
  close.className = "button";
  close.addEventListener("click", () => dialog.close());
  dialog.append(close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export function startKeys() {
  const pipelines = document.querySelector('.tabs a[href$="/-/pipelines"]');
  if (pipelines) takeKeys("The project", [["g p", "Its pipelines", () => pipelines.click()]]);
  takeKeys("Everywhere", [["?", "Show this list", showList]]);
  document.addEventListener("keydown", onKey);
}
