// Staying at the end of a log that grows, until somebody scrolls up.

const BOTTOM = 30;

export class Follow {
  // `button` shows whether the end is followed; `draw` draws what is in sight and tells whether there was anything to draw.
  constructor(scroller, button, draw) {
    this.scroller = scroller;
    this.button = button;
    this.draw = draw;
    this.on = true;
    this.frame = 0;
    this.lastTop = 0;
  }

  set(on) {
    this.on = on;
    this.button.setAttribute("aria-pressed", String(on));
  }

  // To the end, once a frame however often lines come: asking for the height lays everything out.
  stick() {
    if (!this.on || this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.on) return;
      this.toBottom();
      // Lines that are wrapped are higher than the room that was kept for them.
      if (this.draw()) this.toBottom();
    });
  }

  toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.stay();
  }

  // The page itself has scrolled: nobody has let go.
  stay() {
    this.lastTop = this.scroller.scrollTop;
  }

  onScroll() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    if (scrollTop < this.lastTop - 2) this.set(false);
    else if (scrollTop + clientHeight >= scrollHeight - BOTTOM) this.set(true);
    this.lastTop = scrollTop;
  }
}
