// A page stays true without being loaded again. When something changed, <main> looks again (hx-get), and htmx puts the parts
// that come (hx-swap-oob) where they belong; forms that act in place are answered in the same way. This module says when to
// look, and keeps htmx from taking away what somebody has begun.
import { Stream } from "./stream.js";

const AT_MOST_EVERY = 400;
const HIDDEN_EVERY = 20000;
let stream = null;
let streamAddress = "";
let timer = 0;
let last = 0;
let hadFocus = false;

const page = () => document.getElementById("page").dataset;

// Looks again, soon.
export function refresh() {
  timer ||= setTimeout(() => {
    timer = 0;
    last = Date.now();
    document.body.dispatchEvent(new Event("skerry:changed"));
  }, Math.max(0, last + AT_MOST_EVERY - Date.now()));
}

// Where changes of this page are told may come and go with the state of what it shows.
function follow() {
  const address = page().stream || "";
  const place = address.split("?")[0];
  if (place === streamAddress && stream && !stream.ended) return;
  stream?.stop();
  streamAddress = place;
  stream = place ? new Stream(() => page().stream || address, { changed: refresh }) : null;
}

// Somebody writes in it, has written, has chosen text, or has a dialog of it open: it is left alone until the next time.
function inUse(part) {
  const active = document.activeElement;
  if (part.contains(active) && active.matches("input, textarea, select")) return true;
  if (part.querySelector(":popover-open")) return true;
  const chosen = getSelection();
  if (!chosen.isCollapsed && part.contains(chosen.anchorNode)) return true;
  return [...part.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value !== field.defaultValue);
}

// What is unfolded stays so, told apart by its heading.
function unfold(part, fragment) {
  const heading = (details) => details.querySelector("summary").textContent;
  const open = new Map([...part.querySelectorAll("details")].map((details) => [heading(details), details.open]));
  for (const details of fragment.querySelectorAll("details")) details.open = open.get(heading(details)) ?? details.open;
}

function beforePart({ detail }) {
  const { target, fragment } = detail;
  unfold(target, fragment);
  if (target.id === "messages" && fragment.querySelector(".failed")) target.scrollIntoView({ block: "nearest" });
  detail.shouldSwap = fragment.innerHTML !== target.innerHTML && !inUse(target);
  hadFocus ||= detail.shouldSwap && target.contains(document.activeElement);
}

function shown() {
  document.getElementById("favicon").href = page().icon;
  follow();
  // htmx gives the focus back to what has the same id; what is gone leaves it to the page.
  if (hadFocus && document.activeElement === document.body) document.getElementById("main").focus({ preventScroll: true });
  hadFocus = false;
  document.dispatchEvent(new CustomEvent("skerry:shown"));
}

// What was written has been sent, so that it no longer keeps its part from being exchanged. Of an error only the parts count.
function beforeAnswer({ detail }) {
  const { verb, elt } = detail.requestConfig;
  if (detail.isError) {
    detail.swapOverride = "none";
  } else if (verb === "post") {
    elt.reset();
    elt.closest("[popover]")?.hidePopover();
  }
}

// A page that only looks again does so the next time; whoever sent or asked something is told, if the answer does not say it.
function unanswered({ detail: { requestConfig, xhr } }) {
  if (requestConfig.elt.id === "main" || (requestConfig.verb === "post" && xhr.responseText.includes('id="messages"'))) return;
  const said = document.createElement("p");
  const plain = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
  said.className = "notice failed";
  said.textContent = plain ? xhr.responseText : "The server does not answer. Try again in a few seconds.";
  const place = requestConfig.elt.closest("dialog")?.querySelector("[role=status]") || document.getElementById("messages");
  place.replaceChildren(said);
  place.scrollIntoView({ block: "nearest" });
}

export function startLive() {
  const told = () => document.querySelector("[data-stream], [data-events], main[hx-trigger*=every]");
  const listen = (name, listener) => document.addEventListener(name, listener);
  listen("htmx:configRequest", ({ detail }) => { detail.path = detail.path.split("#")[0]; }); // and scrolls nowhere
  // Out of sight nothing looks again by the clock alone, and no connection is held (a browser has six for a host); but the
  // title and icon of what changes stay true.
  listen("htmx:beforeRequest", (event) => document.hidden && !event.detail.requestConfig.triggeringEvent && event.preventDefault());
  listen("visibilitychange", () => document.hidden || (told() && refresh()));
  setInterval(() => document.hidden && document.querySelector("[data-stream], [data-events]") && refresh(), HIDDEN_EVERY);
  listen("htmx:oobBeforeSwap", beforePart);
  listen("htmx:beforeSwap", beforeAnswer);
  listen("htmx:afterOnLoad", shown);
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) listen(name, unanswered);
  // Somebody may have been quicker than htmx: a search box that has the focus by now hears of it.
  document.addEventListener("htmx:load", () => document.activeElement.dispatchEvent(new Event("focus")), { once: true });
  follow();
}
