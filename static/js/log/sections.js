// The folding sections of a log, and which lines are out of sight because of them.

export class Sections {
  constructor() {
    this.all = [];
    this.byLine = new Map();
    this.hiddenRanges = [];
  }

  // As the index tells them: { name, line, started_at, collapsed, end_line, ended_at }.
  adopt(list) {
    for (const { name, line, started_at: start, collapsed, end_line: endLine, ended_at: end } of list) {
      this.add({ name, line, start, endLine, end, folded: collapsed });
    }
    this.recompute();
  }

  add(section) {
    this.all.push(section);
    const here = this.byLine.get(section.line);
    if (here) here.push(section);
    else this.byLine.set(section.line, [section]);
  }

  // A marker that came with the running log. → whether what is hidden may have changed
  mark(marker, line) {
    if (!marker.end) {
      const known = this.byLine.get(line)?.some((section) => section.name === marker.name);
      if (!known) this.add({ name: marker.name, line, start: marker.at, endLine: null, end: null, folded: marker.collapsed });
      if (marker.collapsed) this.recompute();
      return marker.collapsed;
    }
    const index = this.all.findLastIndex((section) => section.endLine === null && section.name === marker.name && section.line <= line);
    if (index < 0) return false;
    for (const section of this.all.slice(index)) {
      if (section.endLine === null) Object.assign(section, { endLine: line, end: marker.at });
    }
    this.recompute();
    return true;
  }

  // The section whose header is this line: the last one to start there.
  headed(line) {
    return this.byLine.get(line)?.at(-1);
  }

  toggle(section) {
    section.folded = !section.folded;
    this.recompute();
  }

  foldAll(folded) {
    for (const section of this.all) section.folded = folded;
    this.recompute();
  }

  // Fold nothing away from this line: somebody wants to see it.
  reveal(line) {
    let changed = false;
    for (const section of this.all) {
      if (section.folded && section.line < line && line < (section.endLine ?? Infinity)) {
        section.folded = false;
        changed = true;
      }
    }
    if (changed) this.recompute();
    return changed;
  }

  // What is hidden, as ranges that do not touch, in order; each with the count of lines hidden before it.
  recompute() {
    const ranges = this.all
      .filter((section) => section.folded)
      .map((section) => [section.line + 1, (section.endLine ?? Infinity) - 1])
      .filter(([from, to]) => from <= to)
      .sort((one, other) => one[0] - other[0]);
    this.hiddenRanges = [];
    for (const range of ranges) {
      const last = this.hiddenRanges.at(-1);
      if (last && range[0] <= last[1] + 1) last[1] = Math.max(last[1], range[1]);
      else this.hiddenRanges.push([...range]);
    }
    let before = 0;
    for (const range of this.hiddenRanges) {
      range[2] = before;
      before += range[1] - range[0] + 1;
    }
  }

  // The last hidden range that begins at this line or before.
  rangeAt(line) {
    let low = 0;
    let high = this.hiddenRanges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.hiddenRanges[middle][0] <= line) low = middle + 1;
      else high = middle;
    }
    return this.hiddenRanges[low - 1];
  }

  hides(line) {
    const range = this.rangeAt(line);
    return range !== undefined && line <= range[1];
  }

  // How many lines up to this one are hidden.
  hiddenUpTo(line) {
    const range = this.rangeAt(line);
    return range ? range[2] + Math.min(line, range[1]) - range[0] + 1 : 0;
  }

  // How many of `count` lines from `first` on can be seen.
  seen(first, count) {
    return count - (this.hiddenUpTo(first + count - 1) - this.hiddenUpTo(first - 1));
  }
}
