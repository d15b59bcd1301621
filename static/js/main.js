// The pages work without this; it makes them live. Each module looks for what it needs and leaves the rest alone.
import { startClock } from "./clock.js";
import { startCopyButtons } from "./copy.js";
import { startNotices } from "./notify.js";
import { startPalette } from "./palette.js";
import { startPlaces } from "./places.js";
import { startRefresh } from "./refresh.js";
import { startForms } from "./forms.js";
import { startGraph } from "./graph.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startLog } from "./log/view.js";
import { startSuggestions } from "./suggest.js";

startCopyButtons();
startNotices();
startPalette();
startPlaces();
startRefresh();
startForms();
startClock();
startLive();
startLog();
startGraph();
startSuggestions();
startKeys();
