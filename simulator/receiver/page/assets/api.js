// The inspection API, as the page uses it.

/** A request that was refused, with what the receiver said. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// The address of the page may hold the credentials with which it was asked for,
// and a browser refuses to fetch what is relative to such an address.
const origin = location.origin;

async function call(method, path, { query, body, signal, type } = {}) {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') asked.set(name, value);
  }
  const text = asked.toString();
  const response = await fetch(`${origin}${path}${text ? `?${text}` : ''}`, {
    method, signal,
    headers: body === undefined ? {} : { 'Content-Type': type ?? 'application/json' },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Refused(response.status, said.error ?? `the receiver answered ${response.status}`);
}

const json = async (...request) => (await call(...request)).json();
const text = async (...request) => (await call(...request)).text();
const at = (id) => `/inspect/endpoints/${encodeURIComponent(id)}`;
const masking = (secrets) => (secrets ? {} : { secrets: 'masked' });

export const receiver = () => json('GET', '/inspect');
export const endpoints = () => json('GET', '/inspect/endpoints');
export const behaviours = () => json('GET', '/inspect/behaviours');
export const createEndpoint = (body) => json('POST', '/inspect/endpoints', { body });
export const deleteEndpoint = (id) => call('DELETE', at(id));
export const setOpen = (id, open) => call('PUT', `${at(id)}/listener`, { body: { open } });
export const subscription = (id, listener) => text('GET', `${at(id)}/subscription`, { query: { listener } });

/** Sets a behaviour: an object, the name of one, or a script in JSON or YAML. */
export const setBehaviour = (id, behaviour, type) => call('PUT', `${at(id)}/behaviour`, {
  body: type ? behaviour : JSON.stringify(behaviour), type,
});

export async function deliveries(query, signal) {
  const page = await json('GET', '/inspect/deliveries', { query, signal });
  page.deliveries = (page.deliveries ?? []).map(row);
  return page;
}

/** One delivery with its body; secrets: whether its secrets are wanted too. */
export async function delivery(number, secrets) {
  const d = await json('GET', `/inspect/deliveries/${number}`, { query: masking(secrets) });
  return { ...row(d), headers: d.headers ?? {}, host: d.host, tls: d.tls ?? null, curl: d.curl, attempts: d.attempts ?? [number], body: decode(d.body ?? '') };
}

export const curl = (number, secrets) => text('GET', `/inspect/deliveries/${number}/curl`, { query: masking(secrets) });
export const resend = (number, body) => json('POST', `/inspect/deliveries/${number}/resend`, { body });
export const clear = (endpoint) => call('DELETE', '/inspect/deliveries', { query: { endpoint } });

/** The address of an export with the filters. */
export function exported(format, filters, secrets) {
  const query = new URLSearchParams({ ...filters, ...masking(secrets) });
  return `/inspect/export.${format}?${query}`;
}

/** A row of the list, from the summary of a delivery. */
export function row(d) {
  return {
    number: d.number, seq: d.seq, endpoint: d.endpoint, name: d.endpointName || d.endpoint, listener: d.listener,
    method: d.method ?? '', target: d.target ?? '', proto: d.proto ?? '', remote: d.remoteAddr ?? '',
    bytes: d.bytes ?? 0, truncated: d.truncated === true, complete: d.complete !== false,
    first: Date.parse(d.firstByteAt), at: Date.parse(d.lastByteAt),
    action: d.answer?.action ?? '', status: d.answer?.status ?? 0, answerAt: Date.parse(d.answer?.at ?? d.lastByteAt),
    cutAfter: d.answer?.cutAfter,
    events: d.events ?? 0, types: d.types ?? [], hold: d.holdMs ?? null, again: d.againMs ?? null, batch: d.batch ?? '', attempt: d.attempt ?? 1,
    notes: d.annotations ?? [], examined: d.examined !== false,
  };
}

function decode(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Follows what happens from the given number on. Returns what ends it. */
export function follow(after, on) {
  const source = new EventSource(`${origin}/inspect/stream?after=${after}`);
  const listen = (name, then) => source.addEventListener(name, (e) => then(JSON.parse(e.data)));
  source.addEventListener('open', () => on.state('live'));
  source.addEventListener('error', () => on.state(source.readyState === EventSource.CLOSED ? 'lost' : 'connecting'));
  listen('delivery', (d) => on.delivery(row(d)));
  listen('evicted', on.evicted);
  listen('endpoints', on.endpoints);
  listen('cleared', on.cleared);
  listen('lagged', on.lagged);
  return () => source.close();
}
