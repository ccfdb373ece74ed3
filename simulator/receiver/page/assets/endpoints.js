// The endpoints at the side, and the chosen one above the list.

import * as api from './api.js';
import { el, byId, fill, button, copy, say } from './dom.js';
import { confirm, failed } from './dialogs.js';
import { count, many } from './format.js';
import { address, onSecrets } from './masks.js';
import { chooseBehaviour } from './endpoint-form.js';

/** What an endpoint does, in few words: its emulation, the name of its behaviour, or its steps. */
export function does(endpoint, named) {
  if (endpoint.emulation) return `emulates ${endpoint.emulation}`;
  const behaviour = endpoint.behaviour ?? {};
  const name = nameOf(behaviour, named);
  if (name && name !== 'ok') return name;
  const rules = (behaviour.rules ?? []).length;
  const steps = (behaviour.steps ?? []).map(step);
  const then = step(behaviour.then ?? {});
  return [rules && many(rules, 'rule'), ...steps.slice(0, 3), steps.length > 3 && `${steps.length - 3} more`, rules + steps.length ? `then ${then}` : then]
    .filter(Boolean).join(', ');
}

/** The name under which a behaviour is known, if there is one. */
export const nameOf = (behaviour, named) => named.find((b) => JSON.stringify(b.behaviour) === JSON.stringify(behaviour))?.name;

function step(action) {
  if (action.hang) return 'hang';
  if (action.reset) return 'reset';
  const delay = action.delayMax ? `${action.delay ?? '0s'}–${action.delayMax}` : action.delay;
  return [String(action.status ?? 200), delay && `after ${delay}`, action.drip && 'dripping', action.cutAfter !== undefined && 'cut off'].filter(Boolean).join(' ');
}

export class Endpoints {
  #listener = new Map(); // the listener chosen, by endpoint
  #items = new Map(); // what stands at the side, by endpoint

  constructor(store) {
    this.store = store;
    this.list = el('ul');
    fill(byId('endpoints'), el('h2', {}, 'Endpoints'), this.list);
    for (const event of ['endpoints', 'filters']) store.addEventListener(event, () => this.#draw());
    store.addEventListener('rows', (e) => { if (e.detail?.arrived) this.#counts(); });
    onSecrets(() => this.#drawChosen());
  }

  #draw() {
    const wanted = [{ id: '', name: 'All endpoints', last: this.#total() }, ...this.store.endpoints.toReversed()];
    const ids = wanted.map((e) => e.id);
    // What stays keeps its element: whoever is about to press it must hit it.
    for (const id of this.#items.keys()) if (!ids.includes(id)) this.#items.delete(id);
    for (const endpoint of wanted) this.#drawItem(endpoint);
    const now = [...this.list.children].map((li) => li.firstChild.dataset.endpoint);
    if (now.join() !== ids.join()) {
      const focused = document.activeElement;
      fill(this.list, ids.map((id) => this.#items.get(id)));
      if (this.list.contains(focused)) focused.focus();
    }
    this.#drawChosen();
  }

  #drawItem({ id, name, last, behaviour, emulation }) {
    if (!this.#items.has(id)) {
      const parts = ['name', 'count', 'does'].map((part) => el('span', { class: part }));
      this.#items.set(id, el('li', {}, el('button', { type: 'button', 'data-endpoint': id, onclick: () => this.store.change({ endpoint: id }) }, parts)));
    }
    const node = this.#items.get(id).firstChild;
    node.setAttribute('aria-pressed', (this.store.filters.endpoint ?? '') === id);
    node.children[0].textContent = name || id;
    node.children[1].textContent = count(last ?? 0);
    node.children[2].textContent = id ? does({ behaviour, emulation }, this.store.named) : '';
    node.children[2].hidden = !id;
  }

  #total() { return this.store.endpoints.reduce((sum, e) => sum + (e.last ?? 0), 0); }

  #counts() {
    for (const node of byId('endpoints').querySelectorAll('button')) {
      const endpoint = this.store.endpoint(node.dataset.endpoint);
      node.querySelector('.count').textContent = count(endpoint ? endpoint.last : this.#total());
    }
  }

  #drawChosen() {
    const endpoint = this.store.endpoint(this.store.filters.endpoint);
    const place = byId('endpoint');
    place.hidden = !endpoint;
    if (!endpoint) {
      fill(place);
      return;
    }
    const had = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    fill(place, this.#title(endpoint), this.#address(endpoint), endpoint.dedicated && this.#dedicated(endpoint));
    if (had) place.querySelector(`[data-key="${had}"]`)?.focus();
  }

  #title(endpoint) {
    return el('div', { class: 'title' }, el('h2', {}, endpoint.name || endpoint.id),
      el('span', { class: 'soft' }, does(endpoint, this.store.named)), el('span', { class: 'gap' }),
      button('Behaviour', { drawing: 'pen', 'data-key': 'behaviour', onclick: () => chooseBehaviour(endpoint, this.store.named) }),
      button('Clear', { 'data-key': 'clear', onclick: () => this.#clear(endpoint) }),
      button('Delete endpoint', { drawing: 'trash', bare: true, class: 'danger', 'data-key': 'delete', onclick: () => this.#delete(endpoint) }));
  }

  #address(endpoint) {
    const urls = addresses(endpoint);
    const preferred = this.#listener.get(endpoint.id) ?? (urls.trusted ? 'trusted' : Object.keys(urls)[0]);
    const url = urls[preferred] ?? '';
    return el('div', { class: 'address' },
      el('select', { 'aria-label': 'Listener', 'data-key': 'listener', onchange: (e) => { this.#listener.set(endpoint.id, e.target.value); this.#drawChosen(); } },
        Object.keys(urls).map((mode) => el('option', { value: mode, selected: mode === preferred }, mode))),
      el('code', { 'data-url': true }, address(url)),
      ...copies(endpoint, preferred, url));
  }

  #dedicated(endpoint) {
    const { mode, open } = endpoint.dedicated;
    return el('div', { class: 'line' }, el('span', { class: 'soft' }, `Own listener (${mode}): ${open ? 'open' : 'closed, connections are refused'}`),
      button(open ? 'Close the port' : 'Open the port', {
        'data-key': 'port', onclick: () => api.setOpen(endpoint.id, !open).then(() => this.store.loadEndpoints()).catch(failed),
      }));
  }

  async #clear(endpoint) {
    if (!await confirm('Clear deliveries', `Forget the deliveries of “${endpoint.name || endpoint.id}”?`, 'Clear')) return;
    await api.clear(endpoint.id).then(() => say('Cleared')).catch(failed);
  }

  async #delete(endpoint) {
    if (!await confirm('Delete endpoint', `Delete “${endpoint.name || endpoint.id}” with its deliveries? Its URL will answer 404.`, 'Delete')) return;
    try {
      await api.deleteEndpoint(endpoint.id);
      await this.store.change({ endpoint: '' });
      await this.store.loadEndpoints();
    } catch (e) {
      failed(e);
    }
  }
}

/** Where the endpoint is, by listener; its own first. */
export const addresses = (endpoint) => ({
  ...(endpoint.dedicated ? { [`own, ${endpoint.dedicated.mode}`]: endpoint.dedicated.url } : {}), ...endpoint.urls,
});

/** Buttons that put onto the clipboard what one needs to use an endpoint. */
export function copies(endpoint, listener, url) {
  const shell = `curl ${url.startsWith('https') ? '--insecure ' : ''}--json '[]' '${url}'`;
  return [
    button('URL', { drawing: 'copy', 'data-key': 'url', 'aria-description': 'copy', onclick: () => copy(url, 'URL') }),
    button('curl', { drawing: 'copy', 'data-key': 'curl', 'aria-description': 'copy', onclick: () => copy(shell, 'curl command') }),
    button('Subscription', {
      drawing: 'copy', 'data-key': 'subscription', 'aria-description': 'copy',
      onclick: () => api.subscription(endpoint.id, listener.startsWith('own, ') ? undefined : listener).then((text) => copy(text, 'Subscription')).catch(failed),
    }),
  ];
}
