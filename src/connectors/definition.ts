import * as z from "zod";
import { authenticationSchema } from "./authentication";
import { pagingSchema } from "./paging";
import { path, template } from "./template";
import { rateLimitSchema } from "./rate-limit";
import { isPattern, PATTERN_EXPECTED, webhookSchema } from "./webhook";

/**
 * What we know of a vendor, as data. Built-in connectors are values of this schema; user-made ones
 * are JSON checked by it. Nothing here runs; the rooms `hub`, `polling` and `inbound` read it.
 *
 * Text marked *template* may hold `${key}`, replaced by the instance's configuration value `key`.
 */

const parameters = z.record(z.string(), z.string());

/** What a condition of a `where` becomes: a parameter of the request, a comparison made here, or both. */
const condition = z
  .strictObject({
    parameter: z.string().optional(),
    operators: z.array(z.enum(["=", "!=", "<", ">", "<=", ">="])).default(["="]),
    day: z
      .enum(["before", "after"])
      .optional()
      .describe(
        "The parameter takes days, and it isn't certain that the day named is among those shown: the day before it, or after it, is sent.",
      ),
    checks: z
      .strictObject({ field: path, operator: z.enum(["<", ">", "<=", ">="]) })
      .optional()
      .describe(
        "The date of a record that is compared with the condition's value here, since the vendor's own filter is coarser or there is none.",
      ),
  })
  .refine(
    ({ parameter, checks }) => parameter !== undefined || checks !== undefined,
    "Expected a parameter, or checks",
  );

/** A vendor's query language, into which a `where` is translated (`hub/dialect.ts`). */
export const languageSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("soql"),
    object: z.string(),
    columnsKey: z
      .string()
      .describe("Configuration key of the columns read when the caller names no fields."),
    time: z.string(),
    id: z.string(),
  }),
  z.strictObject({
    name: z.literal("qbo"),
    object: z.string(),
    time: z.string(),
    hasActive: z
      .boolean()
      .default(false)
      .describe("The entity leaves out inactive records unless the query says otherwise."),
  }),
  z.strictObject({ name: z.literal("hubspot"), time: z.string(), id: z.string() }),
]);
export type Language = z.infer<typeof languageSchema>;

const operation = z.strictObject({
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("GET"),
  path: template.describe(
    "After the base URL; `{id}` stands for the record, `${key}` for a configuration value.",
  ),
  query: parameters.default({}).describe("Sent with every such request."),
  body: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      "A JSON body the parameters are laid over (search endpoints); its texts may hold `{id}`.",
    ),
  take: z
    .array(z.string())
    .default([])
    .describe(
      "Members of the vendor's current record that must be sent along (`SyncToken`), so it is read first.",
    ),
  root: path.default("").describe("Where in the answer the record, or the list of records, is."),
});

/**
 * A list of deleted records, for vendors whose normal lists leave them out. Polled if a poll configuration asks
 * for it (`deletion`).
 */
const deletions = z.strictObject({
  path: template,
  query: parameters.default({}),
  root: path,
  idField: path,
  dateField: path,
  cursor: z
    .strictObject({ parameter: z.string(), path })
    .optional()
    .describe("The next page's cursor, and the parameter it goes to."),
  window: z
    .strictObject({
      start: z.string(),
      end: z.string(),
      /** Until when the answer is complete; the next window begins there. */
      coveredPath: path,
      /**
       * Deletions before this instant are no longer listed: then, and after the error `tooOld`, all ids are
       * compared instead.
       */
      earliestPath: path,
      tooOld: z.string(),
    })
    .optional()
    .describe(
      "Parameters of the time window, ISO 8601 in whole seconds. Absent: each answer is the whole list.",
    ),
});
export type Deletions = z.infer<typeof deletions>;

export const resourceSchema = z.strictObject({
  list: operation.optional(),
  get: operation.optional(),
  create: operation.optional(),
  update: operation.optional(),
  delete: operation.optional(),
  paging: pagingSchema.default({ style: "none" }).describe("How the list is cut into pages."),
  maxPageSize: z
    .number()
    .int()
    .positive()
    .default(100)
    .describe("The largest page that the vendor gives."),
  idField: path.describe("Where a record has its id."),
  updatedField: path.optional().describe("Where a record has the date of its last change."),
  createdField: path.optional().describe("Where a record has the date of its creation."),
  deleted: z
    .strictObject({ field: path, equals: z.unknown() })
    .optional()
    .describe("A record with this value in this field is deleted."),
  deletions: deletions.optional(),
  unpolled: z
    .array(z.enum(["CREATED", "UPDATED", "DELETED"]))
    .default([])
    .describe(
      "Event types that polling cannot find: a list by creation date shows no UPDATED. An instance that is polled and has webhooks takes these from the webhooks.",
    ),
  where: z
    .record(z.string(), condition)
    .default({})
    .describe(
      "`where` conditions by field name; a field not named is refused unless `passThrough`.",
    ),
  idOrder: parameters
    .default({})
    .describe(
      "Parameters that order the list by id. Where its usual order has ties, a list whose records don't add up is read again in this one.",
    ),
  passThrough: z
    .string()
    .optional()
    .describe("The parameter that takes the whole `where` text unchanged."),
  formerly: parameters
    .default({})
    .describe(
      "Former name of a field → its name today. Programs written for the vendor's former API use the former names in poll configurations and in `where`.",
    ),
  language: languageSchema.optional().describe("The language in which lists are queried."),
  objectType: z
    .string()
    .optional()
    .describe(
      "The name that the vendor's webhooks and feeds use for it; absent: the resource's name.",
    ),
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
  name: z.string().min(1).describe("As people read it."),
  hub: z.string().min(1).describe("The kind of application, as in `/hubs/crm`."),
  description: z.string().default(""),
  authentication: authenticationSchema.describe("How an account proves itself."),
  otherAuthentications: z
    .array(authenticationSchema)
    .default([])
    .describe(
      "Other ways to authenticate; an instance chooses one by its configuration key `authentication.type`.",
    ),
  baseUrl: template.describe(
    "Where the API lives; the configuration key `base.url` replaces scheme, host and port.",
  ),
  hosts: z
    .array(
      z
        .string()
        .regex(/^\.?[a-z0-9-]+(\.[a-z0-9-]+)+$/, "Expected a host, or a domain after a dot"),
    )
    .default([])
    .describe(
      "The vendor's hosts, where a configuration value or the vendor's token answer names one: `api.example.com`, or `.example.com` for all below it. Credentials go to no other.",
    ),
  headers: parameters.default({}).describe("Sent with every request."),
  rateLimit: rateLimitSchema
    .optional()
    .describe("What the vendor allows; requests are paced by it."),
  configuration: z
    .array(configurationEntry)
    .default([])
    .describe("Beyond those every instance has; secrets are of type PASSWORD."),
  resources: z
    .record(z.string(), resourceSchema)
    .describe("What can be listed, read and written, by name."),
  ping: operation.optional().describe("What `GET …/ping` calls, relative to the base."),
  events: z.strictObject({
    methods: z.array(z.enum(["polling", "webhook"])).min(1),
    defaultMode: z.enum(["polling", "webhook"]),
    polling: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .default({})
      .describe(
        "Per resource, in the very shape of `event.poller.configuration`. Formats of dates are Java patterns, or `milliseconds` or `seconds` (Stripe) for what is counted from 1970.",
      ),
    pollingOnRequest: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .default({})
      .describe("As `polling`, of resources that are polled only where an instance names them."),
    pollingOther: z
      .strictObject({
        pattern: z.string().refine(isPattern, PATTERN_EXPECTED),
        path: z.string(),
        configuration: z.record(z.string(), z.unknown()),
      })
      .optional()
      .describe(
        "How resources that `polling` does not name are polled: names of this pattern, `{name}` standing for the hub resource, which is the name itself or, where there is none, `path`.",
      ),
    refreshInterval: z.number().int().positive().default(15),
    feed: z
      .enum(["box", "dropbox", "quickbooks"])
      .optional()
      .describe(
        "All changes of the account come in one feed, which this reader reads; for built-in connectors.",
      ),
  }),
  webhook: webhookSchema.optional().describe("How its webhooks are read; absent: it has none."),
});
export type Connector = z.infer<typeof connectorSchema>;
export type ConnectorInput = z.input<typeof connectorSchema>;

/** Checks a built-in at module load: a wrong built-in is a bug, so it throws. */
export const defineConnector = (input: ConnectorInput): Connector => connectorSchema.parse(input);
