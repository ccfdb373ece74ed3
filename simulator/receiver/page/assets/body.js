// The body of a delivery: laid out, as sent, or in hexadecimal; and its events.

import { el, fill, button, copy } from './dom.js';
import { bytes, count, holdLimit, many, moment, span } from './format.js';
import { events, layOut, tokens } from './json.js';
import { VirtualList } from './virtual.js';

const lineHeight = 19; // pixels, as in detail.css
const eventHeight = 44;
const rawWidth = 110; // characters after which a line as sent goes on in the next row
const hexWidth = 16; // bytes a row

/** Reads a body: its text, its lines, its events. Each at the first need. */
export class Body {
  constructor(content) {
    this.bytes = content;
    this.text = new TextDecoder().decode(content);
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(content);
      this.isText = true;
    } catch {
      this.isText = false;
    }
  }

  get laidOut() { return this.#once('laid', () => (this.isText ? layOut(this.text) : null)); }
  get events() { return this.#once('listed', () => (this.laidOut ? events(this.text) : [])); }
  get raw() { return this.#once('rawLines', () => this.text.split(/\r?\n/).flatMap((line) => cut(line, rawWidth))); }

  #once(name, make) {
    if (!(name in this)) this[name] = make();
    return this[name];
  }

  get hexRows() { return Math.ceil(this.bytes.length / hexWidth); }

  hex(row) {
    const part = this.bytes.subarray(row * hexWidth, (row + 1) * hexWidth);
    const hex = Array.from(part, (b) => b.toString(16).padStart(2, '0')).join(' ');
    const seen = Array.from(part, (b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '·')).join('');
    return `${hex.padEnd(hexWidth * 3)} ${seen}`;
  }
}

function cut(line, width) {
  if (line.length <= width) return [line];
  const parts = [];
  for (let at = 0; at < line.length; at += width) parts.push(line.slice(at, at + width));
  return parts;
}

/** A scrolling text of any length. Lines: how many, and each by its index. */
function textView(name, length, lineAt, { marked = -1, numbered = (i) => i + 1, coloured = false, longest = 0 }) {
  const lines = el('div', { class: 'text-lines' });
  const view = el('div', { class: 'text inset', tabindex: 0, role: 'region', 'aria-label': name }, lines);
  lines.style.width = `calc(${longest + 2}ch + 80px)`;
  lines.style.font = '12px var(--mono)';
  const list = new VirtualList(view, lines, {
    height: lineHeight,
    make: () => el('div', { class: 'text-line' }),
    show: (node, index) => {
      const text = lineAt(index);
      node.classList.toggle('marked', index === marked);
      fill(node, el('span', { class: 'nr', 'aria-hidden': 'true' }, String(numbered(index))),
        el('span', {}, coloured ? tokens(text).map(([kind, part]) => (kind ? el('span', { class: `t-${kind}` }, part) : part)) : text));
    },
  });
  list.change(length);
  return { view, list };
}

const longestOf = (lines) => lines.reduce((longest, line) => Math.max(longest, line.length), 0);

/** Shows the body in the panel. Line: which line of the layout to go to. */
export function showBody(panel, detail, body, { line = -1 } = {}) {
  let mode = body.laidOut ? 'Pretty' : 'Raw';
  const bar = el('div', { class: 'panel-bar' });
  const place = el('div', { class: 'body-place' });
  place.style.display = 'contents';
  const draw = () => {
    const modes = ['Pretty', 'Raw', 'Hex'].map((name) => el('button', {
      type: 'button', 'aria-pressed': String(name === mode), disabled: name === 'Pretty' && !body.laidOut,
      onclick: () => { mode = name; draw(); bar.querySelector('[aria-pressed="true"]').focus(); },
    }, name));
    fill(bar, el('span', { class: 'segments', role: 'group', 'aria-label': 'How the body is shown' }, modes),
      el('span', {}, said(detail, body)), el('span', { class: 'gap' }),
      button('Copy', { drawing: 'copy', onclick: () => copy(mode === 'Pretty' ? body.laidOut.lines.join('\n') : body.text, 'Body') }),
      el('a', { class: 'button', href: `/inspect/deliveries/${detail.number}/body`, download: `delivery-${detail.number}` }, 'Download'));
    const { view, list } = viewOf(body, mode, line);
    fill(place, view);
    if (mode === 'Pretty' && line >= 0) list.reveal(line, 3);
  };
  fill(panel, bar, place);
  draw();
}

function viewOf(body, mode, line) {
  if (mode === 'Pretty') {
    const { lines } = body.laidOut;
    return textView('Body, laid out', lines.length, (i) => lines[i], { coloured: true, longest: longestOf(lines), marked: line });
  }
  if (mode === 'Raw') return textView('Body, as sent', body.raw.length, (i) => body.raw[i], { longest: Math.min(rawWidth, longestOf(body.raw)) });
  return textView('Body, in hexadecimal', body.hexRows, (i) => body.hex(i), {
    numbered: (i) => (i * hexWidth).toString(16).padStart(6, '0'), longest: hexWidth * 4 + 2,
  });
}

function said(detail, body) {
  const parts = [`${bytes(detail.bytes)}${detail.truncated ? ', cut off' : ''}`];
  if (!body.isText) parts.push('not UTF-8');
  else if (!body.laidOut && body.bytes.length) parts.push('not JSON');
  else if (body.laidOut) parts.push(many(body.laidOut.lines.length, 'line'));
  if (!detail.complete) parts.push('the request broke off');
  return parts.join(' · ');
}

/** Lists the events of the body; go(line) shows where one stands in it. */
export function showEvents(panel, detail, body, go) {
  const list = body.events;
  if (list.length === 0) {
    fill(panel, el('p', { class: 'panel-bar' }, body.bytes.length ? 'The body holds no events.' : 'The body is empty.'));
    return;
  }
  const lines = el('div', { class: 'events-lines' });
  const view = el('div', { class: 'events inset', role: 'region', tabindex: 0, 'aria-label': many(list.length, 'event') }, lines);
  const types = new Map();
  for (const event of list) types.set(event.action, (types.get(event.action) ?? 0) + 1);
  const summary = [...types].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([type, n]) => `${type || 'no action type'} ${count(n)}`);
  fill(panel, el('div', { class: 'panel-bar' }, `${many(list.length, 'event')}: ${summary.join(', ')}${types.size > 4 ? ` and ${types.size - 4} types more` : ''}`), view);
  const virtual = new VirtualList(view, lines, {
    height: eventHeight,
    make: () => el('button', { type: 'button', class: 'event', onclick: (e) => go(body.laidOut.items[Number(e.currentTarget.dataset.index)]) },
      ['nr', 'type', 'when', 'id', 'held'].map((name) => el('span', { class: name }))),
    show: (node, index) => {
      const event = list[index];
      const [nr, type, when, id, held] = node.children;
      node.dataset.index = index;
      nr.textContent = index + 1;
      type.textContent = event.action || 'no action type';
      id.textContent = event.id || 'no id';
      when.textContent = Number.isNaN(event.recordedAt) ? 'no recordedAt' : moment(event.recordedAt).slice(11);
      // An event older than the oldest that came for the first time came before: it was held up to its first attempt.
      const age = detail.first - event.recordedAt;
      const first = detail.hold !== null && age < detail.hold + 1;
      held.textContent = Number.isNaN(age) ? '' : first || !detail.examined ? `held ${span(age)}` : `${span(age)} old`;
      held.classList.toggle('long', first && age > holdLimit);
    },
  });
  virtual.change(list.length);
}
