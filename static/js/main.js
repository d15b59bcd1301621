// The pages work without this; htmx and it make them live. Each module looks for what it needs and leaves the rest alone.
import { startButtons } from "./buttons.js";
import { startClock } from "./clock.js";
import { startNotices } from "./notify.js";
import { startPalette } from "./palette.js";
import { startPlaces } from "./places.js";
import { startGraph } from "./graph.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";

startButtons();
startNotices();
startPalette();
startPlaces();
startClock();
startLive();
startGraph();
startKeys();
// As much as all the others together, and for one page.
if (document.querySelector("[data-log]")) import("./log/view.js").then(({ startLog }) => startLog());
