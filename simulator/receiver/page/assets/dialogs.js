// The dialog of the page, and the short ones shown in it.

import * as api from './api.js';
import { el, byId, fill, button, copy, say } from './dom.js';
import { mask } from './masks.js';

/** Opens the dialog. Resolves with what close() was given, or undefined. */
export function show(title, make) {
  const dialog = byId('dialog');
  if (dialog.open) dialog.close();
  return new Promise((resolve) => {
    let answer;
    const close = (value) => { answer = value; dialog.close(); };
    const content = el('div', {}, el('div', { class: 'dialog-head' }, el('h2', { id: 'dialog-title' }, title),
      button('Close', { drawing: 'close', bare: true, class: 'quiet', onclick: () => close() })), make(close));
    // The event comes after a moment, when another dialog may be open already.
    const closed = () => {
      const shown = dialog.firstChild === content;
      if (shown && dialog.open) return;
      dialog.removeEventListener('close', closed);
      if (shown) fill(dialog);
      resolve(answer);
    };
    dialog.addEventListener('close', closed);
    fill(dialog, content);
    dialog.showModal();
    dialog.querySelector('[autofocus], input, select, textarea')?.focus();
  });
}

export const confirm = (title, question, yes) => show(title, (close) => el('div', { class: 'dialog-body' }, el('p', {}, question),
  el('div', { class: 'foot' }, button('Cancel', { onclick: () => close(false) }), button(yes, { class: 'primary', autofocus: true, onclick: () => close(true) }))));

export const failed = (e) => { if (e.name !== 'AbortError') say(`Refused: ${e.message}`); };

/** A field of a form with its name and, below, what is good to know. */
export function field(name, control, hint) {
  control.id ||= `field-${name.toLowerCase().replaceAll(/\W+/g, '-')}`;
  const small = hint && el('small', { id: `${control.id}-hint` }, hint);
  if (small) control.setAttribute('aria-describedby', small.id);
  return el('div', { class: 'field' }, el('label', { for: control.id }, name), control, small);
}

export async function showAddresses() {
  let known;
  try {
    known = await api.receiver();
  } catch (e) {
    failed(e);
    return;
  }
  const lines = Object.entries(known.listeners).map(([mode, l]) => el('div', { class: 'line' },
    el('span', { class: 'what' }, mode), el('code', {}, `${l.url}/hooks/${mask}`),
    button(`Copy the certificate for ${mode}`, { drawing: 'copy', bare: true, disabled: !l.certificate, onclick: () => copy(l.certificate, 'Certificate') })));
  const b = known.bounds;
  await show('Listeners', () => el('div', { class: 'dialog-body' },
    el('p', { class: 'soft' }, 'Every endpoint is reached on each of these. What a client must trust is beside it to copy.'),
    el('div', { class: 'lines' }, lines),
    el('div', { class: 'line' }, el('a', { class: 'button', href: '/inspect/ca.pem', download: 'receiver-root.pem' }, 'Root certificate'),
      el('a', { class: 'button', href: '/inspect/openapi.json', target: '_blank', rel: 'noopener' }, 'API description')),
    b && el('p', { class: 'soft' }, `At most ${(b.maxBytes / 2 ** 20).toFixed(0)} MiB and ${b.maxDeliveries.toLocaleString('en-US')} deliveries are kept, ${known.persistent ? 'on disk' : 'in memory'}; the oldest leave first.`)));
}

const keys = [
  ['/', 'Search'], ['↑ ↓ or j k', 'Choose a delivery'], ['Enter', 'Open it'], ['Esc', 'Close it'],
  ['e b h c a', 'Its events, body, headers, connection, attempts'], ['n', 'New endpoint'],
  ['p', 'Pause or go on'], ['t', 'Timeline taller'], ['s', 'Show or hide secrets'], ['?', 'This list'],
];

export const showKeys = () => show('Keys', () => el('div', { class: 'dialog-body' }, el('div', { class: 'keys' },
  keys.map(([key, what]) => [el('span', {}, key.split(' ').map((k) => (k === 'or' ? ' or ' : el('kbd', {}, k)))), el('span', {}, what)]))));

/** Sends a delivery again, to another address. */
export function resend(number) {
  const url = el('input', { type: 'url', required: true, placeholder: 'https://…', autocomplete: 'off', spellcheck: 'false' });
  const insecure = el('input', { type: 'checkbox', id: 'insecure' });
  const result = el('div', { role: 'status' });
  return show('Send again', () => {
    const send = button('Send', { drawing: 'send', class: 'primary', type: 'submit' });
    return el('form', {
      class: 'dialog-body',
      onsubmit: async (e) => {
        e.preventDefault();
        send.disabled = true;
        fill(result, el('p', { class: 'soft' }, 'Sending…'));
        try {
          const answer = await api.resend(number, { url: url.value, insecure: insecure.checked });
          fill(result, el('p', {}, `Answered ${answer.status} after ${answer.durationMs} ms.`), answer.body && el('pre', { class: 'code', tabindex: 0, 'aria-label': 'The body of the answer' }, answer.body));
        } catch (refused) {
          fill(result, el('p', { class: 'error' }, refused.message));
        }
        send.disabled = false;
      },
    }, el('p', { class: 'soft' }, `Delivery ${number}: same method, headers and body, byte for byte.`),
    field('Address', url), el('div', { class: 'check' }, insecure, el('label', { for: 'insecure' }, 'Accept any certificate')),
    result, el('div', { class: 'foot' }, send));
  });
}
