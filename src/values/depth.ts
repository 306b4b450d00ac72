/** The most levels of JSON that is accepted from outside: code that reads values recursively must not run out of stack. */
export const DEEPEST = 500;

/** Values that we store may have some levels of our own around what came from outside. */
export const DEEPEST_STORED = DEEPEST + 20;

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Array.from(
  '"\\[]{}',
  (sign) => sign.charCodeAt(0),
);

/**
 * Calls `see` for each bracket of JSON text with its place, the number of brackets open after it, and whether it opens,
 * until `see` answers true. Looks at each character once and parses nothing.
 */
function eachBracket(
  text: string,
  see: (at: number, open: number, opens: boolean) => boolean,
): boolean {
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
      if (see(at, open, true)) return true;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      open -= 1;
      if (see(at, open, false)) return true;
    }
  }
  return false;
}

/** Whether JSON text has more than `levels` brackets open at once. */
export function nestsDeeper(text: string, levels = DEEPEST): boolean {
  return text.length > levels && eachBracket(text, (_, open) => open > levels);
}

/** JSON text in which everything deeper than `levels` is replaced by a string of its JSON: nothing is lost. */
export function flattened(text: string, levels = DEEPEST): string {
  if (!nestsDeeper(text, levels)) return text;
  const parts: string[] = [];
  let copied = 0;
  let from = 0;
  eachBracket(text, (at, open, opens) => {
    if (opens && open === levels + 1) from = at;
    if (!opens && open === levels) {
      parts.push(text.slice(copied, from), JSON.stringify(text.slice(from, at + 1)));
      copied = at + 1;
    }
    return false;
  });
  return parts.join("") + text.slice(copied);
}

/** Whether a value has more than `levels` objects and lists within one another. */
export function isDeeper(value: unknown, levels = DEEPEST): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((one) =>
      typeof one === "object" && one !== null ? Object.values(one) : [],
    );
  }
  return false;
}
