import type { Destination } from "../../delivery/destination";
import { TIMEOUT_MS } from "../../delivery/call-time";
import { CONCURRENCY } from "../../delivery/seats";
import { FORMATS } from "../../delivery/format";
import { unchangeable } from "../../operations/destinations/fields";
import type { FormField } from "../fields/as";
import * as as from "../fields/as";
import { type Typed, typedOf } from "../fields/typed";

export type Part = { title: string; fields: readonly (FormField & Final)[] };
/** It is said of a new endpoint, and then for good. */
type Final = { isFinal?: true };

const ordering = as.choice(
  [
    ["none", "in no order"],
    ["object", "those of an object one after the other"],
    ["source", "those of a source one after the other"],
  ],
  "none",
);
const deadHead = as.choice(
  [
    ["skip", "go on without it"],
    ["block", "wait for it"],
  ],
  "skip",
);
const authType = as.choice(
  [
    ["none", "nothing but their signature"],
    ["basic", "a user name and password"],
    ["bearer", "a token"],
    ["oauth2", "a token by client credentials"],
    ["mtls", "a client certificate"],
  ],
  "none",
);
const authStyle = as.choice(
  [
    ["header", "as basic credentials"],
    ["body", "in the form"],
  ],
  "header",
);
const named = (...of: string[]) => of.map((one): [string, string] => [one, one]);
const format = as.choice(named(...FORMATS), "tributary");
const encoding = as.choice(named("hex", "base64"), "hex");
const algorithm = as.choice(named("sha256", "sha1", "sha512"), "sha256");
const keyFormat = as.choice([["", "as its kind is"], ...named("text", "base64", "hex", "whsec")]);
const eventTypes = { ...as.list, none: ["*"] };

/** All that is typed of an endpoint, in the order in which it is shown. */
export const PARTS: readonly Part[] = [
  {
    title: "",
    fields: [
      {
        name: "url",
        label: "URL",
        hint: "It gets a signed POST, and answers 2xx",
        as: as.line,
        isRequired: true,
      },
      { name: "description", label: "Description", hint: "What it is for", as: as.line },
      { name: "name", label: "Name", hint: "No other of its tenant has it", as: as.line },
      {
        name: "tenant",
        label: "Tenant",
        hint: "Of whose events alone it hears, for good. Empty: it belongs to none",
        as: as.line,
        isFinal: true,
      },
      { name: "enabled", label: "State", hint: "", as: as.enabled, isFinal: true },
    ],
  },
  {
    title: "What it hears of",
    fields: [
      {
        name: "eventTypes",
        label: "Event types",
        hint: "One a line; * stands for any characters. Empty: all types",
        as: eventTypes,
      },
      {
        name: "channels",
        label: "Channels",
        hint: "One a line: only what is published to one of these. Empty: all",
        as: as.list,
      },
      {
        name: "sources",
        label: "Sources",
        hint: "One a line: publish, tenant:acme, instance:27, instance:*, connector:box, user:7 …",
        as: as.list,
      },
      {
        name: "filter",
        label: "Filter",
        hint: "JSONata over {objectType, objectId, eventType, date, data}: only what it is true of is sent",
        as: as.expression,
      },
    ],
  },
  {
    title: "How it is told",
    fields: [
      { name: "format", label: "Format", hint: "", as: format },
      { name: "headers", label: "Headers", hint: "One a line, as Name: value", as: as.headers },
      { name: "transform", label: "Transform", hint: "JSONata over a body", as: as.expression },
      {
        name: "schemaVersion",
        label: "Schema version",
        hint: "Data of later versions of event types is made into this one",
        as: as.number,
      },
      { name: "batch.size", label: "Batch", hint: "At most so many in a request", as: as.number },
      {
        name: "batch.waitMs",
        label: "Wait for a batch (ms)",
        hint: "So long are others waited for",
        as: as.number,
      },
      {
        name: "debounceMs",
        label: "Debounce (ms)",
        hint: "Of an object that changes often only the latest, so long after the first",
        as: as.number,
      },
    ],
  },
  {
    title: "How it is served",
    fields: [
      { name: "rate", label: "Calls a second", hint: "Empty: no limit", as: as.number },
      { name: "timeoutMs", label: "Timeout (ms)", hint: "Of a call: 1000 to 30000", as: as.number },
      { name: "concurrency", label: "Calls at a time", hint: "At most", as: as.number },
      { name: "ordering", label: "Order", hint: "", as: ordering },
      { name: "deadHead", label: "When one is dead, the others", hint: "", as: deadHead },
      {
        name: "retrySchedule",
        label: "Tries",
        hint: "Seconds before each: 0, 5, 300. Empty: as destinations of its kind are",
        as: as.numbers,
      },
      { name: "deactivate", label: "It is switched off", hint: "", as: as.deactivate },
      { name: "metadata", label: "Metadata", hint: "A JSON object of yours", as: as.json },
    ],
  },
  {
    title: "How its calls prove who makes them",
    fields: [
      { name: "auth.type", label: "With", hint: "", as: authType },
      { name: "auth.username", label: "User name", hint: "", as: as.line, when: "basic" },
      { name: "auth.password", label: "Password", hint: "", as: as.secret, when: "basic" },
      { name: "auth.token", label: "Token", hint: "", as: as.secret, when: "bearer" },
      {
        name: "auth.tokenUrl",
        label: "Token URL",
        hint: "Asked for a token",
        as: as.line,
        when: "oauth2",
      },
      { name: "auth.clientId", label: "Client id", hint: "", as: as.line, when: "oauth2" },
      { name: "auth.clientSecret", label: "Secret", hint: "", as: as.secret, when: "oauth2" },
      { name: "auth.scope", label: "Scope", hint: "", as: as.line, when: "oauth2" },
      { name: "auth.audience", label: "Audience", hint: "", as: as.line, when: "oauth2" },
      { name: "auth.authStyle", label: "They go", hint: "", as: authStyle, when: "oauth2" },
      {
        name: "auth.binding",
        label: "Binding",
        hint: "The certificate of the deployment that is shown",
        as: as.line,
        when: "mtls",
      },
    ],
  },
  {
    title: "A signature as another sender made it",
    fields: [
      { name: "signature.header", label: "Header", hint: "Empty: there is none", as: as.line },
      { name: "signature.prefix", label: "Before it", hint: "As sha256=", as: as.line },
      { name: "signature.encoding", label: "Written in", hint: "", as: encoding },
      { name: "signature.algorithm", label: "HMAC of", hint: "", as: algorithm },
      {
        name: "signature.content",
        label: "What is signed",
        hint: "As ${timestamp}.${body}. Empty: ${body}",
        as: as.unless("${body}"),
      },
      {
        name: "signature.secret",
        label: "Key",
        hint: "Empty: the signing secret of the destination",
        as: as.secret,
      },
      { name: "signature.keyFormat", label: "The key is", hint: "", as: keyFormat },
      { name: "signature.separator", label: "While keys rotate", hint: "", as: as.separator },
      { name: "signature.timestampHeader", label: "Header of the time", hint: "", as: as.line },
      { name: "signature.idHeader", label: "Header of the id", hint: "", as: as.line },
    ],
  },
];

/** What may be changed of a destination of a kind. */
export const partsFor = (kind: Destination["kind"]): Part[] =>
  PARTS.map(({ title, fields }) => ({
    title,
    fields: fields.filter(
      ({ name, isFinal }) =>
        isFinal !== true && unchangeable(kind, { [name.split(".")[0] ?? ""]: null }).length === 0,
    ),
  }));

/** What a new endpoint is, unless something else is typed. */
const NEW = { enabled: true, timeoutMs: TIMEOUT_MS, concurrency: CONCURRENCY };
export const newTyped = (fields: readonly FormField[]): Typed => typedOf(NEW, fields);
