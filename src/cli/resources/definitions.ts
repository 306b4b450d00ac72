import { type Api } from "./api.ts";
import { Failure } from "./failure.ts";
import { isObject } from "../../values/record.ts";

/** A kind under one of its scope kinds, as the server's discovery describes it. */
export type Definition = {
  group: string;
  kind: string;
  plural: string;
  /** Undefined: unscoped. */
  scopeKind: string | undefined;
  /** The first that is served and not deprecated; a document's own goes before it. */
  version: string;
  versions: string[];
  subResources: string[];
  /** Kinds its documents name: those come first. */
  needs: string[];
  words: string[];
  columns: { name: string; type: string; jsonPath: string }[];
};

/** Everything the server has: groups first, then definitions and command lines of each in parallel. */
export async function discover(api: Api): Promise<Definition[]> {
  const root = "/definitions/v1alpha1/groups";
  const groups = await api.list(root);
  const found = await Promise.all(
    groups.map(async (group) => {
      const name = String(group["name"]);
      const [definitions, lines] = await Promise.all([
        api.list(`${root}/${name}/resources`),
        api.list(`${root}/${name}/commandlines`),
      ]);
      return definitions.map((definition) => {
        const line = lines.find(
          ({ spec }) => isObject(spec) && spec["resourceDefinition"] === definition["name"],
        );
        return definitionOf(name, inside(definition, "spec"), inside(line ?? {}, "spec"));
      });
    }),
  );
  return found.flat();
}

function definitionOf(
  group: string,
  spec: Record<string, unknown>,
  line: Record<string, unknown>,
): Definition {
  const names = inside(line, "names");
  const served = list(spec["apiVersions"]).filter((one) => one["served"] === true);
  const current = served.find(({ deprecated }) => deprecated !== true);
  const version = current?.["name"];
  const scopeKind = inside(spec, "scope")["kind"];
  return {
    group,
    kind: String(spec["kind"]),
    plural: String(spec["plural"]),
    scopeKind: typeof scopeKind === "string" ? scopeKind : undefined,
    version: typeof version === "string" ? version : "v1alpha1",
    versions: served.map(({ name }) => String(name)),
    subResources: strings(inside(spec, "subResources")["names"]),
    needs: list(inside(spec, "references")["toResources"]).map(({ kind }) => String(kind)),
    words: [
      ...[names["plural"], names["singular"]].filter((word) => typeof word === "string"),
      ...strings(names["shortNames"]),
    ],
    columns: list(line["columns"]).map(({ name, type, jsonPath }) => ({
      name: String(name),
      type: String(type),
      jsonPath: String(jsonPath),
    })),
  };
}

/** The definitions a word stands for. */
export function definitionsOf(word: string, all: readonly Definition[]): Definition[] {
  const wanted = word.toLowerCase();
  const found = all.filter(
    ({ words, kind }) => words.includes(wanted) || kind.toLowerCase() === wanted,
  );
  const byWord = found.filter(({ words }) => words.includes(wanted));
  if (found.length === 0) throw new Failure(`the server doesn't have a resource type "${word}"`);
  return byWord.length > 0 ? byWord : found;
}

export type ScopeName = { kind: string; name: string };

/** `/management/v1/environments/e/webhooks`: below `/apis`. */
export function collectionPath(
  { group, plural, version, scopeKind }: Definition,
  scope: ScopeName | undefined,
  all: readonly Definition[],
): string {
  const holder = all.find(({ kind }) => kind === scopeKind);
  const inner =
    scope === undefined || holder === undefined ? "" : `/${itemPath(holder.plural, scope.name)}`;
  return `/${group}/${version}${inner}/${plural}`;
}

/** One resource in a collection, whatever is in its name. */
export const itemPath = (collection: string, name: string): string =>
  `${collection}/${encodeURIComponent(name)}`;

/** `[Kind/]name`. */
export function parseScope(text: string): { kind: string | undefined; name: string } {
  const slash = text.indexOf("/");
  return slash === -1
    ? { kind: undefined, name: text }
    : { kind: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** The definitions that fit a scope, whose kind may be written as one of its short words (`env/prod`). */
export function scoped(
  definitions: readonly Definition[],
  scope: { kind: string | undefined; name: string },
  all: readonly Definition[],
): { definition: Definition; scope: ScopeName }[] {
  const kinds =
    scope.kind === undefined ? undefined : definitionsOf(scope.kind, all).map(({ kind }) => kind);
  return definitions.flatMap((definition) => {
    const { scopeKind } = definition;
    return scopeKind !== undefined && (kinds === undefined || kinds.includes(scopeKind))
      ? [{ definition, scope: { kind: scopeKind, name: scope.name } }]
      : [];
  });
}

function inside(value: Record<string, unknown>, key: string): Record<string, unknown> {
  const inner = value[key];
  return isObject(inner) ? inner : {};
}

const list = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
