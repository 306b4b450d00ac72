/** `text` without the characters `sign` at its end. */
export function withoutTrailing(text: string, sign: string): string {
  let end = text.length;
  while (text[end - 1] === sign) end -= 1;
  return text.slice(0, end);
}

/**
 * What stands between `open` and the next `close`, and what stands outside, in order. An `open` that is never
 * closed is like any other character.
 */
export function* between(
  text: string,
  open: string,
  close: string,
): Generator<{ inside: boolean; text: string }> {
  let at = 0;
  for (;;) {
    const from = text.indexOf(open, at);
    const to = from === -1 ? -1 : text.indexOf(close, from + 1);
    if (to === -1) break;
    yield { inside: false, text: text.slice(at, from) };
    yield { inside: true, text: text.slice(from + 1, to) };
    at = to + 1;
  }
  yield { inside: false, text: text.slice(at) };
}
