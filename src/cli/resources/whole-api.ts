import { recordOf } from "../../values/record.ts";
import { Api, ApiError, type Answer } from "./api.ts";
import {
  addressOf,
  changesOf,
  creationOf,
  documentFault,
  documentOf,
  type OperationsKind,
  placeOf,
  schemaName,
  specSchemaOf,
  type Target,
  targetOf,
} from "./operations.ts";

type Values = Record<string, unknown>;
type Send = (method: string, path: string, body?: unknown) => Promise<Answer>;

const PAGE = 200;
const KINDS: readonly OperationsKind[] = ["Tenant", "Destination"];

/** The platform with all its kinds: tenants and destinations stand below `/operations/v1`, though `/v1` has them. */
export class WholeApi extends Api {
  #description: Promise<Answer> | undefined;

  override async call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer> {
    const target = targetOf(path);
    if (target !== undefined)
      return this.#operate(method, path, { target, document: recordOf(body) });
    const answer = await super.call(method, path, body, headers);
    return path === "/docs"
      ? { ...answer, body: await this.#withOwn(recordOf(answer.body)) }
      : answer;
  }

  /** The schemas of all kinds. */
  async #withOwn(docs: Values): Promise<Values> {
    const components = recordOf(docs["components"]);
    const own = KINDS.map(async (kind) => [schemaName(kind), await this.#schema(kind)] as const);
    const schemas = {
      ...recordOf(components["schemas"]),
      ...Object.fromEntries(await Promise.all(own)),
    };
    return { ...docs, components: { ...components, schemas } };
  }

  async #schema(kind: OperationsKind): Promise<Values> {
    this.#description ??= this.send("GET", "/openapi.json");
    return specSchemaOf(kind, (await this.#description).body);
  }

  async #operate(
    method: string,
    path: string,
    { target, document }: { target: Target; document: Values },
  ): Promise<Answer> {
    const { kind, name } = target;
    const schema = await this.#schema(kind);
    const send: Send = (...request) =>
      this.send(...request).catch((error: unknown) => {
        throw error instanceof ApiError ? placed(error, kind) : error;
      });
    const shown = (item: unknown): Values => documentOf(kind, recordOf(item), schema);
    const found = async (): Promise<Values> => {
      const item = await find(send, target);
      if (item === undefined)
        throw refusal(
          404,
          "Not found error",
          `Resource ${name ?? ""} not found in group operations`,
        );
      return item;
    };
    switch (method) {
      case "POST": {
        check(kind, document);
        const answer = await send("POST", addressOf(kind), creationOf(target, document));
        return { ...answer, body: shown(answer.body) };
      }
      case "PUT": {
        check(kind, document);
        const item = await found();
        const changes = changesOf(document, shown(item), schema);
        if (Object.keys(changes).length === 0) return unchanged(shown(item));
        const answer = await send("PATCH", itemPath(kind, item), changes);
        return { ...answer, body: shown(answer.body) };
      }
      case "DELETE": {
        const all = kind === "Tenant" && path.includes("forceDelete=true") ? "?cascade=true" : "";
        return send("DELETE", `${itemPath(kind, await found())}${all}`);
      }
      default:
        return name === undefined
          ? list(send, target, path, shown)
          : { status: 200, body: shown(await found()), headers: new Headers() };
    }
  }
}

const itemPath = (kind: OperationsKind, { id }: Values): string =>
  `${addressOf(kind)}/${encodeURIComponent(String(id))}`;

const unchanged = (body: Values): Answer => ({
  status: 200,
  body,
  headers: new Headers({ "x-tributary-unchanged": "true" }),
});

/** A tenant by its id; a destination by its name or, where that is none, its id. */
async function find(send: Send, { kind, tenant, name = "" }: Target): Promise<Values | undefined> {
  const path = encodeURIComponent(name);
  if (kind === "Tenant") return one(send, `/v1/tenants/${path}`);
  const query = `kind=endpoint&tenant=${encodeURIComponent(tenant ?? "-")}&name=${path}`;
  const { body } = await send("GET", `/v1/destinations?${query}`);
  const items: unknown = recordOf(body)["items"];
  const [item] = Array.isArray(items) ? items.map(recordOf) : [];
  if (item !== undefined || !/^ep_[0-9a-f]{32}$/.test(name)) return item;
  const byId = await one(send, `/v1/destinations/${path}`);
  return (byId?.["tenant"] ?? "-") === tenant && byId?.["name"] === null ? byId : undefined;
}

async function one(send: Send, path: string): Promise<Values | undefined> {
  try {
    return recordOf((await send("GET", path)).body);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** All of a collection, in one page. */
async function list(
  send: Send,
  { kind, tenant }: Target,
  path: string,
  shown: (item: unknown) => Values,
): Promise<Answer> {
  if (path.includes("query="))
    throw refusal(
      400,
      "Validation error",
      `Expected no query: a ${kind} is found by name and scope`,
    );
  const of = kind === "Tenant" ? "" : "&kind=endpoint";
  const within = tenant === undefined ? "" : `&tenant=${encodeURIComponent(tenant)}`;
  const items: Values[] = [];
  for (let cursor: unknown = ""; typeof cursor === "string";) {
    const on = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await send("GET", `${addressOf(kind)}?limit=${PAGE}${of}${within}${on}`);
    const page = recordOf(body);
    if (Array.isArray(page["items"])) items.push(...page["items"].map(shown));
    cursor = page["next"];
  }
  return {
    status: 200,
    body: items,
    headers: new Headers({ "x-axway-total-count": String(items.length) }),
  };
}

/** @throws ApiError for what is no document of its kind. */
function check(kind: OperationsKind, document: Values): void {
  const fault = documentFault(kind, document);
  if (fault !== undefined) throw refusal(400, "Validation error", fault.detail, fault.parameter);
}

const refusal = (status: number, title: string, detail: string, parameter?: string): ApiError =>
  new ApiError(status, [
    { status, title, detail, ...(parameter === undefined ? {} : { parameter }) },
  ]);

/** What `/v1` refuses, where it stands in the document. */
const placed = ({ status, violations }: ApiError, kind: OperationsKind): ApiError =>
  new ApiError(
    status,
    violations.map(({ parameter, ...violation }) =>
      parameter === undefined ? violation : { ...violation, parameter: placeOf(kind, parameter) },
    ),
  );
