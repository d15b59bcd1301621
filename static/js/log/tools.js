// The buttons and keys of a log.
import { takeKeys } from "../keys.js";

export function bindTools(view) {
  const on = (name, action) => view.tool(name).addEventListener("click", action);
  on("top", () => view.toTop());
  on("end", () => view.toEnd());
  on("follow", () => view.toggleFollow());
  on("fold", () => view.foldAll());
  on("times", () => view.nextTimes());
  on("wrap", () => view.toggleWrap());
  on("full", () => view.toggleFull());
  view.root.addEventListener("keydown", (event) => event.key === "Escape" && view.fullScreen(false));
  const whenBuilt = (target, name, action) => target.addEventListener(name, (event) => view.blocks && action(event), { passive: name === "scroll" });
  whenBuilt(view.scroller, "scroll", () => view.onScroll());
  whenBuilt(view.scroller, "click", (event) => view.onLineNumber(event));
  whenBuilt(window, "hashchange", () => view.goToHash());
  whenBuilt(document, "skerry:shown", () => view.openFailed());
}

export function takeLogKeys(view) {
  const keys = [
    ["/", "Search", () => view.search.input.focus()],
    ["n", "Next line found", () => view.search.step(1)],
    ["N", "Previous line found", () => view.search.step(-1)],
    ["f", "Follow the end, or let go", () => view.toggleFollow()],
    ["t", "Times: off, since the start, local, UTC", () => view.nextTimes()],
    ["w", "Wrap long lines", () => view.toggleWrap()],
    ["e", "To the lines that failed", () => view.showFailed()],
    ["F", "Full screen", () => view.toggleFull()],
  ];
  takeKeys("The log", keys.map(([key, what, action]) => [key, what, () => view.blocks && action()]));
  const press = (action) => () => document.querySelector(`#job-head form[action$="/${action}"] button`)?.click();
  // A key is hit by mistake more easily than a button.
  const cancel = () => document.querySelector('#job-head form[action$="/cancel"]') && confirm("Cancel this job?") && press("cancel")();
  takeKeys("The job", [["r", "Retry", press("retry")], ["c", "Cancel", cancel]]);
}
