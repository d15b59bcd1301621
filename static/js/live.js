// A page stays true without being loaded again: when the server says that something changed, the page is fetched once more
// and its live regions (elements with data-live and an id) are exchanged for the new ones.
import { Stream } from "./stream.js";

const AT_MOST_EVERY = 400;
const HIDDEN_EVERY = 20000;
let stream = null;
let streamAddress = "";
let timer = 0;
let last = 0;
let waiting = false;

export async function load(response) {
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// Somebody is typing in it, has typed, or has a dialog of it open: it is left alone until the next time.
function inUse(region) {
  if ([...region.querySelectorAll("[popover]")].some((dialog) => dialog.matches(":popover-open"))) return true;
  const active = document.activeElement;
  if (region.contains(active) && active.matches("input, textarea, select")) return true;
  return [...region.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value !== field.defaultValue);
}

function exchange(old, fresh) {
  if (old.outerHTML === fresh.outerHTML || inUse(old)) return;
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const label = active && (active.getAttribute("aria-label") || active.textContent);
  const scroll = old.scrollLeft;
  const node = document.importNode(fresh, true);
  old.replaceWith(node);
  node.scrollLeft = scroll;
  if (active) {
    const same = [...node.querySelectorAll("a, button")].find((item) => (item.getAttribute("aria-label") || item.textContent) === label);
    (same || document.getElementById("main")).focus({ preventScroll: true });
  }
}

export function show(page) {
  for (const fresh of page.querySelectorAll("[data-live][id]")) {
    const old = document.getElementById(fresh.id);
    if (old) exchange(old, fresh);
  }
  document.title = page.title;
  follow();
  document.dispatchEvent(new CustomEvent("skerry:shown"));
}

async function fetchAgain() {
  waiting = false;
  last = Date.now();
  try {
    const response = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
    if (response.ok && new URL(response.url).pathname === location.pathname) show(await load(response));
  } catch {
    // The server is away for a moment; the next notice or the next look brings it.
  }
}

export function refresh() {
  if (waiting) return;
  waiting = true;
  clearTimeout(timer);
  timer = setTimeout(fetchAgain, Math.max(0, last + AT_MOST_EVERY - Date.now()));
}

// The element that says where changes of this page are told may come and go with the state of what it shows.
function follow() {
  const address = document.querySelector("[data-stream]")?.dataset.stream || "";
  const place = address.split("?")[0];
  if (place === streamAddress && stream && !stream.ended) return;
  stream?.stop();
  streamAddress = place;
  stream = place ? new Stream(() => document.querySelector("[data-stream]")?.dataset.stream || address, { changed: refresh }) : null;
}

export function startLive() {
  follow();
  // Out of sight a page holds no connection (a browser has six for a host), but its title and icon stay true.
  setInterval(() => {
    if (document.hidden && document.querySelector("[data-stream], [data-events]")) refresh();
  }, HIDDEN_EVERY);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && document.querySelector("[data-stream], [data-events]")) refresh();
  });
}
