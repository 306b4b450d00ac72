import { RE2JS } from "re2js";

/**
 * As much of a RegExp as JSONata uses, on RE2, whose time grows with the length of the text and never exponentially.
 * Back references and look-around, which RE2 does not have, are refused when the expression is saved.
 */
export class LinearRegExp {
  lastIndex = 0;
  private readonly pattern: RE2JS;

  /** @throws when the engine does not know the pattern. */
  constructor(source: RegExp) {
    let flags = 0;
    if (source.ignoreCase) flags |= RE2JS.CASE_INSENSITIVE;
    if (source.multiline) flags |= RE2JS.MULTILINE;
    if (source.dotAll) flags |= RE2JS.DOTALL;
    this.pattern = RE2JS.compile(RE2JS.translateRegExp(source.source), flags);
  }

  exec(
    text: string,
  ): { [group: number]: string | undefined; index: number; length: number } | null {
    const matcher = this.pattern.matcher(text);
    if (!matcher.find(this.lastIndex)) return null;
    const groups = Array.from(
      { length: matcher.groupCount() + 1 },
      (_, group) => matcher.group(group) ?? undefined,
    );
    this.lastIndex = matcher.end();
    return Object.assign(groups, { index: matcher.start() });
  }
}

/** What JSONata makes its regular expressions with. */
export const LinearEngine: RegExpConstructor = new Proxy(RegExp, {
  construct: (_, [source]) => new LinearRegExp(source),
});
