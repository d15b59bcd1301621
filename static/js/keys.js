// Keys. One table says what each does; the list that `?` shows is made of it. No key acts while somebody is typing,
// while a dialog is open, or where another module has taken the event.
import { element, openDialog } from "./dialog.js";
import { openPalette } from "./palette.js";

const PLACES = { p: "pipelines", o: "overview", s: "settings", e: "environments", h: "projects", b: "board", u: "profile" };
const SEQUENCE_MS = 1500;
let prefix = "";
let timer = 0;

const KEYS = [
  { keys: ["?"], text: "Show this list", run: showKeys },
  { keys: ["/"], text: "Search on this page", run: focusSearch },
  { keys: ["j"], text: "Next row", run: () => moveRow(1) },
  { keys: ["k"], text: "Previous row", run: () => moveRow(-1) },
  { keys: ["["], text: "Previous job or pipeline", run: () => step("previous") },
  { keys: ["]"], text: "Next job or pipeline", run: () => step("next") },
  { keys: ["r"], text: "Retry this job or pipeline", run: () => act("retry") },
  { keys: ["c"], text: "Cancel this job or pipeline", run: () => act("cancel", "Cancel it?") },
  { keys: ["g", "p"], text: "Go to the project’s pipelines" },
  { keys: ["g", "o"], text: "Go to the project’s overview" },
  { keys: ["g", "e"], text: "Go to the project’s environments" },
  { keys: ["g", "s"], text: "Go to the project’s settings" },
  { keys: ["g", "h"], text: "Go to all projects" },
  { keys: ["g", "b"], text: "Go to the wall board" },
  { keys: ["g", "u"], text: "Go to your profile" },
];
const LOG_KEYS = [["f", "Follow the log"], ["t", "Show times in the log"]];

function focusSearch() {
  const field = document.querySelector("main input[type=search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}

// Each row is stood for by its first link, which takes the focus: so Enter opens it, and readers of screens hear it.
function moveRow(by) {
  const rows = [...document.querySelectorAll("main tbody tr, main .rows > li, main .board > li, main .job-card")];
  const links = rows.map((row) => row.querySelector("a[href]")).filter((link) => link?.offsetParent);
  if (!links.length) return false;
  const at = links.findIndex((link) => link.closest("tr, li, .job-card")?.contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
  return true;
}

const subject = () => location.pathname.match(/^.+\/-\/(?:jobs|pipelines)\/\d+$/)?.[0];

function step(way) {
  if (!subject()) return false;
  location.assign(`${subject()}/${way}`);
  return true;
}

function act(verb, question) {
  const form = subject() && [...document.forms].find((one) => new URL(one.action).pathname === `${subject()}/${verb}`);
  if (!form) return false;
  if (!question || form.dataset.confirm || window.confirm(question)) form.requestSubmit();
  return true;
}

function go(letter) {
  const link = document.querySelector(`[data-go="${PLACES[letter]}"]`);
  if (link) location.assign(link.href);
  return Boolean(link);
}

function showKeys() {
  const list = element("dl");
  const add = (keys, text) => {
    const names = element("dt");
    keys.forEach((key, index) => names.append(...(index ? [" "] : []), element("kbd", { textContent: key })));
    list.append(names, element("dd", { textContent: text }));
  };
  add(["Ctrl", "K"], "Go anywhere");
  for (const { keys, text } of KEYS) add(keys, text);
  if (document.querySelector(".log")) for (const [key, text] of LOG_KEYS) add([key], text);
  const close = element("button", { className: "button small", type: "button", textContent: "Close" });
  const heading = element("div", { className: "heading" }, element("h2", { id: "keys-title", textContent: "Keys" }), close);
  const dialog = element("dialog", { className: "keys" }, heading, list);
  dialog.setAttribute("aria-labelledby", "keys-title");
  close.addEventListener("click", () => dialog.close());
  return openDialog(dialog);
}

const isTyping = (target) => target.closest?.("input, textarea, select, [contenteditable]");

function onKey(event) {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  const busy = event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target);
  if (event.defaultPrevented || busy || document.querySelector("dialog[open]")) return;
  if (press(event.key)) event.preventDefault();
}

function press(key) {
  const before = prefix;
  prefix = "";
  clearTimeout(timer);
  if (before === "g") return go(key);
  if (key === "g") {
    prefix = key;
    timer = setTimeout(() => { prefix = ""; }, SEQUENCE_MS);
    return true;
  }
  return KEYS.find(({ keys, run }) => run && keys[0] === key)?.run() ?? false;
}

export function startKeys() {
  document.addEventListener("keydown", onKey);
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.hidden = false;
    button.addEventListener("click", openPalette);
  }
}
