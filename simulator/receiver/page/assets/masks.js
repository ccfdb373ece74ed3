// Secrets stay hidden until they are asked for.

/** The mark that the receiver puts in place of a value that may be a secret. */
export const mask = '•••';

const state = { shown: false };
const listeners = new Set();

export const secretsShown = () => state.shown;

export function showSecrets(shown) {
  state.shown = shown;
  for (const listener of listeners) listener(shown);
}

export const onSecrets = (listener) => listeners.add(listener);

/** A hook's address; whoever knows its token can post to it. */
export const address = (url) => (state.shown ? url : url.replace(/(\/hooks\/)[^/?#]+/, `$1${mask}`));
