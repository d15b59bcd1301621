// What comes from a job that prints a great deal is taken in slices, so that the page can be used meanwhile.

const SLICE = 8; // milliseconds

export class Inbox {
  // `take` gets one thing after the other, in their order.
  constructor(take) {
    this.take = take;
    this.waiting = [];
    this.timer = 0;
    this.last = null;
  }

  add(thing) {
    this.waiting.push(thing);
    if (!this.timer) this.work();
  }

  // `last` is called when all that came before is taken.
  end(last) {
    this.last = last;
    if (!this.timer) this.work();
  }

  work() {
    const until = performance.now() + SLICE;
    this.timer = 0;
    while (this.waiting.length && performance.now() < until) this.take(this.waiting.shift());
    if (this.waiting.length) this.timer = setTimeout(() => this.work());
    else this.last?.();
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.waiting = [];
    this.last = null;
  }
}
