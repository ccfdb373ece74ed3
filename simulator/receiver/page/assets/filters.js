// The filters above the list.

import { el, byId, fill, button } from './dom.js';
import { clock } from './format.js';
import { noteName, noteNames } from './list.js';
import { exported } from './api.js';
import { secretsShown } from './masks.js';

const typing = 250; // milliseconds without a key before a search begins
const scopes = { q: ['Text', 'Search headers and bodies'], type: ['Action', 'USER.CREATED or USER.*'], event: ['Event id', 'Exact id of an event'] };
const answers = ['2xx', '3xx', '4xx', '5xx', 'reset', 'hang', 'none'];
const periods = { 60: 'Last minute', 300: 'Last 5 minutes', 900: 'Last 15 minutes', 3600: 'Last hour', 86400: 'Last day' };

export class Filters {
  constructor(store, listeners) {
    this.store = store;
    this.scope = el('select', { 'aria-label': 'Search in', onchange: () => this.#scoped() }, Object.entries(scopes).map(([value, [name]]) => el('option', { value }, name)));
    this.search = el('input', { type: 'search', id: 'search', 'aria-label': 'Search', autocomplete: 'off', spellcheck: 'false', maxlength: 400, oninput: () => this.#typed() });
    this.search.addEventListener('keydown', (e) => {
      if (e.key === 'Escape') { this.search.value = ''; this.#sought(); byId('grid').focus(); }
      if (e.key === 'ArrowDown') { e.preventDefault(); byId('grid').focus(); }
    });
    this.types = el('datalist', { id: 'types' });
    this.status = this.#choice('Answer', 'status', [['', 'Any answer'], ...answers.map((a) => [a, a])]);
    this.note = this.#choice('Notes', 'annotation', [['', 'With or without notes'], ['any', 'Any note'], ...noteNames.map((n) => [n, noteName(n)])]);
    this.listener = this.#choice('Listener', 'listener', [['', 'Any listener'], ...listeners.map((l) => [l, l])]);
    this.period = el('select', { 'aria-label': 'Period', onchange: () => this.#periodChosen() });
    this.batch = button('One batch', { drawing: 'close', class: 'set', 'aria-description': 'remove this filter', hidden: true, onclick: () => store.change({ batch: '' }) });
    this.clear = button('Clear', { class: 'quiet', 'aria-label': undefined, hidden: true, onclick: () => this.#reset() });
    this.export = el('select', { 'aria-label': 'Export what matches', onchange: () => this.#export() },
      el('option', { value: '' }, 'Export'), el('option', { value: 'har' }, 'HAR'), el('option', { value: 'ndjson' }, 'NDJSON'));
    fill(byId('filters'), el('span', { class: 'search' }, this.scope, this.search), this.types, this.status, this.note, this.listener, this.period, this.batch, this.clear, this.export);
    byId('filters').addEventListener('submit', (e) => { e.preventDefault(); this.#sought(); });
    store.addEventListener('filters', () => this.#draw());
    store.addEventListener('rows', (e) => { if (!e.detail?.below) this.#suggest(); });
    this.#draw();
  }

  #choice(name, member, options) {
    return el('select', { 'aria-label': name, onchange: (e) => this.store.change({ [member]: e.target.value }) },
      options.map(([value, text]) => el('option', { value }, text)));
  }

  #typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#sought(), typing);
  }

  #sought() {
    clearTimeout(this.timer);
    const text = this.search.value.trim();
    const changes = { q: '', type: '', event: '', [this.scope.value]: text };
    if (Object.entries(changes).some(([name, value]) => (this.store.filters[name] ?? '') !== value)) this.store.change(changes);
  }

  #reset() {
    clearTimeout(this.timer);
    this.search.value = '';
    this.store.setFilters({ endpoint: this.store.filters.endpoint });
  }

  #scoped() {
    this.#placeholder();
    this.#sought();
    this.search.focus();
  }

  #placeholder() {
    this.search.placeholder = scopes[this.scope.value][1];
    if (this.scope.value === 'type') this.search.setAttribute('list', 'types');
    else this.search.removeAttribute('list');
  }

  #periodChosen() {
    const seconds = Number(this.period.value);
    if (Number.isNaN(seconds)) return;
    this.seconds = seconds;
    this.store.change({ from: seconds ? new Date(Date.now() - seconds * 1000).toISOString() : '', to: '' });
  }

  #export() {
    const format = this.export.value;
    this.export.value = '';
    if (format) el('a', { href: exported(format, this.store.filters, secretsShown()), download: `deliveries.${format}` }).click();
  }

  #suggest() {
    const seen = new Set(this.store.rows.slice(-300).flatMap((r) => r.types));
    const names = [...seen].sort();
    if (names.join() === this.suggested) return;
    this.suggested = names.join();
    fill(this.types, names.map((value) => el('option', { value })));
  }

  #draw() {
    const f = this.store.filters;
    for (const scope of Object.keys(scopes)) {
      if (!f[scope]) continue;
      this.scope.value = scope;
      if (document.activeElement !== this.search) this.search.value = f[scope];
    }
    if (!f.q && !f.type && !f.event && document.activeElement !== this.search) this.search.value = '';
    this.#placeholder();
    for (const [control, member] of [[this.status, 'status'], [this.note, 'annotation'], [this.listener, 'listener']]) {
      control.value = f[member] ?? '';
      control.classList.toggle('set', Boolean(f[member]));
    }
    this.#drawPeriod(f);
    this.batch.hidden = !f.batch;
    this.clear.hidden = !Object.keys(f).some((name) => name !== 'endpoint');
  }

  #drawPeriod(f) {
    const range = f.from && f.to && `${clock(Date.parse(f.from)).slice(0, 8)} – ${clock(Date.parse(f.to)).slice(0, 8)}`;
    if (!f.from) this.seconds = 0;
    fill(this.period, el('option', { value: 0 }, 'Any time'),
      Object.entries(periods).map(([seconds, name]) => el('option', { value: seconds }, name)),
      f.from && (range || !this.seconds) && el('option', { value: 'range' }, range || `Since ${clock(Date.parse(f.from)).slice(0, 8)}`));
    this.period.value = f.from ? (range || !this.seconds ? 'range' : this.seconds) : 0;
    this.period.classList.toggle('set', Boolean(f.from));
  }
}
