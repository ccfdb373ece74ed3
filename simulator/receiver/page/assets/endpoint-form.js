// The forms that make an endpoint and choose its behaviour.

import * as api from './api.js';
import { el, fill, button, copy } from './dom.js';
import { field, show } from './dialogs.js';
import { address } from './masks.js';
import { addresses, copies, nameOf } from './endpoints.js';

const custom = 'custom';

/** The choice of a behaviour: by name, or a script. */
class Behaviour {
  constructor(named, current) {
    this.named = named;
    this.choice = el('select', { onchange: () => this.#show() },
      named.map((b) => el('option', { value: b.name }, b.name)),
      el('option', { value: custom }, 'A script of your own'));
    this.script = el('textarea', { rows: 9, spellcheck: 'false', autocomplete: 'off' });
    this.script.value = JSON.stringify(current ?? { steps: [{ status: 503 }, { delay: '1500ms', status: 200 }], then: { status: 200 } }, null, 2);
    this.explanation = el('div', { class: 'field' });
    this.scriptField = field('Script', this.script, 'JSON or YAML: one action a request, then the last for ever.');
    if (current) this.choice.value = nameOf(current, named) ?? custom;
    this.parts = [field('Behaviour', this.choice), this.explanation, this.scriptField];
    this.#show();
  }

  #show() {
    const chosen = this.named.find((b) => b.name === this.choice.value);
    this.scriptField.hidden = this.choice.value !== custom;
    this.explanation.hidden = !chosen;
    if (chosen) fill(this.explanation, el('span', {}, chosen.sentence), el('pre', { class: 'code', tabindex: 0, 'aria-label': 'What it does' }, JSON.stringify(chosen.behaviour, null, 2)));
  }

  /** As the API takes it: a name or an object; undefined for a script in YAML. */
  get value() {
    if (this.choice.value !== custom) return this.choice.value;
    try {
      return JSON.parse(this.script.value);
    } catch {
      return undefined;
    }
  }

  /** A script that is not JSON goes as YAML. */
  get yaml() {
    if (this.choice.value !== custom) return null;
    try {
      JSON.parse(this.script.value);
      return null;
    } catch {
      return this.script.value;
    }
  }

  async send(id) {
    if (this.yaml !== null) await api.setBehaviour(id, this.yaml, 'application/yaml');
    else await api.setBehaviour(id, this.value);
  }
}

const modes = ['trusted', 'self-signed', 'unknown-ca', 'wrong-host', 'expired', 'not-yet-valid', 'mtls', 'mtls-optional', 'mtls-verified', 'plain', 'tcp', 'tls-tcp'];

/** Asks for a new endpoint; onCreated is told which it became. */
export async function newEndpoint(named, onCreated) {
  const name = el('input', { maxlength: 200, autocomplete: 'off', placeholder: 'what it is for' });
  const behaviour = new Behaviour(named);
  const emulation = el('select', {}, el('option', { value: '' }, 'none'),
    el('option', { value: 'splunk' }, 'Splunk HTTP Event Collector'), el('option', { value: 'newrelic' }, 'New Relic log API'));
  const own = el('select', {}, el('option', { value: '' }, 'none: the shared ones'), modes.map((mode) => el('option', { value: mode }, mode)));
  const error = el('p', { class: 'error', role: 'alert', hidden: true });
  const created = await show('New endpoint', (close) => el('form', {
    class: 'dialog-body',
    onsubmit: async (e) => {
      e.preventDefault();
      error.hidden = true;
      try {
        close(await create({ name: name.value, behaviour, emulation: emulation.value, own: own.value }));
      } catch (refused) {
        error.textContent = refused.message;
        error.hidden = false;
      }
    },
  }, field('Name', name), behaviour.parts, field('Answer like', emulation, 'An emulation checks the credentials and answers as that system would.'),
  field('Own listener', own, 'A port of its own, which can be closed and opened again; its connections are recorded too.'),
  error, el('div', { class: 'foot' }, button('Cancel', { onclick: () => close() }), button('Make endpoint', { class: 'primary', type: 'submit' }))));
  if (!created) return;
  onCreated(created);
  await showCreated(created);
}

async function create({ name, behaviour, emulation, own }) {
  const endpoint = await api.createEndpoint({
    name: name || undefined, behaviour: behaviour.value,
    emulation: emulation ? { kind: emulation } : undefined,
    listener: own ? { mode: own, dedicated: true, open: true } : undefined,
  });
  if (behaviour.yaml === null) return endpoint;
  try {
    await behaviour.send(endpoint.id);
  } catch (e) {
    await api.deleteEndpoint(endpoint.id);
    throw e;
  }
  return endpoint;
}

function showCreated(endpoint) {
  const urls = addresses(endpoint);
  const [first, url] = Object.entries(urls).find(([mode]) => mode.startsWith('own')) ?? ['trusted', urls.trusted];
  return show('Endpoint made', (close) => el('div', { class: 'dialog-body' },
    el('p', {}, `“${endpoint.name || endpoint.id}” takes deliveries now. Its address is a secret: whoever has it can post to it.`),
    el('div', { class: 'lines' }, Object.entries(urls).map(([mode, u]) => el('div', { class: 'line' },
      el('span', { class: 'what' }, mode), el('code', {}, address(u)),
      button(`Copy the ${mode} URL`, { drawing: 'copy', bare: true, onclick: () => copy(u, 'URL') })))),
    el('div', { class: 'foot' }, ...copies(endpoint, first, url), button('Done', { class: 'primary', autofocus: true, onclick: () => close() }))));
}

/** Asks for another behaviour of an endpoint. */
export async function chooseBehaviour(endpoint, named) {
  const behaviour = new Behaviour(named, endpoint.behaviour);
  const error = el('p', { class: 'error', role: 'alert', hidden: true });
  await show(`Behaviour of ${endpoint.name || endpoint.id}`, (close) => el('form', {
    class: 'dialog-body',
    onsubmit: async (e) => {
      e.preventDefault();
      error.hidden = true;
      try {
        await behaviour.send(endpoint.id);
        close(true);
      } catch (refused) {
        error.textContent = refused.message;
        error.hidden = false;
      }
    },
  }, el('p', { class: 'soft' }, 'It governs from the next request on; requests that hang now are released.'),
  behaviour.parts, error,
  el('div', { class: 'foot' }, button('Cancel', { onclick: () => close() }), button('Use it', { class: 'primary', type: 'submit' }))));
}
