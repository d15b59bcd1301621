// What a line comes to while it is written as on a terminal: runs [{ text, style }].

// A line that only grows, or is written anew as a whole.
export class Runs {
  runs = [];

  write(text, style) {
    const last = this.runs.at(-1);
    if (last && last.style === style) last.text += text;
    else this.runs.push({ text, style });
  }

  clear() {
    this.runs = [];
  }

  back() {}

  cut() {}
}

// The same with a place to write at, which a backspace moves: what comes next goes over what is there. A cell for each
// character costs much more than runs, and few lines need it.
export class Cells {
  cells = [];
  at = 0;

  write(text, style) {
    for (const character of text) this.cells[this.at++] = { text: character, style };
  }

  clear() {
    this.cells = [];
    this.at = 0;
  }

  back() {
    if (this.at) this.at -= 1;
  }

  // Nothing is left from the place on.
  cut() {
    this.cells.length = this.at;
  }

  get runs() {
    const line = new Runs();
    for (const { text, style } of this.cells) line.write(text, style);
    return line.runs;
  }
}
