// Puts the page together.

import * as api from './api.js';
import { byId, button, fill, icon } from './dom.js';
import { Detail } from './detail.js';
import { failed, showAddresses, showKeys } from './dialogs.js';
import { newEndpoint } from './endpoint-form.js';
import { Endpoints } from './endpoints.js';
import { Filters } from './filters.js';
import { List } from './list.js';
import { onSecrets, secretsShown, showSecrets } from './masks.js';
import { Store } from './store.js';
import { Timeline } from './timeline.js';

const store = new Store();
const known = ['endpoint', 'q', 'type', 'event', 'status', 'annotation', 'listener', 'batch', 'from', 'to'];

const list = new List(store, { open: (number, focus) => open(number, focus) });
const detail = new Detail(store, { move: (by) => list.move(by, true), closed: () => { remember(); timeline.choose(null); byId('grid').focus(); } });
const timeline = new Timeline(store, {
  open: (number) => { list.choose(number, true); },
  zoom: (from, to) => store.change({ from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
});
const endpoints = new Endpoints(store);

function open(number, focus) {
  timeline.choose(number);
  detail.open(number, focus).catch(failed);
  remember();
}

// The address of the page says what is filtered and what is open, so that it
// survives a reload and can be passed on.
function remember() {
  const parts = new URLSearchParams(store.filters);
  if (detail.isOpen) parts.set('delivery', detail.number);
  history.replaceState(null, '', parts.size ? `#${parts}` : location.pathname);
}

function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  store.filters = Object.fromEntries(known.filter((name) => parts.get(name)).map((name) => [name, parts.get(name)]));
  return Number(parts.get('delivery'));
}

const tools = {
  fresh: button('New endpoint', { drawing: 'plus', class: 'primary', id: 'new-endpoint', onclick: () => newEndpoint(store.named, made) }),
  pause: button('Pause', { drawing: 'pause', 'aria-pressed': 'false', onclick: () => store.setPaused(!store.paused) }),
  secrets: button('Secrets', { drawing: 'eye', 'aria-pressed': 'false', onclick: () => showSecrets(!secretsShown()) }),
  addresses: button('Listeners', { drawing: 'plug', onclick: showAddresses }),
  theme: button('Colours: as the system', { drawing: 'auto', bare: true, onclick: () => nextTheme() }),
  help: button('Keys', { drawing: 'help', bare: true, onclick: showKeys }),
};

async function made(endpoint) {
  await store.loadEndpoints();
  await store.setFilters({ endpoint: endpoint.id });
}

const themes = [['', 'auto', 'Colours: as the system'], ['light', 'sun', 'Colours: light'], ['dark', 'moon', 'Colours: dark']];

function setTheme(name) {
  const [value, drawing, text] = themes.find(([v]) => v === name) ?? themes[0];
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
  tools.theme.title = text;
  tools.theme.setAttribute('aria-label', text);
  fill(tools.theme, icon(drawing));
  timeline.soon();
}

function nextTheme() {
  const now = document.documentElement.dataset.theme ?? '';
  const next = themes[(themes.findIndex(([v]) => v === now) + 1) % themes.length][0];
  localStorage.setItem('theme', next);
  setTheme(next);
}

const states = { live: 'Live', connecting: 'Connecting', lost: 'Not reachable' };

function showState() {
  byId('live').dataset.state = store.paused ? 'paused' : store.state;
  byId('live-text').textContent = store.paused ? `Paused${store.waiting.size ? `, ${store.waiting.size} waiting` : ''}` : states[store.state];
  tools.pause.setAttribute('aria-pressed', store.paused);
  fill(tools.pause, icon(store.paused ? 'play' : 'pause'), Object.assign(document.createElement('span'), { textContent: store.paused ? 'Go on' : 'Pause' }));
}

const tabKeys = { e: 'Events', b: 'Body', h: 'Headers', c: 'Connection', a: 'Attempts' };

const keys = {
  '/': () => byId('search').focus(),
  n: () => tools.fresh.click(),
  p: () => tools.pause.click(),
  s: () => tools.secrets.click(),
  t: () => timeline.toggle(),
  '?': showKeys,
  j: () => list.move(1, detail.isOpen),
  k: () => list.move(-1, detail.isOpen),
  Escape: () => { if (detail.isOpen) detail.close(); },
};

document.addEventListener('keydown', (e) => {
  const writing = e.target.closest('input, textarea, select, dialog[open]');
  if (writing || e.ctrlKey || e.metaKey || e.altKey) return;
  const act = keys[e.key] ?? (detail.isOpen && tabKeys[e.key] && (() => detail.show(tabKeys[e.key], true)));
  if (!act) return;
  e.preventDefault();
  act();
});

onSecrets((shown) => tools.secrets.setAttribute('aria-pressed', shown));
store.addEventListener('state', showState);
store.addEventListener('filters', remember);

async function start() {
  byId('tools').append(...Object.values(tools));
  setTheme(localStorage.getItem('theme') ?? '');
  const number = recall();
  const about = await api.receiver();
  new Filters(store, Object.keys(about.listeners));
  await Promise.all([store.start(), endpoints]);
  if (number) list.choose(number, true);
}

start().catch(failed);
