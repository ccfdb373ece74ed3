// Laying out JSON without touching it: every token stays as it was sent, so
// that 1.0 stays 1.0, a number of 30 digits keeps them, and a member that is
// there twice is shown twice.

const maxDepth = 64;

/**
 * Lays a text out in lines. Several values one after another, as some
 * collectors take them, are laid out one below the other. The answer is
 * {lines, items}: items are the first lines of the values of the outermost
 * array, or of the values that follow one another. Null if it is not JSON.
 */
export function layOut(text) {
  const scanner = new Scanner(text);
  try {
    return scanner.run();
  } catch (e) {
    if (e === notJSON) return null;
    throw e;
  }
}

const notJSON = new Error('not JSON');
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
// eslint-disable-next-line no-control-regex
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const space = /[ \t\r\n]*/y;

class Scanner {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.line = '';
    this.lines = [];
    this.items = [];
  }

  run() {
    let values = 0;
    for (this.skip(); this.at < this.text.length; this.skip()) {
      const start = this.lines.length;
      if (!'{['.includes(this.text[this.at])) this.alone = true;
      if (this.alone && values > 0) throw notJSON;
      this.value(0, this.text[this.at] === '[' && values === 0);
      this.end();
      values++;
      if (values === 2) this.items = [this.first];
      if (values === 1) this.first = start;
      else this.items.push(start);
    }
    if (values === 0) throw notJSON;
    if (values === 1 && this.items.length === 0 && this.text.trimStart()[0] === '{') this.items = [0];
    return { lines: this.lines, items: this.items };
  }

  skip() {
    space.lastIndex = this.at;
    space.test(this.text);
    this.at = space.lastIndex;
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) throw notJSON;
    this.line += this.text.slice(this.at, pattern.lastIndex);
    this.at = pattern.lastIndex;
  }

  end() {
    this.lines.push(this.line);
    this.line = '';
  }

  value(depth, outermost) {
    if (depth > maxDepth) throw notJSON;
    const c = this.text[this.at];
    if (c === '{') this.group(depth, '}', () => this.member(depth));
    else if (c === '[') {
      this.group(depth, ']', () => {
        if (outermost) this.items.push(this.lines.length);
        this.value(depth + 1, false);
      });
    } else if (c === '"') this.take(string);
    else this.take(scalar);
  }

  member(depth) {
    this.take(string);
    this.skip();
    if (this.text[this.at++] !== ':') throw notJSON;
    this.line += ': ';
    this.skip();
    this.value(depth + 1, false);
  }

  group(depth, closing, one) {
    this.line += this.text[this.at++];
    this.skip();
    if (this.text[this.at] === closing) {
      this.line += this.text[this.at++];
      return;
    }
    for (;;) {
      this.end();
      this.line = '  '.repeat(depth + 1);
      one();
      this.skip();
      const c = this.text[this.at++];
      if (c === closing) break;
      if (c !== ',') throw notJSON;
      this.line += ',';
      this.skip();
    }
    this.end();
    this.line = '  '.repeat(depth) + closing;
  }
}

/** The tokens of one line, as [class, text]. */
export function tokens(line) {
  const parts = [];
  const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(true|false|null)|(-?\d[\d.eE+-]*)|([[\]{},]+)|(\s+|.)/g;
  for (let m = pattern.exec(line); m; m = pattern.exec(line)) {
    if (m[1] && m[2]) parts.push(['key', m[1]], ['mark', m[2]]);
    else if (m[1]) parts.push(['string', m[1]]);
    else if (m[3]) parts.push(['word', m[3]]);
    else if (m[4]) parts.push(['number', m[4]]);
    else if (m[5]) parts.push(['mark', m[5]]);
    else parts.push(['', m[0]]);
  }
  return parts;
}

/** The events of a body, for what is listed of them; [] if there are none. */
export function events(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    value = following(text);
  }
  if (value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(outline);
}

/** Values one after another, null if it is not that. */
function following(text) {
  const laid = layOut(text);
  if (!laid) return null;
  const ends = [...laid.items.slice(1), laid.lines.length];
  return laid.items.map((from, i) => JSON.parse(laid.lines.slice(from, ends[i]).join('\n')));
}

function outline(value) {
  const event = value?.event ?? value?.attributes ?? value;
  const text = (v) => (typeof v === 'string' ? v : '');
  return {
    action: text(event?.action?.type),
    id: text(event?.id),
    recordedAt: Date.parse(text(event?.recordedAt)),
    actor: text(event?.actors?.user?.name) || text(event?.actors?.client?.name),
    result: text(event?.result?.status),
  };
}
