// One event stream: opened while the page is seen, opened again when it broke. What it has missed the server sends anew.

const LONGEST_PAUSE = 30000;

export class Stream {
  // `address` gives the URL for the next connection; `handlers` are by event name, each gets the MessageEvent.
  constructor(address, handlers) {
    this.address = address;
    this.handlers = handlers;
    this.pause = 1000;
    this.source = null;
    this.timer = 0;
    this.ended = false;
    this.onVisibility = () => (document.hidden ? this.close() : this.open());
    document.addEventListener("visibilitychange", this.onVisibility);
    if (!document.hidden) this.open();
  }

  open() {
    if (this.source || this.ended) return;
    clearTimeout(this.timer);
    const source = new EventSource(this.address());
    this.source = source;
    source.addEventListener("open", () => { this.pause = 1000; });
    source.addEventListener("error", () => {
      // CONNECTING: the browser comes again by itself and says where it was. CLOSED: the server was too busy, or is gone.
      if (source.readyState !== EventSource.CLOSED || this.source !== source) return;
      this.close();
      this.timer = setTimeout(() => this.open(), this.pause + Math.random() * 1000);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    });
    source.addEventListener("end", () => this.stop());
    for (const [name, handler] of Object.entries(this.handlers)) source.addEventListener(name, handler);
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  stop() {
    this.ended = true;
    this.close();
    document.removeEventListener("visibilitychange", this.onVisibility);
  }
}
