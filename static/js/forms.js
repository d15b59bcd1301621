// Forms ask before they destroy something, and act in place: the page they lead to is put into this one.
import { load, show } from "./live.js";

async function send(form) {
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    const response = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "X-Requested-With": "fetch" },
    });
    const target = new URL(response.url);
    if (target.pathname !== location.pathname) {
      location.assign(response.url);
      return;
    }
    const page = await load(response);
    // What was written has been sent, so that it no longer keeps its region from being exchanged.
    form.reset();
    form.closest("[popover]")?.hidePopover();
    show(page);
  } catch {
    form.submit(); // the connection broke: the browser shows its own page about it
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
      event.preventDefault();
      return;
    }
    if ("inPlace" in form.dataset) {
      event.preventDefault();
      send(form);
    }
  });
}
