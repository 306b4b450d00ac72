import type { Context } from "hono";
import * as z from "zod";
import type { Connector } from "../../connectors/definition";
import {
  isUnreadable,
  maskedDefinition,
  openedDefinition,
} from "../../connectors/sealed-definition";
import {
  type CheckedDefinition,
  checkedDefinition,
} from "../../elements/catalog/checked-definition";
import { readSample } from "../../elements/catalog/dry-run";
import { type Tried, tryDefinition } from "../../elements/catalog/try-definition.io";
import type { OwnDefinition } from "../../elements/catalog/user-connector";
import { parseJson } from "../../http/body";
import { Refusal, type Violation } from "../../http/refusal";
import { parseContent } from "../../inbound/content";
import { lackingIn } from "../../inbound/extract";
import { doorsOf } from "../../instances/lookup.io";
import { isObject } from "../../values/record";
import { MASK } from "../../values/secret-name";
import { readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import type { Edited } from "./editor";
import { type Document, shownIn, type Values, withTyped } from "./form";
import { knowing } from "./knowing";
import type { Read } from "./trial";

/** A definition of a megabyte, as a form sends it. */
const MOST_BYTES = 4 * 1024 * 1024;

const seenValues = z.record(z.string(), z.string()).catch({});

/** What the editor sent: what was typed, and the document that comes of it. */
export type Sent = { typed: Values; edited: Edited };

/** Reads what the editor sent; what is wrong with the text of the document is told, and nothing else is looked at then. */
export async function readEditor(c: Context<ConsoleEnv>): Promise<Sent> {
  const typed = Object.fromEntries(await readForm(c, MOST_BYTES));
  const text = (typed["document"] ?? "").trim();
  const given = documentOf(text);
  if (!given.ok) {
    const faults = [{ field: "", message: given.message }];
    return { typed, edited: { text, document: {}, shown: typed, faults } };
  }
  const seen = seenValues.parse(parsed(typed["seen"] ?? "{}"));
  return { typed, edited: editedOf(withTyped(given.document, typed, seen)) };
}

/** A document as the editor shows it. */
export const editedOf = (document: Document, faults: readonly Violation[] = []): Edited => ({
  text: JSON.stringify(document, null, 2),
  document,
  shown: shownIn(document),
  faults,
});

function documentOf(
  text: string,
): { ok: true; document: Document } | { ok: false; message: string } {
  try {
    const value = parseJson(text === "" ? "{}" : text);
    return isObject(value)
      ? { ok: true, document: value }
      : { ok: false, message: "Expected a JSON object" };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, message: error.message };
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const check = (c: Context<ConsoleEnv>, document: Document): CheckedDefinition =>
  checkedDefinition(document, doorsOf(c).config.egress, knowing);

/** What a refusal says is wrong with a definition. @throws the error again when it is another one. */
export function faultsOfRefusal(error: unknown): Violation[] {
  if (!(error instanceof Refusal)) throw error;
  const { reason } = error;
  if (reason.kind !== "invalid" && reason.kind !== "conflict") throw error;
  if (reason.kind === "invalid" && reason.violations !== undefined) return [...reason.violations];
  const { field = "", message } = reason;
  return [{ field, message: message.replace(`${field}: `, "") }];
}

/** Asks the vendor's API with what was typed. @param stored The connector as it is stored, if it is. */
export function ask(
  c: Context<ConsoleEnv>,
  definition: OwnDefinition,
  typed: Values,
  stored: Connector | undefined,
): Promise<Tried> | Tried {
  const { ring, config } = doorsOf(c);
  const configuration = Object.fromEntries(
    Object.entries(typed).flatMap(([name, value]) =>
      name.startsWith("value.") && value !== "" ? [[name.slice("value.".length), value]] : [],
    ),
  );
  const resource = typed["try.resource"] ?? "";
  const isMasked = isUnreadable(definition);
  // What is stored goes where it went before, and nowhere else.
  const isSame = stored !== undefined && isStored(definition, stored);
  if (isMasked && (!isSame || configuration["base.url"] !== undefined))
    return {
      kind: "not-sent",
      field: "configuration",
      message: `The document holds credentials that are stored ('${MASK}'). Save it first and ask at its own address, or type them`,
    };
  const connector = isMasked && isSame ? openedDefinition(ring, stored) : { ...definition, id: 1 };
  return tryDefinition(connector, { configuration, resource }, knowing, { config });
}

function isStored(definition: OwnDefinition, stored: Connector): boolean {
  const { id: _, ...shown } = maskedDefinition(stored);
  return JSON.stringify(sorted(shown)) === JSON.stringify(sorted(definition));
}

/** The same value, its members in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

/** Which events a webhook that was pasted in would give, or why none. */
export async function readPasted(definition: OwnDefinition, typed: Values): Promise<Read> {
  const headers = headersOf(typed["webhook-headers"] ?? "");
  if (!headers.ok) return { kind: "fault", message: headers.message };
  const type = headers.headers.get("content-type");
  const content = parseContent(typed["webhook-body"] ?? "", type);
  if (!content.ok) return { kind: "fault", message: content.message };
  const connector: Connector = { ...definition, id: 1 };
  const { body } = content.content;
  const sample = { body, headers: Object.fromEntries(headers.headers) };
  const extracted = await readSample(connector, sample, knowing.extract);
  if (extracted === undefined || definition.webhook === undefined)
    return { kind: "fault", message: "The definition has no rules of webhooks" };
  const delivery = { ...content.content, headers: headers.headers };
  return { kind: "read", extracted, lacking: lackingIn(definition.webhook.extraction, delivery) };
}

function headersOf(text: string): { ok: true; headers: Headers } | { ok: false; message: string } {
  const headers = new Headers();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    if (colon < 1 || !/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      return {
        ok: false,
        message: `Expected a header as 'Name: value', got '${line.trim().slice(0, 100)}'`,
      };
    headers.append(name, line.slice(colon + 1).trim());
  }
  return { ok: true, headers };
}
