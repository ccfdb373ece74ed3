// What the page knows: the deliveries that pass the filters, oldest first, kept
// up to date from the stream.

import * as api from './api.js';

const firstPage = 300; // what is asked for before anything is shown
const nextPage = 4000;
const maxRows = 50_000; // what the page keeps; the receiver may keep more
const retryAfter = 2000; // milliseconds, once the stream has ended for good

/** Says 'rows', 'state', 'endpoints', 'filters' when one of them changed. */
export class Store extends EventTarget {
  rows = [];
  byNumber = new Map();
  endpoints = [];
  named = []; // the behaviours that have a name
  filters = {};
  kept = 0;
  evicted = 0;
  older = null; // where the page before what is loaded begins; null: none
  loading = true;
  failure = '';
  state = 'connecting';
  paused = false;
  waiting = new Map(); // what arrived while paused, or since the last frame
  #load = new AbortController();
  #unfollow = null;
  #frame = 0;

  async start() {
    // A page that is left lives on for the way back. Its stream must not: a
    // browser has six connections to a receiver, and the seventh page would wait.
    addEventListener('pagehide', () => this.#stopFollowing());
    addEventListener('pageshow', ({ persisted }) => { if (persisted) this.#again(); });
    await Promise.all([this.#loadNamed(), this.loadEndpoints(), this.reload()]);
  }

  #say(what, detail) { this.dispatchEvent(new CustomEvent(what, { detail })); }

  setFilters(filters) {
    this.filters = Object.fromEntries(Object.entries(filters).filter(([, value]) => value));
    this.#say('filters');
    return this.reload();
  }

  change(changes) { return this.setFilters({ ...this.filters, ...changes }); }

  /** Loads the list anew: the newest first, then the rest behind them. */
  async reload() {
    this.#load.abort();
    const load = this.#load = new AbortController();
    this.loading = true;
    try {
      const page = await api.deliveries({ ...this.filters, limit: firstPage }, load.signal);
      this.rows = page.deliveries.reverse();
      this.byNumber = new Map(this.rows.map((r) => [r.number, r]));
      this.#took(page);
      this.failure = '';
      if (!this.#unfollow) this.#follow(page.last);
      this.loading = false;
      this.#say('rows', { fresh: true });
      await this.#loadOlder(load.signal);
    } catch (e) {
      if (e.name === 'AbortError') return;
      this.loading = false;
      this.failure = e.message;
      this.#say('rows', { fresh: true });
    }
  }

  async #loadOlder(signal) {
    while (this.older && this.rows.length < maxRows) {
      const page = await api.deliveries({ ...this.filters, before: this.older, limit: nextPage }, signal);
      const older = page.deliveries.reverse().filter((r) => !this.byNumber.has(r.number));
      for (const r of older) this.byNumber.set(r.number, r);
      this.rows = older.concat(this.rows);
      this.#took(page);
      this.#say('rows', { below: true });
    }
  }

  #took(page) {
    this.older = page.next ?? null;
    this.kept = page.kept ?? 0;
    this.evicted = page.evicted ?? 0;
  }

  async #loadNamed() {
    this.named = (await api.behaviours()).behaviours;
    this.#say('endpoints');
  }

  async loadEndpoints() {
    try {
      const answer = await api.endpoints();
      this.endpoints = answer.endpoints ?? [];
      this.#say('endpoints');
    } catch (e) {
      this.failure = e.message;
      this.#say('rows');
    }
  }

  #follow(after) {
    this.#unfollow = api.follow(after, {
      state: (state) => this.#setState(state),
      delivery: (row) => this.#arrived(row),
      evicted: ({ evicted, oldest }) => this.#left(evicted, oldest),
      endpoints: () => this.loadEndpoints(),
      cleared: () => { this.waiting.clear(); this.reload(); this.loadEndpoints(); },
      lagged: () => this.reload(),
    });
  }

  #setState(state) {
    this.state = state;
    this.#say('state');
    if (state !== 'lost') return;
    this.#stopFollowing();
    setTimeout(() => this.#again(), retryAfter);
  }

  #stopFollowing() {
    this.#unfollow?.();
    this.#unfollow = null;
  }

  #again() {
    this.loadEndpoints();
    this.reload();
  }

  #arrived(row) {
    this.waiting.set(row.number, row);
    if (this.waiting.size > maxRows) this.waiting.delete(this.waiting.keys().next().value);
    if (this.paused) this.#say('state');
    else this.#soon();
  }

  #soon() {
    // A hidden page gets no frames, but goes on counting.
    this.#frame ||= document.hidden ? setTimeout(() => this.#take(), 250) : requestAnimationFrame(() => this.#take());
  }

  setPaused(paused) {
    this.paused = paused;
    this.#say('state');
    if (!paused) this.#soon();
  }

  async #take() {
    this.#frame = 0;
    if (this.paused || this.waiting.size === 0) return;
    const arrived = [...this.waiting.values()];
    this.waiting.clear();
    const matching = await this.#matching(arrived);
    let above = 0;
    for (const row of arrived) {
      const known = this.byNumber.get(row.number);
      if (known) Object.assign(known, row);
      this.#count(row);
      if (known || !matching.has(row.number)) continue;
      this.byNumber.set(row.number, row);
      above++;
      const newest = this.rows.at(-1);
      if (!newest || newest.number < row.number) this.rows.push(row);
      else this.rows.splice(this.rows.findLastIndex((r) => r.number < row.number) + 1, 0, row);
    }
    while (this.rows.length > maxRows) this.byNumber.delete(this.rows.shift().number);
    this.#say('rows', { above, arrived });
  }

  /** Keeps the counts of the endpoints without asking for them again. */
  #count(row) {
    const endpoint = this.endpoints.find((e) => e.id === row.endpoint);
    if (!endpoint || row.seq <= endpoint.last) return;
    endpoint.last = row.seq;
    this.kept++;
  }

  /** The numbers of those that pass the filters. */
  async #matching(rows) {
    const passed = rows.filter((r) => passes(r, this.filters));
    if (passed.length === 0 || !(this.filters.q || this.filters.event)) return new Set(passed.map((r) => r.number));
    // What a summary does not tell, the receiver knows.
    const numbers = passed.map((r) => r.number);
    const after = Math.min(...numbers) - 1;
    try {
      const page = await api.deliveries({ ...this.filters, after, order: 'asc', limit: 10_000 }, this.#load.signal);
      return new Set(page.deliveries.map((r) => r.number));
    } catch {
      return new Set();
    }
  }

  #left(evicted, oldest) {
    this.kept -= Math.max(0, evicted - this.evicted);
    this.evicted = evicted;
    let gone = 0;
    while (gone < this.rows.length && this.rows[gone].number < oldest) this.byNumber.delete(this.rows[gone++].number);
    if (gone) this.rows.splice(0, gone);
    this.#say('rows', {});
  }

  endpoint(id) { return this.endpoints.find((e) => e.id === id); }
}

/** Whether a row passes the filters that can be judged by its summary. */
export function passes(row, f) {
  return (!f.endpoint || row.endpoint === f.endpoint)
    && (!f.listener || row.listener === f.listener)
    && (!f.batch || row.batch === f.batch)
    && (!f.from || row.at >= Date.parse(f.from))
    && (!f.to || row.at <= Date.parse(f.to))
    && (!f.status || answeredWith(row, f.status))
    && (!f.type || row.types.some((t) => (f.type.endsWith('*') ? t.startsWith(f.type.slice(0, -1)) : t === f.type)))
    && (!f.annotation || row.notes.some((n) => f.annotation === 'any' || n.name === f.annotation));
}

function answeredWith(row, status) {
  if (row.action !== 'respond') return row.action === status;
  const text = String(row.status);
  return status.endsWith('xx') ? text[0] === status[0] : text === status;
}
