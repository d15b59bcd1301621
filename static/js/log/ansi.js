// One line of a log as runs of styled text. Nothing here touches the page: what comes out is text and style, never markup.
// The server's own reading of a line is app/domain/plain_log.py; a test holds the two against each other.
import { Cells, Runs } from "./screen.js";

// Tokens, in order: CSI, OSC (titles, links), DCS and its kin, other escapes, a section's marker, a carriage return, controls.
const TOKEN = /\x1b\[([0-9;:?<=>!]*)[ -\/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)|\x1b[ -\/]*[0-~]?|section_(start|end):(\d{1,12}):([A-Za-z0-9_.-]{1,200})(?:\[([^\]\r\n]{0,200})\])?\r|\r|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

export const PLAIN = Object.freeze({ fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, inverse: false, hidden: false, strike: false });

// What GitLab's runner writes before every line: when, which stream, and whether the line before goes on.
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) [0-9a-f]{2}[EO][+ ]/;

// → { runs: [{ text, style }], style: in force afterwards, markers: [{ end, at, name, collapsed }], moment: in ms, if told }
export function parseLine(line, style = PLAIN) {
  const found = { runs: [], style, markers: [], moment: undefined };
  const screen = line.includes("\b") ? new Cells() : new Runs();
  let overwrite = false;
  const stamp = STAMP.exec(line);
  if (stamp) {
    found.moment = Date.parse(stamp[1]);
    line = line.slice(stamp[0].length);
  }
  let from = 0;
  const push = (text) => {
    if (!text) return;
    if (overwrite) screen.clear();
    overwrite = false;
    screen.write(text, found.style);
  };
  for (const token of line.matchAll(TOKEN)) {
    push(line.slice(from, token.index));
    from = token.index + token[0].length;
    if (token[3]) {
      found.markers.push({ end: token[3] === "end", at: Number(token[4]), name: token[5], collapsed: /(?:^|,)collapsed=true(?:,|$)/.test(token[6] || "") });
      overwrite = true;
    } else if (token[0] === "\r") {
      overwrite = true;
    } else if (token[0] === "\b") {
      if (!overwrite) screen.back();
    } else if (token[2] === "m") {
      found.style = restyle(found.style, token[1]);
    } else if (token[2] === "K" && /^[12]?$/.test(token[1]) && (token[1] || overwrite)) {
      screen.clear();
    } else if (token[2] === "K" && /^0?$/.test(token[1])) {
      screen.cut();
    }
  }
  push(line.slice(from));
  found.runs = screen.runs;
  return found;
}

export function plainText(runs) {
  return runs.map((run) => run.text).join("");
}

function restyle(style, parameters) {
  const codes = parameters.split(";").map((code) => code.split(":").map(Number)); // Number("") is 0, as it is meant
  let next = style;
  for (let at = 0; at < codes.length; at++) {
    const [code, ...parts] = codes[at];
    if (COLOURED[code]) {
      const given = parts.length ? parts : codes.slice(at + 1, at + 5).map(([first]) => first);
      if (!parts.length) at += { 5: 2, 2: 4 }[given[0]] ?? 1;
      const colour = extended(given, parts.length > 4 ? 2 : 1);
      if (colour !== undefined && COLOURED[code] !== "line") next = { ...next, [COLOURED[code]]: colour };
    } else if (code === 4 && parts.length) {
      next = { ...next, underline: parts[0] !== 0 }; // 4:3, a wavy line, say
    } else {
      next = simple(next, code);
    }
  }
  return next;
}

// What 38, 48 and 58 colour; lines below text have the text's colour here.
const COLOURED = { 38: "fg", 48: "bg", 58: "line" };

// What follows 38: 5, N or 2, R, G, B, and between colons 2, a colour space, R, G, B → colour, undefined if there is none
function extended(given, first) {
  if (given[0] === 5) return palette(given[1]);
  if (given[0] !== 2) return undefined;
  const parts = given.slice(first, first + 3);
  const good = parts.length === 3 && parts.every((part) => part >= 0 && part <= 255);
  return good ? `rgb(${parts.join(" ")})` : undefined;
}

function palette(number) {
  if (!(number >= 0 && number <= 255)) return undefined;
  if (number < 16) return number;
  if (number >= 232) {
    const grey = 8 + (number - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const level = (value) => (value ? 55 + value * 40 : 0);
  const cube = number - 16;
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}

const SWITCHES = {
  1: { bold: true }, 2: { dim: true }, 3: { italic: true }, 4: { underline: true }, 7: { inverse: true }, 8: { hidden: true }, 9: { strike: true },
  21: { underline: true }, 22: { bold: false, dim: false }, 23: { italic: false }, 24: { underline: false }, 27: { inverse: false }, 28: { hidden: false }, 29: { strike: false },
  39: { fg: null }, 49: { bg: null },
};

function simple(style, code) {
  if (code === 0) return PLAIN;
  if (SWITCHES[code]) return { ...style, ...SWITCHES[code] };
  if (code >= 30 && code <= 37) return { ...style, fg: code - 30 };
  if (code >= 40 && code <= 47) return { ...style, bg: code - 40 };
  if (code >= 90 && code <= 97) return { ...style, fg: code - 82 };
  if (code >= 100 && code <= 107) return { ...style, bg: code - 92 };
  return style;
}
