// Pages that nothing tells of changes look again every so many seconds (data-refresh) while they are seen.
import { refresh } from "./live.js";

export function startRefresh() {
  const every = Number(document.querySelector("[data-refresh]")?.dataset.refresh);
  if (every > 0) {
    const look = () => document.hidden || refresh();
    setInterval(look, every * 1000);
    document.addEventListener("visibilitychange", look);
  }
  const button = document.querySelector("[data-full-screen]");
  if (!button || !document.fullscreenEnabled) return;
  button.hidden = false;
  button.addEventListener("click", () => document.documentElement.requestFullscreen());
}
