// A line diff for two texts (Myers, O(ND)), bounded.

// Beyond so many differences two texts are shown as different wholes: a longer
// search would stop the page for a result nobody reads.
const maxDifferences = 1500;

/**
 * Compares two arrays of lines. The answer is a list of
 * {a: index|null, b: index|null}: both for an equal line, one for a line that
 * is on one side only. It is null if the texts differ too much.
 */
export function diff(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) { endA--; endB--; }
  const middle = shortest(a.slice(start, endA), b.slice(start, endB));
  if (!middle) return null;
  const lines = [];
  for (let i = 0; i < start; i++) lines.push({ a: i, b: i });
  for (const m of middle) lines.push({ a: m.a === null ? null : m.a + start, b: m.b === null ? null : m.b + start });
  for (let i = 0; endA + i < a.length; i++) lines.push({ a: endA + i, b: endB + i });
  return lines;
}

function shortest(a, b) {
  const limit = Math.min(a.length + b.length, maxDifferences);
  const reach = new Map([[1, 0]]);
  const trail = [];
  for (let d = 0; d <= limit; d++) {
    const before = new Map();
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach.get(k - 1) < reach.get(k + 1));
      let x = down ? reach.get(k + 1) : reach.get(k - 1) + 1;
      const from = x;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      before.set(k, { down, run: x - from });
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) {
        trail.push(before);
        return retrace(trail, a.length, b.length);
      }
    }
    trail.push(before);
  }
  return null;
}

/** Walks the trail back from the end and returns the lines in order. */
function retrace(trail, x, y) {
  const lines = [];
  for (let d = trail.length - 1; d >= 0; d--) {
    const { down, run } = trail[d].get(x - y);
    for (let i = 0; i < run; i++) lines.push({ a: --x, b: --y });
    if (d === 0) break;
    if (down) lines.push({ a: null, b: --y });
    else lines.push({ a: --x, b: null });
  }
  return lines.reverse();
}

/**
 * Pairs lines for two columns: what was removed stands beside what was added
 * in its place. Each row is {a, b, same}.
 */
export function sideBySide(lines) {
  const rows = [];
  let removed = [];
  let added = [];
  const settle = () => {
    for (let i = 0; i < Math.max(removed.length, added.length); i++) {
      rows.push({ a: removed[i] ?? null, b: added[i] ?? null, same: false });
    }
    removed = [];
    added = [];
  };
  for (const line of lines) {
    if (line.a !== null && line.b !== null) {
      settle();
      rows.push({ ...line, same: true });
    } else if (line.b === null) removed.push(line.a);
    else added.push(line.b);
  }
  settle();
  return rows;
}
