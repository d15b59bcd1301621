// Tells, where the visitor asked for it, that what a hidden page shows has ended. The page's icon says how it stands.

const KEPT = "skerry-notify";
const GOES_ON = new Set(["running", "pending", "waiting"]);
let before = "";

const supported = () => "Notification" in window;
const wanted = () => supported() && Notification.permission === "granted" && localStorage.getItem(KEPT) === "on";
const tone = () => document.getElementById("favicon")?.getAttribute("href")?.match(/favicon-(\w+)\.svg$/)?.[1] || "";

function look() {
  const now = tone();
  const ended = GOES_ON.has(before) && now && !GOES_ON.has(now);
  before = now;
  if (!ended || !document.hidden || !wanted()) return;
  const notice = new Notification(document.title, { tag: location.pathname, icon: document.getElementById("favicon").href });
  notice.addEventListener("click", () => { window.focus(); notice.close(); });
}

function describe(button, state) {
  button.textContent = wanted() ? "Stop notifying me" : "Notify me";
  button.setAttribute("aria-pressed", String(wanted()));
  const denied = Notification.permission === "denied";
  state.textContent = denied ? "This browser refuses notifications of this site." : wanted() ? "This browser notifies you." : "";
}

function offer(button) {
  const state = document.querySelector("[data-notify-state]");
  button.hidden = false;
  describe(button, state);
  button.addEventListener("click", async () => {
    if (wanted()) localStorage.setItem(KEPT, "off");
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEPT, "on");
    describe(button, state);
  });
}

export function startNotices() {
  if (!supported()) return;
  before = tone();
  document.addEventListener("skerry:shown", look);
  const button = document.querySelector("[data-notify]");
  if (button) offer(button);
}
