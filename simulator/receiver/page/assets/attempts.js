// The attempts of one batch, and two deliveries side by side.

import * as api from './api.js';
import { el, fill } from './dom.js';
import { Body } from './body.js';
import { diff, sideBySide } from './diff.js';
import { answered, bytes, clock, many, span } from './format.js';
import { pill } from './list.js';
import { mask, secretsShown } from './masks.js';

const mostShown = 60; // attempts in the table, the newest
const context = 3; // equal lines shown around a difference
const mostLines = 2000; // of a difference

/** Shows the attempts of the delivery's batch and compares two of them. */
export async function showAttempts(panel, detail, open, before) {
  const numbers = detail.attempts.slice(-mostShown);
  const rows = await Promise.all(numbers.map((n) => (n === detail.number ? detail : api.deliveries({ before: n + 1, limit: 1 }).then((page) => page.deliveries[0]))));
  const known = rows.filter((row, i) => row && row.number === numbers[i]);
  const others = known.filter((row) => row.number !== detail.number).map((row) => [row.number, `Attempt ${row.attempt}, ${clock(row.at)}`]);
  if (before && !numbers.includes(before.number)) others.push([before.number, `Delivery before, ${clock(before.at)}`]);
  const difference = el('div', { class: 'difference', hidden: true, tabindex: 0, role: 'region', 'aria-label': 'Difference' });
  fill(panel, table(known, detail, open));
  if (others.length === 0) {
    panel.append(el('p', { class: 'panel-bar' }, 'This batch came once, and nothing came before it to compare it with.'));
    return;
  }
  const preferred = others.findLast(([n]) => n < detail.number) ?? others[0];
  const choice = el('select', { onchange: () => compare() }, others.map(([n, name]) => el('option', { value: n, selected: n === preferred[0] }, name)));
  const compare = async () => {
    try {
      const other = await api.delivery(choice.value, secretsShown());
      showDifference(difference, ...(other.number < detail.number ? [other, detail] : [detail, other]));
    } catch (e) {
      fill(difference, el('p', { class: 'error' }, e.message));
    }
    difference.hidden = false;
  };
  panel.append(el('div', { class: 'compare' }, el('label', {}, `Compare #${detail.number} with`, choice),
    !secretsShown() && el('span', { class: 'soft' }, 'Hidden values are not compared.')), difference);
  await compare();
}

function table(rows, detail, open) {
  return el('table', { class: 'attempts' },
    el('thead', {}, el('tr', {}, ['Attempt', 'Received', 'After', 'Answer', 'Answered in'].map((name) => el('th', { scope: 'col' }, name)))),
    el('tbody', {}, rows.map((row, i) => el('tr', { class: row.number === detail.number && 'here' },
      el('td', {}, row.number === detail.number ? `${row.attempt}, this one`
        : el('button', { type: 'button', onclick: () => open(row.number), 'aria-label': `Open attempt ${row.attempt}` }, String(row.attempt))),
      el('td', { class: 'mono' }, clock(row.at)),
      el('td', { class: 'soft' }, i ? span(row.at - rows[i - 1].at) : '–'),
      el('td', {}, pill(row)),
      el('td', { class: 'soft' }, row.action === 'respond' ? span(Math.max(0, row.answerAt - row.at)) : 'never')))));
}

function showDifference(place, a, b) {
  const sections = [
    ['Request', request(a), request(b)],
    ['Headers', headers(a), headers(b)],
    ['Connection', connection(a), connection(b)],
    ['Answer', [answered(a)], [answered(b)]],
  ].map(([name, left, right]) => section(name, left, right, Infinity));
  fill(place, el('h3', {}, `#${a.number}`, el('span', { class: 'soft' }, '→'), `#${b.number}`, el('span', { class: 'gap' }),
    el('span', { class: 'soft' }, `${span(b.at - a.at)} apart`)), ...sections, bodySection(a, b));
}

function bodySection(a, b) {
  if (a.batch === b.batch && a.bytes === b.bytes) {
    return [el('h3', {}, 'Body', el('span', { class: 'soft' }, 'the same')), el('p', { class: 'same' }, `Both bodies are the same ${bytes(a.bytes)}, SHA-256 ${a.batch}…`)];
  }
  const [left, right] = [a, b].map((d) => {
    const body = new Body(d.body);
    return body.laidOut?.lines ?? body.raw;
  });
  return section('Body', left, right, context);
}

const request = (d) => [`${d.method} ${masked(d.target)} ${d.proto}`, `Host: ${d.host ?? ''}`];
const masked = (target) => (secretsShown() ? target : target.replace(/(\/hooks\/)[^/?#]+/, `$1${mask}`));
const headers = (d) => Object.keys(d.headers).sort().flatMap((name) => d.headers[name].map((value) => `${name}: ${value}`));

function connection(d) {
  const lines = [`listener ${d.listener}`, `from ${d.remote}`];
  if (!d.tls) return [...lines, 'no TLS'];
  return [...lines, d.tls.version, d.tls.cipherSuite, `server name ${d.tls.serverName || '–'}`,
    ...(d.tls.clientCertificates ?? []).map((c) => `client certificate ${c.subject}, ${c.sha256}`)];
}

/** One section of the comparison; equal lines away from differences are left out. */
function section(name, left, right, around) {
  const lines = diff(left, right);
  if (!lines) return [el('h3', {}, name), el('p', { class: 'same' }, 'These differ too much to be set side by side.')];
  const rows = sideBySide(lines);
  const changed = rows.filter((row) => !row.same).length;
  const title = el('h3', {}, name, el('span', { class: 'soft' }, changed ? many(changed, 'line differs', 'lines differ') : 'the same'));
  if (changed === 0) return [title];
  const near = rows.map((row, i) => around === Infinity || rows.slice(Math.max(0, i - around), i + around + 1).some((r) => !r.same));
  const shown = [];
  let skipped = 0;
  const settle = () => {
    if (skipped) shown.push(el('div', {}, el('span', { class: 'skipped same-line' }, `${many(skipped, 'equal line')}`)));
    skipped = 0;
  };
  for (const [i, row] of rows.entries()) {
    if (!near[i] || shown.length > mostLines) {
      skipped++;
      continue;
    }
    settle();
    const [a, b] = [row.a === null ? '' : left[row.a], row.b === null ? '' : right[row.b]];
    shown.push(el('div', {}, el('span', { class: row.same ? 'same-line' : 'only-a' }, a), el('span', { class: row.same ? 'same-line' : 'only-b' }, b)));
  }
  settle();
  return [title, el('div', { class: 'sides' }, shown)];
}
