/** What tells whether a text is what a pattern says, in which each `*` stands for any run of characters; case counts. */
export function wildcard(pattern: string): (text: string) => boolean {
  const [start = "", ...rest] = pattern.split("*");
  const end = rest.pop();
  if (end === undefined) return (text) => text === pattern;
  return (text) => {
    if (text.length < start.length + end.length) return false;
    if (!text.startsWith(start) || !text.endsWith(end)) return false;
    // The earliest place of each piece leaves the most room for those after it.
    let from = start.length;
    const until = text.length - end.length;
    for (const piece of rest) {
      const at = text.indexOf(piece, from);
      if (at === -1 || at + piece.length > until) return false;
      from = at + piece.length;
    }
    return true;
  };
}
