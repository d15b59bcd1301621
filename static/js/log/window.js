// Which blocks of a log are in the page. Browsers cap an element's height (Firefox at 17.9 million pixels), so of a log that
// is longer there is a window of blocks; it moves on when an end of it comes into sight. They come and go in stacks: to lay
// out one child among hundreds takes time.

const MOST = 12_000_000;
const STACK = 32; // blocks

export class Window {
  constructor(blocks) {
    this.blocks = blocks;
    this.stacks = [];
    this.first = 0; // of the stacks that are in the page
    this.end = 0; // behind the last one
    this.partial = null;
    this.moved = () => {}; // called when what is seen has another place in the window
    this.before = this.edge(() => this.first * STACK);
    this.after = this.edge(() => Math.min(this.end * STACK, this.blocks.all.length) - 1);
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
    return this.end === this.stacks.length;
  }

  add(block) {
    if (block.index % STACK === 0) {
      const stack = document.createElement("div");
      stack.className = "stack";
      this.stacks.push(stack);
    }
    this.stacks.at(-1).append(block.element);
  }

  // Put in what was added behind the window, when the window reaches to it.
  grow() {
    this.after.before(...this.stacks.slice(this.end));
    this.end = this.stacks.length;
    this.size(2);
    if (this.pixels(this.first, this.end) > MOST) this.around(this.blocks.all.length - 1);
  }

  // The line at the end of the log that is not whole yet, or null.
  showPartial(line) {
    if (this.partial !== line) this.partial?.remove();
    this.partial = line;
    if (line && this.atEnd) this.after.before(line);
  }

  // The height of stacks.
  pixels(first, end) {
    return this.blocks.all.slice(first * STACK, end * STACK).reduce((sum, block) => sum + this.blocks.height(block), 0);
  }

  include(index) {
    if (index >= 0 && (index < this.first * STACK || index >= this.end * STACK)) this.around(index);
  }

  // What lies in a stack out of sight need not be laid out (log.css) when the stack's height is known. Of the last `count`.
  size(count = this.end) {
    for (let index = Math.max(this.first, this.end - count); index < this.end; index++) {
      this.stacks[index].style.containIntrinsicHeight = `${this.pixels(index, index + 1)}px`;
    }
  }

  // Folding makes room for more, or takes it.
  fit() {
    const { all } = this.blocks;
    this.size();
    const whole = this.first === 0 && this.atEnd;
    if (!all.length || (whole && this.pixels(0, this.end) <= MOST)) return;
    this.around(all.findIndex((block) => block.near && block.element.isConnected));
  }

  // Make the window one of the greatest height, with this block in its middle as far as there are others.
  around(index) {
    const { all, scroller, list } = this.blocks;
    const { stacks } = this;
    const block = index < 0 ? all.length - 1 : index;
    const middle = Math.floor(block / STACK);
    let [first, end, left] = [middle, middle + 1, MOST - this.pixels(middle, middle + 1)];
    let moved = true;
    while (moved) {
      moved = false;
      for (const [open, next] of [[first > 0, first - 1], [end < stacks.length, end]]) {
        const height = open ? this.pixels(next, next + 1) : Infinity;
        if (height > left) continue;
        left -= height;
        if (next < first) first = next;
        else end = next + 1;
        moved = true;
      }
    }
    if (first === this.first && end === this.end) return;
    const place = all[block].element;
    const was = place.isConnected ? place.getBoundingClientRect().top : null;
    this.first = first;
    this.end = end;
    this.before.hidden = first === 0;
    this.after.hidden = end === stacks.length;
    this.size();
    list.replaceChildren(this.before, ...stacks.slice(first, end), this.after);
    this.showPartial(this.partial);
    if (was === null) return;
    scroller.scrollTop += place.getBoundingClientRect().top - was;
    this.moved();
  }

  close() {
    this.observer.disconnect();
  }
}
