/**
 * What the text of a source file points at: sections and items of the contracts in `.github/reference`, and
 * other files of this repository. The linter (`house.ts`) follows every pointer, so that a reader can too.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Library = {
  /** Name of a contract → its numbered headings and marked items, written as comments cite them. */
  contracts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Every file, from the root: `src/hub/where.ts`. */
  files: readonly string[];
};

/** @param root The repository's folder, with a slash at its end. */
export function readLibrary(root: string): Library {
  const list = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map(
      (file) => `${folder}/${file.replaceAll("\\", "/")}`,
    );
  const reference = ".github/reference";
  const contracts = readdirSync(join(root, reference)).map((name): [string, Set<string>] => {
    const text = readFileSync(join(root, reference, name), "utf8");
    const sections = text.matchAll(/^#+ (\d+(?:\.\d+)?)\.? /gm).map(([, number]) => `§${number}`);
    const items = text.matchAll(/^- ([A-Z]+-\d+) /gm).map(([, id]) => `${id}`);
    return [name, new Set([...sections, ...items])];
  });
  return { contracts: new Map(contracts), files: ["src", "test", ".github"].flatMap(list) };
}

const POINTER = new RegExp(
  [
    /RFC \d+ §[\d.]+/,
    /(?<cited>\breference[\s*]+|\.github\/reference\/)?\b(?<contract>[a-z0-9-]+\.md)\b/,
    /(?<section>§\d+(?:\.\d+)*)/,
    /\b(?<item>(?:BX|CO|DB|SF|HS|QB|C)-\d+)\b/,
  ]
    .map((one) => one.source)
    .join("|"),
  "gi",
);
const COMMENT = /^\s*(?:\/\/|\/?\*).*/gm;
const FILE = /`([\w./-]+\.(?:tsx?|mjs|md))`/g;

/**
 * The pointers that lead nowhere, each as a sentence. A contract is cited as "reference", its file and a section;
 * a section alone is of the contract named last; an item like DB-3 is of the vendors' reference; a file in
 * backticks within a comment is named from the root or by the end of its path.
 */
export function strayPointers(text: string, { contracts, files }: Library): string[] {
  const stray: string[] = [];
  let current: string | undefined;
  for (const { groups = {} } of text.matchAll(POINTER)) {
    const { cited, contract, section, item } = groups;
    if (contract !== undefined) {
      const exists = contracts.has(contract);
      if (cited && !exists) stray.push(`There is no .github/reference/${contract}`);
      if (!cited && exists) stray.push(`Cite as "reference ${contract} §N"`);
      if (exists) current = contract;
    } else if (section !== undefined) {
      if (current === undefined) stray.push(`"${section}" is of no contract that is named before`);
      else if (!contracts.get(current)?.has(section)) stray.push(`${current} has no ${section}`);
    } else if (item !== undefined && !contracts.get("vendors.md")?.has(item.toUpperCase())) {
      stray.push(`vendors.md has no ${item}`);
    }
  }
  for (const [comment] of text.matchAll(COMMENT)) {
    for (const [, file = ""] of comment.matchAll(FILE)) {
      if (!files.some((one) => one === file || one.endsWith(`/${file}`)))
        stray.push(`There is no file "${file}"`);
    }
  }
  return stray;
}
