/** The most levels of JSON that any door lets in: what reads values recursively must not run out of stack. */
export const DEEPEST = 500;

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Array.from(
  '"\\[]{}',
  (sign) => sign.charCodeAt(0),
);

/** Whether JSON text has more than `levels` brackets open at once. Reads each character once, and parses nothing. */
export function nestsDeeper(text: string, levels = DEEPEST): boolean {
  if (text.length <= levels) return false;
  let open = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isQuoted) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) isQuoted = false;
    } else if (code === QUOTE) isQuoted = true;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      open += 1;
      if (open > levels) return true;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) open -= 1;
  }
  return false;
}
