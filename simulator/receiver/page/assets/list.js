// The list of deliveries, newest first.

import { el, byId, fill, button } from './dom.js';
import { answered, bytes, clock, count, holdLimit, kind, many, moment, span } from './format.js';
import { VirtualList } from './virtual.js';

const wideRow = 32; // pixels, as in layout.css
const narrowRow = 56;
const narrowBelow = 640; // pixels of the list's width

export class List {
  #active = null; // the number of the chosen row

  constructor(store, { open }) {
    this.store = store;
    this.open = open;
    this.grid = byId('grid');
    this.virtual = new VirtualList(this.grid, byId('rows'), {
      height: wideRow, make: () => this.#make(), show: (node, index) => this.#show(node, this.#at(index), index),
    });
    new ResizeObserver(() => this.#fit()).observe(this.grid);
    this.#fit();
    this.grid.addEventListener('keydown', (e) => this.#key(e));
    this.grid.addEventListener('focus', () => { if (this.#index() < 0 && store.rows.length) this.#choose(0, false); });
    store.addEventListener('rows', (e) => this.#changed(e.detail ?? {}));
  }

  #fit() {
    const narrow = this.grid.clientWidth < narrowBelow;
    this.grid.classList.toggle('narrow', narrow);
    this.virtual.setHeight(narrow ? narrowRow : wideRow);
    if (!byId('detail').hidden && this.#index() >= 0) this.#reveal(this.#index());
  }

  // The newest is on top: the first row of the list is the last in the store.
  #at(index) { return this.store.rows[this.store.rows.length - 1 - index]; }

  #index() {
    if (this.#active === null) return -1;
    const { rows } = this.store;
    let low = 0;
    let high = rows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (rows[middle].number === this.#active) return rows.length - 1 - middle;
      if (rows[middle].number < this.#active) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #changed({ above = 0, fresh = false }) {
    const { rows, loading, failure, older, kept, evicted } = this.store;
    if (fresh) this.grid.scrollTop = 0;
    this.virtual.change(rows.length, above);
    this.grid.setAttribute('aria-rowcount', rows.length + 1);
    this.#mark();
    byId('empty').hidden = rows.length > 0 || loading;
    if (rows.length === 0 && !loading) this.#explainEmpty(failure);
    fill(byId('tally'),
      el('span', {}, Object.keys(this.store.filters).length ? `${many(rows.length, 'match', 'matches')} of ${count(kept)}` : many(rows.length, 'delivery', 'deliveries')),
      older && el('span', {}, 'older ones are not loaded'),
      evicted > 0 && el('span', {}, `${count(evicted)} older left to make room`));
    byId('kept').textContent = `${count(kept)} kept${evicted ? ` · ${count(evicted)} left` : ''}`;
  }

  #explainEmpty(failure) {
    const filtered = Object.keys(this.store.filters).some((name) => name !== 'endpoint');
    if (failure) fill(byId('empty'), el('h2', {}, 'The receiver refused'), el('p', {}, failure));
    else if (filtered) {
      fill(byId('empty'), el('h2', {}, 'Nothing matches'), el('p', {}, 'No delivery that is kept passes all the filters.'),
        button('Clear the filters', { onclick: () => this.store.setFilters({ endpoint: this.store.filters.endpoint }) }));
    } else {
      fill(byId('empty'), el('h2', {}, 'Nothing has arrived yet'),
        el('p', {}, 'Deliveries show up here the moment they are recorded. Choose an endpoint to copy its URL, or make a new one.'),
        button('New endpoint', { drawing: 'plus', class: 'primary', onclick: () => byId('new-endpoint').click() }));
    }
  }

  #make() {
    const cell = (name) => el('span', { role: 'gridcell', class: `c-${name}` });
    const node = el('div', { role: 'row', class: 'row' }, ['time', 'endpoint', 'types', 'events', 'bytes', 'hold', 'answer', 'notes'].map(cell));
    node.addEventListener('click', () => this.choose(Number(node.dataset.number), true));
    return node;
  }

  #show(node, row, index) {
    if (!row) return;
    const [time, endpoint, types, events, size, hold, answer, notes] = node.children;
    node.id = `d-${row.number}`;
    node.dataset.number = row.number;
    node.setAttribute('aria-rowindex', index + 2);
    time.textContent = clock(row.at);
    time.title = moment(row.at);
    endpoint.textContent = row.name;
    types.textContent = row.types.length > 1 ? `${row.types[0]} +${row.types.length - 1}` : (row.types[0] ?? '');
    types.title = row.types.join(', ');
    fill(events, row.events ? [count(row.events), meter(row.events)] : '–');
    size.textContent = bytes(row.bytes);
    hold.textContent = row.again !== null ? `+${span(row.again)}` : row.hold === null ? '–' : span(row.hold);
    hold.title = row.again !== null ? `sent again, ${span(row.again)} after the first attempt` : '';
    hold.classList.toggle('long', row.hold > holdLimit);
    fill(answer, pill(row), row.attempt > 1 && el('span', { class: 'attempt', title: `attempt ${row.attempt} of the same batch` }, `×${row.attempt}`));
    fill(notes, row.notes.map(note));
    this.#markRow(node, row.number === this.#active);
  }

  #markRow(node, chosen) {
    node.classList.toggle('chosen', chosen);
    node.setAttribute('aria-selected', chosen);
  }

  #mark() {
    for (const node of this.virtual.rows.values()) this.#markRow(node, Number(node.dataset.number) === this.#active);
    const shown = this.virtual.row(this.#index());
    if (shown) this.grid.setAttribute('aria-activedescendant', shown.id);
    else this.grid.removeAttribute('aria-activedescendant');
  }

  #choose(index, open) {
    const row = this.#at(Math.max(0, Math.min(index, this.store.rows.length - 1)));
    if (row) this.choose(row.number, open);
  }

  /** Chooses a row by its number, and opens it if asked to. */
  choose(number, open) {
    this.#active = number;
    const index = this.#index();
    if (index >= 0) this.#reveal(index);
    this.#mark();
    if (open) this.open(number);
  }

  // The headings stay on top and cover the height of about one row.
  #reveal(index) {
    const { scrollTop, clientHeight } = this.grid;
    const head = byId('rows').offsetTop;
    const top = index * this.virtual.height;
    if (top < scrollTop) this.grid.scrollTop = top;
    else if (top + this.virtual.height + head > scrollTop + clientHeight) this.grid.scrollTop = top + this.virtual.height + head - clientHeight;
    this.virtual.draw();
  }

  /** Moves the choice by so many rows; an open detail follows. */
  move(by, follow) {
    const index = this.#index();
    this.#choose(index < 0 ? 0 : index + by, follow);
  }

  get active() { return this.#active; }

  #key(e) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: this.virtual.perPage, PageUp: -this.virtual.perPage, Home: -Infinity, End: Infinity };
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key in moves) this.move(moves[e.key], !byId('detail').hidden);
    else if ((e.key === 'Enter' || e.key === ' ') && this.#active !== null) this.open(this.#active, true);
    else return;
    e.preventDefault();
  }
}

/** How full a batch is, from 0 to 1, on the scale of the logarithm to 500. */
export const batchShare = (events) => (events ? Math.min(1, (1 + Math.log10(events)) / (1 + Math.log10(500))) : 0);

function meter(events) {
  const node = el('i', { class: 'meter', 'aria-hidden': 'true' });
  node.style.setProperty('--share', batchShare(events));
  return node;
}

/** What was answered, as a coloured word with a mark. */
export const pill = (row) => el('span', { class: `pill ${kind(row)}` }, answered(row));

const short = {
  'not-json': 'not JSON', 'empty-array': 'empty', 'over-500-events': 'over 500', 'seen-before': 'seen before',
  'out-of-order': 'out of order', 'ip-address': 'IP address', 'user-agent': 'user agent', 'held-over-2s': 'held > 2 s',
};

const grave = new Set(['not-json', 'empty-array', 'over-500-events', 'out-of-order', 'held-over-2s']);

export const noteName = (name) => short[name] ?? name;

/** An annotation as a small label. */
export const note = (n) => el('span', { class: grave.has(n.name) ? 'note grave' : 'note', title: n.detail }, noteName(n.name));

export const noteNames = Object.keys(short);
