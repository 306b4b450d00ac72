import { type Api, ApiError } from "./api.ts";
import { Failure } from "./failure.ts";
import { type Format, printResources, printTable, say } from "./render.ts";
import {
  collectionPath,
  type Definition,
  definitionsOf,
  itemPath,
  parseScope,
  scoped,
  type ScopeName,
} from "./definitions.ts";

export type Filter = {
  query?: string | undefined;
  title?: string | undefined;
  tag?: string | undefined;
  attribute?: string | undefined;
};

/** Where resources of a kind may be: each place with the path of its collection. */
export type Place = { definition: Definition; scope: ScopeName | undefined; path: string };

/** The places a word and a scope stand for. @throws Failure when a scope is needed, or none fits. */
export function placesOf(
  word: string,
  scope: string | undefined,
  named: boolean,
  all: readonly Definition[],
): Place[] {
  const definitions = definitionsOf(word, all);
  const at = (definition: Definition, own: ScopeName | undefined): Place => ({
    definition,
    scope: own,
    path: collectionPath(definition, own, all),
  });
  if (scope !== undefined) {
    const fitting = scoped(definitions, parseScope(scope), all);
    if (fitting.length > 0) return fitting.map(({ definition, scope: own }) => at(definition, own));
    throw new Failure(`"${definitions[0]?.kind ?? word}" has no scope like "${scope}"`);
  }
  const unscoped = definitions.filter(({ scopeKind }) => scopeKind === undefined);
  if (unscoped.length > 0) return unscoped.map((definition) => at(definition, undefined));
  const [first] = definitions;
  // Kinds that are mostly scoped have other words for those outside of all scopes.
  const outside = all.filter(
    ({ kind, group, scopeKind }) =>
      scopeKind === undefined && kind === first?.kind && group === first.group,
  );
  if (named && outside.length > 0) return outside.map((definition) => at(definition, undefined));
  if (first === undefined || named)
    throw new Failure(
      `scope name param (-s/--scope) is required for the scoped "${first?.kind ?? word}" resource.`,
    );
  return [at(first, undefined)];
}

/** Prints resources of one or more kinds. @returns whether there were any, or none were asked by name. */
export async function getResources(
  api: Api,
  all: readonly Definition[],
  request: { words: string; name: string | undefined; scope: string | undefined } & Filter,
  format: Format,
): Promise<boolean> {
  const { name, scope } = request;
  const found: { definition: Definition; resources: Record<string, unknown>[] }[] = [];
  for (const word of request.words.split(",")) {
    for (const { definition, path } of placesOf(word, scope, name !== undefined, all)) {
      const resources =
        name === undefined
          ? await listed(api, `${path}${queryOf(request)}`)
          : [await api.get(itemPath(path, name))].filter((resource) => resource !== undefined);
      if (resources.length > 0) found.push({ definition, resources });
    }
  }
  if (found.length === 0) {
    say("No resources found.");
    return name === undefined;
  }
  if (format === undefined)
    for (const { definition, resources } of found)
      printTable(resources, definition.columns, Date.now());
  else
    printResources(
      found.flatMap(({ resources }) => resources),
      format,
    );
  return true;
}

/** A scope that does not exist holds nothing. */
async function listed(api: Api, path: string): Promise<Record<string, unknown>[]> {
  try {
    return await api.list(path);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

function queryOf({ query, title, tag, attribute }: Filter): string {
  const [key, value] = attribute === undefined ? [] : split(attribute);
  const parts = [
    ...(query === undefined ? [] : [query]),
    ...(title === undefined ? [] : [`title==${quoted(`*${title}*`)}`]),
    ...(tag === undefined ? [] : [`tags==${quoted(tag)}`]),
    ...(key === undefined ? [] : [`attributes.${key}==${quoted(value ?? "")}`]),
  ];
  const whole = parts.length === 1 ? parts.join("") : parts.map((part) => `(${part})`).join(";");
  return whole === "" ? "" : `?query=${encodeURIComponent(whole)}`;
}

function split(attribute: string): [string, string] {
  const at = attribute.indexOf("=");
  if (at === -1) throw new Failure(`Expected --attribute key=value, got '${attribute}'`);
  return [attribute.slice(0, at), attribute.slice(at + 1)];
}

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
