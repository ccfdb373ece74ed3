// How values read.

const two = (n) => String(n).padStart(2, '0');
const three = (n) => String(n).padStart(3, '0');

/** 14:03:09.120, local. */
export function clock(ms) {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${three(d.getMilliseconds())}`;
}

/** 2026-11-22 14:03:09.120, local. */
export function moment(ms) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(ms)}`;
}

/** 618 B, 12.4 KB, 3.1 MB (powers of 1000). */
export function bytes(n) {
  if (n < 1000) return `${n} B`;
  if (n < 999_950) return `${(n / 1000).toFixed(n < 99_950 ? 1 : 0)} KB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}

/** 12 ms, 1.94 s, 3 min 20 s, 2 h 5 min, 6 d 3 h. */
export function span(ms) {
  if (ms < 0) return `−${span(-ms)}`;
  if (ms < 999.5) return `${ms < 10 && ms % 1 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const s = Math.round(ms / 1000);
  if (s < 3600) return pair(s, 60, 'min', 's');
  if (s < 86_400) return pair(Math.round(s / 60), 60, 'h', 'min');
  return pair(Math.round(s / 3600), 24, 'd', 'h');
}

function pair(n, base, big, small) {
  const rest = n % base;
  return `${Math.floor(n / base)} ${big}${rest ? ` ${rest} ${small}` : ''}`;
}

export const count = (n) => n.toLocaleString('en-US');

export const many = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;

/** What was answered, in a word. */
export function answered(row) {
  if (row.action === 'respond') return String(row.status);
  return row.action || '–';
}

/** The kind of an answer, which decides its colour and mark. */
export function kind(row) {
  if (row.action !== 'respond') return 'none';
  if (row.status < 300) return 'good';
  if (row.status < 400) return 'moved';
  return row.status < 500 ? 'refused' : 'broken';
}

/** What a row says of its time: how long its events were held, or, of what came before, how long after the first attempt. */
export function waited(row) {
  if (row.again !== null) return `again after ${span(row.again)}`;
  return row.hold === null ? '' : `held ${span(row.hold)}`;
}

/** The platform holds events at most this long before they are delivered. */
export const holdLimit = 2000;
