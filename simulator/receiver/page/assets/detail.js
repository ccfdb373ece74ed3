// The chosen delivery.

import * as api from './api.js';
import { el, byId, fill, button, copy } from './dom.js';
import { showAttempts } from './attempts.js';
import { Body, showBody, showEvents } from './body.js';
import { failed, resend } from './dialogs.js';
import { answered, bytes, clock, holdLimit, many, moment, span } from './format.js';
import { note, pill } from './list.js';
import { mask, onSecrets, secretsShown, showSecrets } from './masks.js';

const tabs = ['Events', 'Body', 'Headers', 'Connection', 'Attempts'];

export class Detail {
  #wanted = 0; // counts what was asked for: a late answer must not replace a later one
  #tab = 'Events';
  number = null;

  constructor(store, { move, closed }) {
    Object.assign(this, { store, move, closed, place: byId('detail') });
    onSecrets(() => { if (this.number !== null) this.open(this.number); });
    this.place.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape') return;
      e.stopPropagation();
      this.close();
    });
  }

  get isOpen() { return this.number !== null; }

  /** Opens a delivery; focus says whether the keyboard goes along. */
  async open(number, focus = false) {
    const wanted = ++this.#wanted;
    const again = this.number === number;
    this.number = number;
    let detail;
    try {
      detail = await api.delivery(number, secretsShown());
    } catch (e) {
      if (wanted !== this.#wanted) return;
      this.#showMissing(e);
      return;
    }
    if (wanted !== this.#wanted) return;
    this.detail = detail;
    this.body = new Body(detail.body);
    if (!again && this.#tab === 'Events' && this.body.events.length === 0) this.#tab = 'Body';
    else if (!again && this.#tab === 'Body' && !this.chosenTab && this.body.events.length) this.#tab = 'Events';
    this.#draw();
    this.#reveal();
    if (focus) this.place.querySelector('[role="tab"][aria-selected="true"]').focus();
  }

  #reveal() {
    this.place.hidden = false;
    byId('frame').classList.add('opened');
  }

  #showMissing(e) {
    fill(this.place, el('div', { class: 'detail-head' }, el('h2', {}, 'Not kept any more'), this.#closer()),
      el('p', { class: 'panel-bar' }, e.status === 404 ? 'This delivery left to make room, or was cleared.' : e.message));
    this.#reveal();
  }

  close() {
    this.#wanted++;
    this.number = null;
    this.place.hidden = true;
    fill(this.place);
    byId('frame').classList.remove('opened');
    this.closed();
  }

  #closer() { return button('Close', { drawing: 'close', bare: true, class: 'quiet', onclick: () => this.close() }); }

  #draw() {
    const d = this.detail;
    const kept = document.activeElement?.closest('#detail [data-key]')?.dataset.key;
    fill(this.place, this.#head(d),
      el('p', { class: 'request mono', title: 'the request' }, `${d.method} ${this.#target(d)} ${d.proto}`),
      this.#actions(d), this.#facts(d),
      d.notes.length > 0 && el('ul', { class: 'detail-notes' }, d.notes.map((n) => el('li', {}, note(n), el('span', {}, n.detail ?? '')))),
      this.#tabList(), this.panel = el('div', { role: 'tabpanel', id: 'panel', 'aria-labelledby': `tab-${this.#tab}` }));
    this.#fillPanel();
    if (kept) this.place.querySelector(`[data-key="${kept}"]`)?.focus();
  }

  #target(d) { return secretsShown() ? d.target : d.target.replace(/(\/hooks\/)[^/?#]+/, `$1${mask}`); }

  #head(d) {
    return el('div', { class: 'detail-head' }, el('h2', {}, d.name, ' ', el('small', {}, `#${d.number} · `, el('span', { class: 'wide' }, `${moment(d.at).slice(0, 10)} `), clock(d.at))), pill(d),
      button('Newer delivery', { drawing: 'left', bare: true, class: 'quiet', 'data-key': 'newer', onclick: () => this.move(-1) }),
      button('Older delivery', { drawing: 'right', bare: true, class: 'quiet', 'data-key': 'older', onclick: () => this.move(1) }),
      this.#closer());
  }

  #actions(d) {
    const shown = secretsShown();
    return el('div', { class: 'actions' },
      button('curl', { drawing: 'copy', 'data-key': 'copy-curl', 'aria-description': 'copy', onclick: () => api.curl(d.number, shown).then((text) => copy(text, shown ? 'curl command' : 'curl command, its secrets masked,')).catch(failed) }),
      button('Send again', { drawing: 'send', 'data-key': 'resend', onclick: () => resend(d.number) }),
      button('Only this batch', { 'data-key': 'batch', onclick: () => this.store.change({ batch: d.batch }) }));
  }

  #facts(d) {
    const fact = (name, value, long) => el('div', { class: long && 'long' }, el('dt', {}, name), el('dd', {}, value));
    return el('dl', { class: 'facts' },
      fact('Events', d.events ? String(d.events) : '–'), fact('Bytes', bytes(d.bytes)),
      d.again !== null ? fact('Again after', span(d.again)) : fact('Hold', d.hold === null ? '–' : span(d.hold), d.hold > holdLimit),
      fact('Reading', span(d.at - d.first)),
      fact('Answer', d.action === 'respond' ? `${answered(d)} in ${span(Math.max(0, d.answerAt - d.at))}` : answered(d)),
      fact('Attempt', d.attempts.length > 1 ? `${d.attempts.indexOf(d.number) + 1} of ${d.attempts.length}` : '1'));
  }

  #tabList() {
    const select = (name) => { this.chosenTab = true; this.show(name, true); };
    const list = el('div', { role: 'tablist', 'aria-label': 'Parts of the delivery' }, tabs.map((name) => el('button', {
      type: 'button', role: 'tab', id: `tab-${name}`, 'data-key': `tab-${name}`, 'aria-controls': 'panel',
      'aria-selected': String(name === this.#tab), tabindex: name === this.#tab ? 0 : -1, onclick: () => select(name),
    }, name === 'Attempts' && this.detail.attempts.length > 1 ? `Attempts ${this.detail.attempts.length}` : name)));
    list.addEventListener('keydown', (e) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!by) return;
      e.preventDefault();
      select(tabs[(tabs.indexOf(this.#tab) + by + tabs.length) % tabs.length]);
    });
    return list;
  }

  /** Shows a tab. */
  show(name, focus, options) {
    this.#tab = name;
    for (const tab of this.place.querySelectorAll('[role="tab"]')) {
      const chosen = tab.id === `tab-${name}`;
      tab.setAttribute('aria-selected', chosen);
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen && focus) tab.focus();
    }
    this.panel.setAttribute('aria-labelledby', `tab-${name}`);
    this.#fillPanel(options);
  }

  #fillPanel(options) {
    const { panel, detail, body } = this;
    fill(panel);
    switch (this.#tab) {
      case 'Events': showEvents(panel, detail, body, (line) => this.show('Body', true, { line })); break;
      case 'Body': showBody(panel, detail, body, options); break;
      case 'Headers': showHeaders(panel, detail); break;
      case 'Connection': showConnection(panel, detail); break;
      default: showAttempts(panel, detail, (n) => this.open(n), this.#before(detail)).catch((e) => fill(panel, el('p', { class: 'error' }, e.message)));
    }
  }

  /** The delivery before this one at the same endpoint, if it is loaded. */
  #before(detail) { return this.store.rows.findLast((r) => r.endpoint === detail.endpoint && r.number < detail.number); }
}

const pair = (name, ...value) => el('div', {}, el('dt', {}, name), el('dd', {}, ...value));

function showHeaders(panel, detail) {
  const value = (v) => (v === mask ? [el('span', { class: 'masked' }, v), button('Show', { 'aria-label': 'Show secrets', onclick: () => showSecrets(true) })] : [v]);
  const names = Object.keys(detail.headers).sort();
  fill(panel, el('div', { class: 'panel-bar' }, many(names.length, 'header')),
    el('dl', { class: 'pairs' }, pair('Host', detail.host ?? ''), names.flatMap((name) => detail.headers[name].map((v) => pair(name, ...value(v))))));
}

function showConnection(panel, detail) {
  const { tls } = detail;
  const certificates = tls?.clientCertificates ?? [];
  fill(panel, el('dl', { class: 'pairs' },
    el('h3', {}, 'Connection'), pair('Listener', detail.listener), pair('From', detail.remote), pair('Protocol', detail.proto),
    pair('Headers read', moment(detail.first)), pair('Body read', moment(detail.at)), pair('Answer due', moment(detail.answerAt)),
    el('h3', {}, 'TLS'),
    tls ? [pair('Version', tls.version), pair('Cipher suite', tls.cipherSuite), pair('Server name', tls.serverName || 'none sent')] : pair('TLS', 'none: the listener is plain'),
    tls && el('h3', {}, certificates.length ? 'Client certificates, leaf first' : 'Client certificate'),
    tls && certificates.length === 0 && pair('Certificate', 'none presented'),
    certificates.map((c) => [pair('Subject', c.subject), pair('Serial', c.serial), pair('SHA-256', c.sha256)])));
}
