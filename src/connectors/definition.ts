import * as z from "zod";
import { authenticationSchema } from "./authentication";
import { pagingSchema } from "./paging";
import { path, template } from "./template";
import { rateLimitSchema } from "./rate-limit";
import { isPattern, webhookSchema } from "./webhook";

/**
 * What we know of a vendor, as data. Built-in connectors are values of this schema; user-made ones
 * are JSON checked by it. Nothing here runs; the rooms `hub`, `polling` and `inbound` read it.
 *
 * Text marked *template* may hold `${key}`, replaced by the instance's configuration value `key`.
 */

const parameters = z.record(z.string(), z.string());

/** One condition of a `where` → one request parameter. */
const condition = z.strictObject({
  parameter: z.string(),
  operators: z.array(z.enum(["=", "!=", "<", ">", "<=", ">="])).default(["="]),
});

/** A vendor's query language, which `where` is written in (`hub/dialect.ts`). */
export const languageSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("soql"),
    object: z.string(),
    /** Configuration key of the columns read when the caller names no fields. */
    columnsKey: z.string(),
    time: z.string(),
    id: z.string(),
  }),
  z.strictObject({
    name: z.literal("qbo"),
    object: z.string(),
    time: z.string(),
    /** The entity hides what is inactive unless asked for it. */
    hasActive: z.boolean().default(false),
  }),
  z.strictObject({ name: z.literal("hubspot"), time: z.string(), id: z.string() }),
]);
export type Language = z.infer<typeof languageSchema>;

const operation = z.strictObject({
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("GET"),
  path: template,
  query: parameters.default({}),
  /** A JSON body the parameters are laid over (search endpoints); its texts may hold `{id}`. */
  body: z.record(z.string(), z.unknown()).optional(),
  /** Members of the record as it stands that are sent along (`SyncToken`): it is read first. */
  take: z.array(z.string()).default([]),
  /** Where the record, or the list of them, stands in the answer. */
  root: path.default(""),
});

/** A list of what was deleted, of a vendor whose lists do not show it; read where `deletion` asks for it. */
const deletions = z.strictObject({
  path: template,
  query: parameters.default({}),
  root: path,
  idField: path,
  dateField: path,
  /** The next page's cursor, and the parameter it goes to. */
  cursor: z.strictObject({ parameter: z.string(), path }).optional(),
  /** The list is asked for by a window, ISO 8601 in whole seconds; absent: it is the whole list each time. */
  window: z
    .strictObject({
      start: z.string(),
      end: z.string(),
      /** How far the answer reaches; the next window begins there. */
      coveredPath: path,
      /** What lies before this instant is lost: all ids are read anew, as they are after the error `tooOld`. */
      earliestPath: path,
      tooOld: z.string(),
    })
    .optional(),
});
export type Deletions = z.infer<typeof deletions>;

export const resourceSchema = z.strictObject({
  list: operation.optional(),
  get: operation.optional(),
  create: operation.optional(),
  update: operation.optional(),
  delete: operation.optional(),
  paging: pagingSchema.default({ style: "none" }),
  /** The most records the vendor gives at once. */
  maxPageSize: z.number().int().positive().default(100),
  idField: path,
  updatedField: path.optional(),
  createdField: path.optional(),
  /** A record is a deleted one when this field has this value. */
  deleted: z.strictObject({ field: path, equals: z.unknown() }).optional(),
  deletions: deletions.optional(),
  /**
   * Its list cannot show this (a list by creation date: no UPDATED): where an instance is polled and has webhooks, the
   * webhook's word of it is the event.
   */
  unpolled: z.array(z.enum(["CREATED", "UPDATED", "DELETED"])).default([]),
  /** `where` conditions by field name; a field not named is refused unless `passThrough`. */
  where: z.record(z.string(), condition).default({}),
  /** The whole `where` text goes to this parameter as it came. */
  passThrough: z.string().optional(),
  /**
   * Names that its fields go by in programs written for the vendor's former API, or for another hub: what a
   * poll configuration or a `where` calls so is the field of today.
   */
  formerly: parameters.default({}),
  /** Lists are asked for in this language. */
  language: languageSchema.optional(),
  /** The vendor's own name of it, as its webhooks and feeds say; absent: the resource's name. */
  objectType: z.string().optional(),
});
export type Resource = z.infer<typeof resourceSchema>;
export type Operation = z.infer<typeof operation>;

const configurationEntry = z.strictObject({
  key: z.string(),
  name: z.string(),
  description: z.string().default(""),
  type: z.enum([
    "TEXTFIELD_32",
    "TEXTFIELD_128",
    "TEXTFIELD_1000",
    "TEXTAREA",
    "BOOLEAN",
    "PASSWORD",
  ]),
  defaultValue: z.string().nullable().default(null),
  required: z.boolean().default(false),
});
export type ConfigurationEntry = z.infer<typeof configurationEntry>;

export const connectorSchema = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, "Expected lower-case letters, digits, _ or -"),
  id: z.number().int().positive(),
  name: z.string().min(1),
  hub: z.string().min(1),
  description: z.string().default(""),
  authentication: authenticationSchema,
  /** Other ways for an instance to prove itself, chosen by its configuration key `authentication.type`. */
  otherAuthentications: z.array(authenticationSchema).default([]),
  /** Where the API lives; the configuration key `base.url` replaces scheme, host and port. */
  baseUrl: template,
  /** Sent with every request. */
  headers: parameters.default({}),
  rateLimit: rateLimitSchema.optional(),
  /** Beyond those every instance has; secrets are of type PASSWORD. */
  configuration: z.array(configurationEntry).default([]),
  resources: z.record(z.string(), resourceSchema),
  /** What `GET …/ping` calls, relative to the base. */
  ping: operation.optional(),
  events: z.strictObject({
    methods: z.array(z.enum(["polling", "webhook"])).min(1),
    defaultMode: z.enum(["polling", "webhook"]),
    /**
     * Per resource, in the very shape of `event.poller.configuration`. Formats of dates are Java patterns, or
     * `milliseconds` or `seconds` (Stripe) for what is counted from 1970.
     */
    polling: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
    /**
     * How resources that `polling` does not name are polled: names of this pattern, `{name}` standing for
     * the hub resource, which is the name itself or, where there is none, `path`.
     */
    pollingOther: z
      .strictObject({
        pattern: z.string().refine(isPattern, "Expected a regular expression"),
        path: z.string(),
        configuration: z.record(z.string(), z.unknown()),
      })
      .optional(),
    refreshInterval: z.number().int().positive().default(15),
    /** Changes come as one feed for the whole account, read by this reader (`connectors/feed.ts`). */
    feed: z.enum(["box", "dropbox", "quickbooks"]).optional(),
  }),
  /** How its webhooks are read; absent: it has none. */
  webhook: webhookSchema.optional(),
});
export type Connector = z.infer<typeof connectorSchema>;
export type ConnectorInput = z.input<typeof connectorSchema>;

/** Checks a built-in at module load: a wrong built-in is a bug, so it throws. */
export const defineConnector = (input: ConnectorInput): Connector => connectorSchema.parse(input);
