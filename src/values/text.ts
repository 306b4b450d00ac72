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

/** So much of what is refused stands in an error. */
const QUOTED = 200;

/** As much of a text as an error quotes: at most 200 characters, never half of one. */
export function quoted(text: string): string {
  if (text.length <= QUOTED) return text;
  const cut = text.slice(0, QUOTED - 1);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/**
 * A message with what it quotes cut short, and any word too. What was refused may hold quotes itself, so that all from the
 * first `'` to the last one counts as quoted.
 */
export function brief(message: string): string {
  const first = message.indexOf("'") + 1;
  const last = message.lastIndexOf("'");
  const short =
    first === 0 || last < first
      ? message
      : `${message.slice(0, first)}${quoted(message.slice(first, last))}${message.slice(last)}`;
  return short.length <= QUOTED ? short : short.split(" ").map(quoted).join(" ");
}
