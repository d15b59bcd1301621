// Keys that lead somewhere: along the rows of a page, to what stands beside it, to the places of a project.
import { takeKeys } from "./keys.js";

const ROWS = "main tbody tr, main .rows > li, main .board > li, main .job-card";

// Each row is stood for by its first link, which takes the focus: so Enter opens it, and readers of screens hear it.
function moveRow(by) {
  const links = [...document.querySelectorAll(ROWS)].map((row) => row.querySelector("a[href]")).filter((link) => link?.offsetParent);
  const at = links.findIndex((link) => link.closest("tr, li, .job-card").contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
  links[next]?.focus();
  links[next]?.scrollIntoView({ block: "nearest" });
}

function takeRowKeys() {
  const keys = [["j", "Next row", () => moveRow(1)], ["k", "Previous row", () => moveRow(-1)]];
  const field = document.querySelector("[data-log]") ? null : document.querySelector("main input[type=search]");
  if (field) keys.unshift(["/", "Search", () => field.focus()]);
  takeKeys("This page", keys);
}

// The page of a job or a pipeline has neighbours, and a pipeline's can be retried and canceled (a job's keys are its log's).
function takeSubjectKeys() {
  const [address, kind] = location.pathname.match(/^.+\/-\/(job|pipeline)s\/\d+$/) || [];
  if (!address) return;
  const step = (way) => () => location.assign(`${address}/${way}`);
  takeKeys("Beside it", [["[", `Previous ${kind}`, step("previous")], ["]", `Next ${kind}`, step("next")]]);
  if (kind !== "pipeline") return;
  const form = (verb) => [...document.forms].find((one) => new URL(one.action).pathname === `${address}/${verb}`);
  // A key is hit by mistake more easily than a button.
  const cancel = () => form("cancel") && (form("cancel").getAttribute("hx-confirm") || confirm("Cancel this pipeline?")) && form("cancel").requestSubmit();
  takeKeys("The pipeline", [["r", "Retry failed jobs", () => form("retry")?.requestSubmit()], ["c", "Cancel", cancel]]);
}

function takePlaceKeys(heading, places) {
  const known = places.map(([key, what, selector]) => [key, what, document.querySelector(selector)]);
  const keys = known.filter(([, , link]) => link).map(([key, what, link]) => [`g ${key}`, what, () => link.click()]);
  if (keys.length) takeKeys(heading, keys);
}

export function startPlaces() {
  takeRowKeys();
  takeSubjectKeys();
  takePlaceKeys("In the project", [
    ["o", "Overview", ".tabs a:first-child"],
    ["e", "Environments", '.tabs a[href$="/-/environments"]'],
    ["s", "Settings", '.tabs a[href$="/-/settings"]'],
  ]);
  takePlaceKeys("Anywhere", [
    ["h", "All projects", ".brand"],
    ["b", "Wall board", '.top a[href$="/-/board"]'],
    ["u", "Your profile", '.top a[href$="/-/profile"]'],
  ]);
}
