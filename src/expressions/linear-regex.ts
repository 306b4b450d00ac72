import { RE2JS } from "re2js";

type Source = Pick<RegExp, "source" | "ignoreCase" | "multiline" | "dotAll">;

/**
 * As much of a RegExp as JSONata uses, on RE2, whose time grows with the length of the text and never exponentially.
 * Back references and look-around, which RE2 does not have, are refused when the expression is saved.
 */
export class LinearRegExp {
  lastIndex = 0;
  private readonly pattern: RE2JS;

  /** @throws when the engine does not know the pattern. */
  constructor({ source, ignoreCase, multiline, dotAll }: Source) {
    let flags = 0;
    if (ignoreCase) flags |= RE2JS.CASE_INSENSITIVE;
    if (multiline) flags |= RE2JS.MULTILINE;
    if (dotAll) flags |= RE2JS.DOTALL;
    this.pattern = RE2JS.compile(RE2JS.translateRegExp(source), flags);
  }

  /** How many instructions it is: each may be looked at for each character of a text. */
  get size(): number {
    return this.pattern.programSize();
  }

  /** Whether the pattern is somewhere in a text. */
  test(text: string): boolean {
    return this.pattern.test(text);
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
