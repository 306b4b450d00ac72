/** The members of a definition that the form has a control for; the document has them all. */

export type Field = {
  /** Of the control. Where it stands for one member, that member's path in the document. */
  name: string;
  label: string;
  hint?: string;
  /** Values to choose from, with their words. */
  options?: readonly (readonly [value: string, words: string])[];
  /** Only where the control of this name has this value. */
  when?: readonly [name: string, values: readonly string[]];
};

export const BASICS: readonly Field[] = [
  { name: "name", label: "Name", hint: "As people read it" },
  {
    name: "key",
    label: "Key",
    hint: "In addresses and programs: lower-case letters, digits, - and _",
  },
  { name: "hub", label: "Hub", hint: "The kind of application: crm, helpdesk, finance …" },
  { name: "description", label: "Description" },
  {
    name: "baseUrl",
    label: "Base URL",
    hint: "Where its API lives. ${key} stands for what an instance has under that key",
  },
  {
    name: "ping.path",
    label: "Path that tells whether credentials work",
    hint: "For instance /me",
  },
];

const of = (type: string) => ["authentication.type", [type]] as const;

export const AUTHENTICATION: readonly Field[] = [
  {
    name: "authentication.type",
    label: "How an account proves itself",
    options: [
      ["apiKey", "API key or token"],
      ["basic", "User name and password"],
      ["oauth2", "OAuth 2"],
    ],
  },
  {
    name: "authentication.in",
    label: "Where it is sent",
    options: [
      ["header", "In a header"],
      ["query", "In the query"],
    ],
    when: of("apiKey"),
  },
  {
    name: "authentication.name",
    label: "Name of that header or parameter",
    hint: "For instance Authorization",
    when: of("apiKey"),
  },
  {
    name: "authentication.prefix",
    label: "Text before the key",
    hint: "“Bearer ”, with its space",
    when: of("apiKey"),
  },
  {
    name: "authentication.configurationKey",
    label: "What instances call the key",
    hint: "A secret among what accounts are asked for, below",
    when: of("apiKey"),
  },
  {
    name: "authentication.usernameKey",
    label: "What instances call the user name",
    hint: "username, unless said otherwise",
    when: of("basic"),
  },
  {
    name: "authentication.passwordKey",
    label: "What instances call the password",
    hint: "password, unless said otherwise",
    when: of("basic"),
  },
  { name: "authentication.authorizeUrl", label: "Where people consent", when: of("oauth2") },
  { name: "authentication.tokenUrl", label: "Where tokens are issued", when: of("oauth2") },
  { name: "authentication.scope", label: "Scopes", when: of("oauth2") },
];

/** Of each thing that an instance is asked for. */
export const ASKED: readonly Field[] = [
  { name: "key", label: "Key" },
  { name: "name", label: "Words" },
  {
    name: "type",
    label: "Kind",
    options: [
      ["PASSWORD", "Secret"],
      ["TEXTFIELD_128", "Text"],
      ["TEXTFIELD_1000", "Long text"],
      ["BOOLEAN", "Yes or no"],
    ],
  },
];

export const ISO_FORMATS = [
  ["yyyy-MM-dd'T'HH:mm:ssXXX", "2026-01-31T12:00:00Z"],
  ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-01-31T12:00:00.000Z"],
] as const;

const paged = (...styles: string[]) => ["style", styles] as const;

/** Of each resource. */
export const RESOURCE: readonly Field[] = [
  { name: "name", label: "Name", hint: "For instance issues" },
  { name: "path", label: "Path of its list", hint: "For instance /v2/issues" },
  {
    name: "root",
    label: "Where the answer has the records",
    hint: "data; nothing: the answer is the list",
  },
  { name: "id", label: "Field of a record’s id", hint: "For instance id" },
  { name: "updated", label: "Field of its last change", hint: "For instance updated_at" },
  { name: "created", label: "Field of its creation", hint: "For instance created_at" },
  {
    name: "format",
    label: "Polled: how its dates are written",
    options: [
      ["", "Not polled"],
      ...ISO_FORMATS,
      ["milliseconds", "Milliseconds since 1970"],
      ["seconds", "Seconds since 1970"],
    ],
  },
  {
    name: "since",
    label: "Parameter that asks for changes since",
    hint: "updated_since; nothing: the whole list is read",
  },
  {
    name: "style",
    label: "Paging",
    options: [
      ["none", "One page"],
      ["page", "By number"],
      ["offset", "By offset"],
      ["cursor", "By cursor"],
      ["nextUrl", "The answer has the next address"],
      ["linkHeader", "Link header"],
    ],
  },
  {
    name: "parameter",
    label: "Parameter of the page, offset or cursor",
    when: paged("page", "offset", "cursor"),
  },
  {
    name: "next",
    label: "Where the answer has the next cursor or address",
    when: paged("cursor", "nextUrl"),
  },
  {
    name: "size",
    label: "Parameter of the page’s size",
    when: paged("page", "offset", "cursor", "nextUrl", "linkHeader"),
  },
];

export const EVENTS: readonly Field[] = [
  {
    name: "events.methods",
    label: "How changes are heard of",
    options: [
      ["polling", "Polling"],
      ["webhook", "Webhooks"],
      ["polling,webhook", "Polling, or webhooks"],
    ],
  },
];

const heard = ["events.methods", ["webhook", "polling,webhook"]] as const;

export const WEBHOOK: readonly Field[] = [
  {
    name: "webhook.header",
    label: "Header of the signature",
    hint: "x-signature; nothing: it doesn’t sign, and the address carries a token",
    when: heard,
  },
  {
    name: "webhook.algorithm",
    label: "Algorithm",
    options: [
      ["hmac-sha256", "HMAC SHA-256"],
      ["hmac-sha1", "HMAC SHA-1"],
      ["hmac-sha512", "HMAC SHA-512"],
    ],
    when: heard,
  },
  {
    name: "webhook.encoding",
    label: "Written as",
    options: [
      ["hex", "Hexadecimal"],
      ["base64", "Base64"],
    ],
    when: heard,
  },
  { name: "webhook.prefix", label: "Text before it", hint: "For instance sha256=", when: heard },
  {
    name: "webhook.list",
    label: "Where the body has the changes",
    hint: "events; nothing: the body is one change",
    when: heard,
  },
  {
    name: "webhook.objectType",
    label: "What changed",
    hint: "A resource’s name: issues",
    when: heard,
  },
  {
    name: "webhook.objectId",
    label: "Where a change has its object’s id",
    hint: "issue.id",
    when: heard,
  },
  {
    name: "webhook.eventType",
    label: "Where it says what was done",
    hint: "For instance action",
    when: heard,
  },
  { name: "webhook.created", label: "Says created by", hint: "For instance opened", when: heard },
  { name: "webhook.deleted", label: "Says deleted by", hint: "For instance deleted", when: heard },
  {
    name: "webhook.date",
    label: "Where it has its date",
    hint: "For instance issue.updated_at",
    when: heard,
  },
];
