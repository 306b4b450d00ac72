/**
 * Placeholders in a step's mapped fields (reference app-events-api.md §5): `{{{name}}}`, where `name` is a path
 * into the run (`$.T.out.data.email`), a flow value (`g_now`) or the id of a modifier.
 */

const PLACEHOLDER = /\{\{\{([^{}]+)\}\}\}/g;
const WHOLE = /^\{\{\{([^{}]+)\}\}\}$/;

/** The names of all placeholders in a text. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name = ""]) => name.trim());
}

/** The name of the placeholder that is the whole text; undefined when there is more, or none. */
export function onlyPlaceholder(text: string): string | undefined {
  return WHOLE.exec(text)?.[1]?.trim();
}

/** A text with every placeholder replaced by what `replace` makes of its name and its own text. */
export function replacePlaceholders(
  text: string,
  replace: (name: string, placeholder: string) => string,
): string {
  return text.replace(PLACEHOLDER, (placeholder, name: string) =>
    replace(name.trim(), placeholder),
  );
}

/** A text cut at its placeholders, in order: literal text, or the name of a placeholder. */
export function* partsOf(text: string): Generator<{ literal: string } | { name: string }> {
  let from = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    yield { literal: text.slice(from, match.index) };
    yield { name: (match[1] ?? "").trim() };
    from = match.index + match[0].length;
  }
  yield { literal: text.slice(from) };
}
