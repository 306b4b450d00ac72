/** Paths into the scope of a run: `$.T.out.data.list[0].id`, also `$.T.out.data.list.0.id`. `readKeys` follows them. */

const TOKEN = /\.([^.[\]]+)|\[(\d+)\]|\["([^"]*)"\]|\['([^']*)'\]/y;

/** The keys of a path that starts with `$`; undefined when it is malformed. */
export function parsePath(text: string): string[] | undefined {
  if (!text.startsWith("$")) return undefined;
  return keysOf(text.slice(1));
}

/** The keys of a relative path: `[0].id`, `a.b`. */
export function parseRelativePath(text: string): string[] | undefined {
  return keysOf(text.startsWith("[") || text.startsWith(".") || text === "" ? text : `.${text}`);
}

function keysOf(text: string): string[] | undefined {
  const keys: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    keys.push(match[1] ?? match[2] ?? match[3] ?? match[4] ?? "");
  }
  return keys;
}
