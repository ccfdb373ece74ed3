// A list of any length of which only what is seen exists. Every row has the
// same height.

const spare = 8; // rows above and below what is seen

/**
 * Shows `length` rows in a scrolling element. make() makes an empty row,
 * show(row, index) fills one; rows are used again and again.
 */
export class VirtualList {
  constructor(scroller, canvas, { height, make, show }) {
    Object.assign(this, { scroller, canvas, make, show, height });
    this.length = 0;
    this.rows = new Map();
    this.idle = [];
    this.stale = true;
    scroller.addEventListener('scroll', () => this.draw(), { passive: true });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(scroller);
  }

  /** Says that the content changed. Above: so many rows came in above. */
  change(length, above = 0) {
    const keep = this.scroller.scrollTop > this.height / 2;
    this.length = length;
    this.canvas.style.height = `${length * this.height}px`;
    if (above && keep) this.scroller.scrollTop += above * this.height;
    this.stale = true;
    this.draw();
  }

  setHeight(height) {
    if (height === this.height) return;
    const first = this.scroller.scrollTop / this.height;
    this.height = height;
    this.canvas.style.height = `${this.length * height}px`;
    this.scroller.scrollTop = first * height;
    this.stale = true;
    this.draw();
  }

  /** Scrolls as little as it takes to show the row. */
  reveal(index, context = 0) {
    const top = (index - context) * this.height;
    const bottom = (index + 1 + context) * this.height;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = Math.max(0, top);
    else if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight;
    this.draw();
  }

  get perPage() { return Math.max(1, Math.floor(this.scroller.clientHeight / this.height) - 1); }

  draw() {
    const { scrollTop, clientHeight } = this.scroller;
    const from = Math.max(0, Math.floor(scrollTop / this.height) - spare);
    const to = Math.min(this.length, Math.ceil((scrollTop + clientHeight) / this.height) + spare);
    for (const [index, row] of this.rows) {
      if (index >= from && index < to) continue;
      this.rows.delete(index);
      this.idle.push(row);
    }
    for (let index = from; index < to; index++) {
      let row = this.rows.get(index);
      if (row && !this.stale) continue;
      if (!row) {
        row = this.idle.pop() ?? this.make();
        this.rows.set(index, row);
        row.style.transform = `translateY(${index * this.height}px)`;
        if (!row.isConnected) this.canvas.append(row);
        row.hidden = false;
      } else if (this.stale) {
        row.style.transform = `translateY(${index * this.height}px)`;
      }
      this.show(row, index);
    }
    for (const row of this.idle) row.hidden = true;
    this.stale = false;
  }

  /** The row of the index, if it is drawn. */
  row(index) { return this.rows.get(index); }

  close() { this.observer.disconnect(); }
}
