// Buttons that need a script and are not shown without one: copying the command beside them, filling the screen.

function prepare({ detail: { elt } }) {
  for (const button of elt.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  for (const button of elt.querySelectorAll("[data-full-screen]")) button.hidden = !document.fullscreenEnabled;
}

async function copy(button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

export function startButtons() {
  document.addEventListener("htmx:load", prepare); // of the page, and of whatever comes into it
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-copy], [data-full-screen]");
    if (!button) return;
    if ("copy" in button.dataset) copy(button);
    else document.documentElement.requestFullscreen();
  });
}
