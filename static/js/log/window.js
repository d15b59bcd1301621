// Which blocks of a log are in the page. Browsers cap an element's height (Firefox at 17.9 million pixels), so of a log that
// is longer there is a window of blocks; it moves on when an end of it comes into sight.

const MOST = 12_000_000;

export class Window {
  constructor(blocks) {
    this.blocks = blocks;
    this.first = 0;
    this.end = 0; // behind the last one
    this.partial = null;
    this.moved = () => {}; // called when what is seen has another place in the window
    this.before = this.edge(() => this.first);
    this.after = this.edge(() => this.end - 1);
    blocks.list.append(this.before, this.after);
    this.observer = new IntersectionObserver((entries) => this.onEdge(entries), { root: blocks.scroller });
    this.observer.observe(this.before);
    this.observer.observe(this.after);
  }

  edge(block) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "beyond";
    button.hidden = true;
    button.textContent = "More lines …";
    button.addEventListener("click", () => this.around(block()));
    return button;
  }

  // Observed anew, an edge tells again where it is: somebody who scrolls on at once may never have lost sight of it.
  onEdge(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting || target.hidden) continue;
      const { first, end } = this;
      target.click();
      if (first === this.first && end === this.end) continue;
      this.observer.unobserve(target);
      this.observer.observe(target);
    }
  }

  get atEnd() {
    return this.end === this.blocks.all.length;
  }

  // Put in what was added behind the window, if the window reaches to it.
  grow() {
    const { all } = this.blocks;
    const fresh = all.slice(this.end).map((block) => block.element);
    this.after.before(...fresh);
    this.end = all.length;
    if (this.pixels(this.first, this.end) > MOST) this.around(all.length - 1);
  }

  // The line at the end of the log that is not whole yet, or null.
  showPartial(line) {
    if (this.partial !== line) this.partial?.remove();
    this.partial = line;
    if (line && this.atEnd) this.after.before(line);
  }

  pixels(first, end) {
    let sum = 0;
    for (let index = first; index < end; index++) sum += this.blocks.height(this.blocks.all[index]);
    return sum;
  }

  include(index) {
    if (index >= 0 && (index < this.first || index >= this.end)) this.around(index);
  }

  // Folding makes room for more, or takes it.
  fit() {
    const { all } = this.blocks;
    const whole = this.first === 0 && this.atEnd;
    if (!all.length || (whole && this.pixels(0, all.length) <= MOST)) return;
    this.around(this.blocks.all.findIndex((block) => block.near && block.element.isConnected));
  }

  // Make the window one of the greatest height, with this block in its middle as far as there are others.
  around(index) {
    const { all, scroller, list } = this.blocks;
    const middle = index < 0 ? all.length - 1 : index;
    let [first, end, left] = [middle, middle + 1, MOST - this.blocks.height(all[middle])];
    let moved = true;
    while (moved) {
      moved = false;
      for (const [open, next] of [[first > 0, first - 1], [end < all.length, end]]) {
        if (!open || this.blocks.height(all[next]) > left) continue;
        left -= this.blocks.height(all[next]);
        if (next < first) first = next;
        else end = next + 1;
        moved = true;
      }
    }
    if (first === this.first && end === this.end) return;
    const place = all[middle].element;
    const was = place.isConnected ? place.getBoundingClientRect().top : null;
    this.first = first;
    this.end = end;
    this.before.hidden = first === 0;
    this.after.hidden = end === all.length;
    list.replaceChildren(this.before, ...all.slice(first, end).map((block) => block.element), this.after);
    this.showPartial(this.partial);
    if (was === null) return;
    scroller.scrollTop += place.getBoundingClientRect().top - was;
    this.moved();
  }

  close() {
    this.observer.disconnect();
  }
}
