// The graph of a pipeline: what leads to a job and what follows it lights up. Without this, lines are there all the same.

let traced = "";

function graph() {
  return document.querySelector("#graph .graph");
}

// All keys that can be reached from `key` along lines, `from` one end of each `to` the other.
function reach(key, lines, from, to) {
  const next = new Map();
  for (const { dataset } of lines) {
    if (!next.has(dataset[from])) next.set(dataset[from], []);
    next.get(dataset[from]).push(dataset[to]);
  }
  const found = new Set([key]);
  for (const here of found) { // what is added meanwhile is visited too
    for (const other of next.get(here) || []) found.add(other);
  }
  return found;
}

function trace(key) {
  traced = key;
  const root = graph();
  if (!root) return;
  const lines = [...root.querySelectorAll("path[data-from]")];
  const before = key ? reach(key, lines, "to", "from") : new Set();
  const after = key ? reach(key, lines, "from", "to") : new Set();
  const joined = before.size + after.size > 2;
  root.classList.toggle("tracing", joined);
  for (const line of lines) {
    const { from, to } = line.dataset;
    line.classList.toggle("lit", joined && ((before.has(from) && before.has(to)) || (after.has(from) && after.has(to))));
  }
  for (const card of root.querySelectorAll("[data-key]")) {
    card.classList.toggle("lit", joined && (before.has(card.dataset.key) || after.has(card.dataset.key)));
  }
}

function follow(event) {
  const key = event.target.closest?.("#graph [data-key]")?.dataset.key || "";
  if (key !== traced) trace(key);
}

export function startGraph() {
  document.addEventListener("pointerover", follow);
  document.addEventListener("focusin", follow);
  document.addEventListener("skerry:shown", () => traced && trace(traced));
}
