// The timeline: upwards the size of each batch, downwards how long its oldest
// event was held up to its first attempt. What is drawn is what the list shows.

import { el, byId, fill, button } from './dom.js';
import { answered, clock, count, holdLimit, kind, many, span, waited } from './format.js';
import { batchShare } from './list.js';

const axis = 20; // pixels for the times below
const lane = 92; // pixels of an endpoint's lane when it is grown
const maxLanes = 40;
const maxLinks = 3000; // lines between attempts
const edge = 14; // pixels left
const scaleEdge = 40; // and right, where the scale stands
const kinds = { good: '2xx', moved: '3xx', refused: '4xx', broken: '5xx', none: 'no answer' };

export class Timeline {
  #drawing = 0;
  #drag = null;

  constructor(store, { open, zoom }) {
    Object.assign(this, { store, open, zoom, grown: false, chosen: null, spots: [] });
    const legend = el('ul', { class: 'legend', 'aria-label': 'Colours' },
      Object.entries(kinds).map(([name, text]) => el('li', { class: name }, el('i'), text)),
      el('li', { class: 'wait' }, el('i'), 'held'), el('li', { class: 'held' }, el('i'), 'held over 2 s'));
    this.grow = button('Taller', { drawing: 'grow', class: 'quiet', 'aria-pressed': 'false', onclick: () => this.toggle() });
    this.canvas = el('canvas', { role: 'img', 'aria-label': 'Timeline' });
    this.brush = el('div', { class: 'brush', hidden: true });
    this.tip = el('div', { class: 'tip', hidden: true });
    this.picture = el('div', { class: 'picture' }, this.canvas, this.brush, this.tip);
    fill(byId('timeline'), el('div', { class: 'head' }, el('h2', {}, 'Batches and holds'), legend, el('span', { class: 'gap' }), this.grow), this.picture);
    this.legend = legend;
    this.#listen();
    new ResizeObserver(() => this.soon()).observe(this.picture);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.soon());
    store.addEventListener('rows', () => this.soon());
  }

  toggle() {
    this.grown = !this.grown;
    byId('timeline').classList.toggle('grown', this.grown);
    this.grow.setAttribute('aria-pressed', this.grown);
    this.soon();
  }

  choose(number) {
    this.chosen = number;
    this.soon();
  }

  soon() { this.#drawing ||= requestAnimationFrame(() => { this.#drawing = 0; this.#draw(); }); }

  #colours() {
    const of = (name) => getComputedStyle(this.legend.querySelector(`.${name} i`)).color;
    const style = getComputedStyle(this.legend);
    return {
      ...Object.fromEntries([...Object.keys(kinds), 'wait', 'held'].map((name) => [name, of(name)])),
      soft: style.color, ink: getComputedStyle(document.body).color,
      line: getComputedStyle(byId('timeline')).borderTopColor, font: `11px ${style.fontFamily}`,
    };
  }

  /** The times at the left and the right end. */
  #range() {
    const { rows, filters } = this.store;
    let from = Infinity;
    let to = -Infinity;
    for (const r of rows) {
      if (r.at < from) from = r.at;
      if (r.at > to) to = r.at;
    }
    if (filters.from && filters.to) [from, to] = [Date.parse(filters.from), Date.parse(filters.to)];
    if (!(to >= from)) [from, to] = [Date.now() - 60_000, Date.now()];
    const least = 4000;
    if (to - from < least) [from, to] = [(from + to - least) / 2, (from + to + least) / 2];
    return [from, to];
  }

  #lanes() {
    if (!this.grown) return { names: [''], of: () => 0 };
    const ids = new Map();
    for (let i = this.store.rows.length - 1; i >= 0 && ids.size < maxLanes; i--) {
      const { endpoint, name } = this.store.rows[i];
      if (!ids.has(endpoint)) ids.set(endpoint, name);
    }
    const order = [...ids.keys()].sort((a, b) => ids.get(a).localeCompare(ids.get(b)));
    const places = new Map(order.map((id, i) => [id, i]));
    return { names: order.map((id) => ids.get(id)), of: (row) => places.get(row.endpoint) ?? order.length - 1 };
  }

  #draw() {
    const lanes = this.#lanes();
    const width = this.picture.clientWidth;
    const least = lanes.names.length * lane + axis;
    const height = this.grown ? Math.max(this.picture.clientHeight, least) : this.picture.clientHeight;
    this.canvas.style.height = this.grown ? `${height}px` : '';
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const c = this.canvas.getContext('2d');
    c.scale(scale, scale);
    const colours = this.#colours();
    const [from, to] = this.#range();
    const x = (at) => edge + ((at - from) / (to - from)) * (width - edge - scaleEdge);
    this.when = (px) => from + ((px - edge) / (width - edge - scaleEdge)) * (to - from);
    this.#drawAxis(c, colours, { from, to, x, width, height });
    const each = (height - axis) / lanes.names.length;
    const geometry = lanes.names.map((name, i) => ({ name, base: i * each + each * 0.6, up: each * 0.6 - (this.grown ? 22 : 10), down: each * 0.4 - 6, top: i * each }));
    for (const [i, g] of geometry.entries()) this.#drawLane(c, colours, g, width, i > 0);
    this.#drawDeliveries(c, colours, geometry, lanes, x);
    this.#describe(from, to);
  }

  #drawAxis(c, colours, { from, to, x, width, height }) {
    const room = Math.max(1, Math.floor(width / 110));
    const step = niceStep((to - from) / room);
    c.font = colours.font;
    c.textAlign = 'center';
    c.fillStyle = colours.soft;
    c.strokeStyle = colours.line;
    c.lineWidth = 1;
    // Ticks stand on whole local times.
    const shift = new Date(from).getTimezoneOffset() * 60_000;
    for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) {
      const px = Math.round(x(at)) + 0.5;
      c.beginPath();
      c.moveTo(px, 4);
      c.lineTo(px, height - axis + 2);
      c.stroke();
      if (px > 34 && px < width - 34) c.fillText(step < 1000 ? clock(at) : clock(at).slice(0, 8), px, height - 6);
    }
  }

  #drawLane(c, colours, g, width, divided) {
    const px = (y) => Math.round(y) + 0.5;
    c.strokeStyle = colours.wait;
    c.beginPath();
    c.moveTo(0, px(g.base));
    c.lineTo(width, px(g.base));
    c.stroke();
    const limit = px(g.base + g.down * holdShare(holdLimit));
    c.strokeStyle = colours.held;
    c.setLineDash([2, 4]);
    c.beginPath();
    c.moveTo(0, limit);
    c.lineTo(width - 28, limit);
    c.stroke();
    c.setLineDash([]);
    c.textAlign = 'right';
    c.fillStyle = colours.held;
    c.fillText('2 s', width - 6, limit + 4);
    c.fillStyle = colours.soft;
    c.fillText('500', width - 6, g.base - g.up + 4);
    c.textAlign = 'left';
    if (!g.name) return;
    if (divided) {
      c.strokeStyle = colours.line;
      c.beginPath();
      c.moveTo(0, px(g.top));
      c.lineTo(width, px(g.top));
      c.stroke();
    }
    c.fillStyle = colours.ink;
    c.fillText(g.name, 12, g.top + 15);
  }

  #drawDeliveries(c, colours, geometry, lanes, x) {
    const { rows } = this.store;
    const bar = rows.length > 600 ? 2 : rows.length > 150 ? 3 : 5;
    const last = new Map();
    let links = 0;
    this.spots = [];
    for (const row of rows) {
      const g = geometry[lanes.of(row)];
      const px = x(row.at);
      const up = Math.max(3, g.up * batchShare(row.events));
      this.#drawHold(c, colours, row, g, px, bar, x);
      c.fillStyle = colours[kind(row)];
      c.globalAlpha = kind(row) === 'good' ? 0.85 : 1;
      c.fillRect(px - bar / 2, g.base - up, bar, up);
      c.globalAlpha = 1;
      if (kind(row) !== 'good') cross(c, px, g.base - up - 4);
      const key = `${row.endpoint} ${row.batch}`;
      const before = last.get(key);
      if (before && row.batch && links++ < maxLinks) link(c, colours.soft, before, px, g.base - up - 6);
      // What was answered 2xx is not tried again; the same body is another batch then.
      if (kind(row) === 'good') last.delete(key);
      else last.set(key, [px, g.base - up - 6]);
      if (row.number === this.chosen) ring(c, colours.ink, px, g.base - up, up, bar);
      this.spots.push([px, row, g]);
    }
  }

  #drawHold(c, colours, row, g, px, bar, x) {
    if (row.hold === null || row.hold <= 0) return;
    const down = g.down * holdShare(row.hold);
    const limit = g.down * holdShare(holdLimit);
    c.fillStyle = colours.wait;
    c.fillRect(px - bar / 2, g.base + 1, bar, Math.min(down, limit));
    if (down > limit) {
      c.fillStyle = colours.held;
      c.fillRect(px - bar / 2, g.base + 1 + limit, bar, down - limit);
    }
    // Where there is room, a line back to when the oldest event was recorded.
    const since = x(row.at - row.hold);
    if (px - since < 12) return;
    c.strokeStyle = row.hold > holdLimit ? colours.held : colours.wait;
    c.beginPath();
    c.moveTo(px, g.base + down);
    c.lineTo(since, g.base + down);
    c.lineTo(since, g.base + down - 4);
    c.stroke();
  }

  #describe(from, to) {
    const { rows } = this.store;
    const long = rows.filter((r) => r.hold > holdLimit).length;
    const failed = rows.filter((r) => kind(r) !== 'good').length;
    const events = rows.reduce((sum, r) => sum + r.events, 0);
    this.canvas.setAttribute('aria-label', rows.length === 0 ? 'Timeline: nothing to draw'
      : `Timeline: ${many(rows.length, 'delivery', 'deliveries')} with ${many(events, 'event')} in ${span(to - from)}, `
      + `${count(failed)} not answered 2xx, ${count(long)} held longer than 2 s`);
  }

  #nearest(e) {
    const box = this.canvas.getBoundingClientRect();
    const [px, py] = [e.clientX - box.left, e.clientY - box.top];
    let best = null;
    let least = 12;
    for (const spot of this.spots) {
      if (this.grown && (py < spot[2].top || py > spot[2].base + spot[2].down)) continue;
      const away = Math.abs(spot[0] - px);
      if (away <= least) [best, least] = [spot, away];
    }
    return { px, best };
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener('pointerdown', (e) => {
      if (e.button !== 0) return;
      canvas.setPointerCapture(e.pointerId);
      this.#drag = this.#nearest(e).px;
    });
    canvas.addEventListener('pointermove', (e) => this.#moved(e));
    canvas.addEventListener('pointerleave', () => { this.tip.hidden = true; });
    canvas.addEventListener('pointercancel', () => { this.#drag = null; this.brush.hidden = true; });
    canvas.addEventListener('pointerup', (e) => {
      const { px, best } = this.#nearest(e);
      const began = this.#drag;
      this.#drag = null;
      this.brush.hidden = true;
      if (began === null) return;
      if (Math.abs(px - began) > 5) this.zoom(this.when(Math.min(px, began)), this.when(Math.max(px, began)));
      else if (best) this.open(best[1].number);
    });
  }

  #moved(e) {
    const { px, best } = this.#nearest(e);
    if (this.#drag !== null) {
      const [a, b] = [Math.min(px, this.#drag), Math.max(px, this.#drag)];
      this.brush.hidden = b - a <= 5;
      this.brush.style.left = `${a}px`;
      this.brush.style.width = `${b - a}px`;
      this.tip.hidden = true;
      return;
    }
    this.tip.hidden = !best;
    if (!best) return;
    const [at, row] = best;
    this.tip.textContent = `${clock(row.at)} · ${row.name} · ${many(row.events, 'event')} · ${answered(row)}${waited(row) && ` · ${waited(row)}`}`;
    this.tip.style.left = `${Math.max(4, Math.min(at + 8, this.picture.clientWidth - this.tip.offsetWidth - 4))}px`;
  }
}

// Linear up to twice the limit, then by the logarithm up to a day.
function holdShare(ms) {
  const linear = 2 * holdLimit;
  if (ms <= linear) return (ms / linear) * 0.7;
  return Math.min(1, 0.7 + 0.3 * (Math.log(ms / linear) / Math.log(86_400_000 / linear)));
}

function niceStep(least) {
  const steps = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5];
  return steps.find((s) => s >= least) ?? Math.ceil(least / 864e5) * 864e5;
}

function cross(c, x, y) {
  c.strokeStyle = c.fillStyle;
  c.lineWidth = 1.5;
  c.beginPath();
  c.moveTo(x - 2.5, y - 2.5);
  c.lineTo(x + 2.5, y + 2.5);
  c.moveTo(x + 2.5, y - 2.5);
  c.lineTo(x - 2.5, y + 2.5);
  c.stroke();
  c.lineWidth = 1;
}

function link(c, colour, [fromX, fromY], x, y) {
  if (x - fromX < 4) return;
  c.strokeStyle = colour;
  c.beginPath();
  c.moveTo(fromX, fromY - 2);
  const rise = Math.min(14, (x - fromX) / 4);
  c.bezierCurveTo(fromX, fromY - rise - 2, x, y - rise - 2, x, y - 2);
  c.stroke();
}

function ring(c, colour, x, y, height, bar) {
  c.strokeStyle = colour;
  c.strokeRect(Math.round(x - bar / 2 - 3) + 0.5, Math.round(y - 3) + 0.5, bar + 5, height + 3);
}
