// Ages ("3 minutes ago") and running durations go on counting.

const STEPS = [[31536000, "year"], [2592000, "month"], [86400, "day"], [3600, "hour"], [60, "minute"]];

export function age(seconds) {
  const distance = Math.abs(seconds);
  if (distance < 45) return seconds >= 0 ? "just now" : "in a moment";
  let words = "1 minute";
  for (const [length, unit] of STEPS) {
    if (distance >= length * 0.75) {
      const count = Math.max(1, Math.round(distance / length));
      words = `${count} ${unit}${count === 1 ? "" : "s"}`;
      break;
    }
  }
  return seconds >= 0 ? `${words} ago` : `in ${words}`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick(every) {
  const now = Date.now();
  for (const element of document.querySelectorAll("[data-since]")) {
    say(element, duration((now - Date.parse(element.dataset.since)) / 1000));
  }
  if (every % 15 !== 0) return;
  for (const element of document.querySelectorAll("time[data-age]")) {
    say(element, age((now - Date.parse(element.dateTime)) / 1000));
  }
}

export function startClock() {
  let count = 0;
  setInterval(() => document.hidden || tick(++count), 1000);
}
