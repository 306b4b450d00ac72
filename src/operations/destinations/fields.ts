import * as z from "zod";
import { type Destination, headerFault } from "../../delivery/destination";
import { expressionFault } from "../../expressions/syntax";
import { isSigningSecret, SIGNING_SECRET_EXPECTED } from "../../delivery/signature";
import { instantField } from "../../http/instant-field";
import type { Violation } from "../../http/refusal";
import { recordOf } from "../../values/record";
import { endpointFields } from "./endpoint-fields";
import { sendingFields } from "./sending-fields";
import { toldFields } from "./told-fields";

const expression = z
  .string()
  .nullable()
  .superRefine((text, context) => {
    const fault = text === null ? undefined : expressionFault(text);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });

const SECONDS = "Expected a number of seconds, 0 to 604800";
const TRIES = "Expected a list of 1 to 50 numbers of seconds";
/** How a destination is served. */
const servedFields = {
  enabled: z.boolean("Expected true or false").optional(),
  rate: z
    .number("Expected a number of notifications per second")
    .positive()
    .max(10_000)
    .nullable()
    .optional(),
  ordering: z.enum(["none", "object", "source"], "Expected none, object or source").optional(),
  deadHead: z.enum(["skip", "block"], "Expected skip or block").optional(),
  deactivate: z
    .union([z.enum(["exhausted", "never"]), z.int().min(1).max(30)], {
      error: "Expected exhausted, never or a whole number of days, 1 to 30",
    })
    .nullable()
    .optional()
    .describe(
      "When exhausted tries switch it off: at once, never, or after failures that span so many days with nothing delivered",
    ),
  retrySchedule: z
    .array(z.number(SECONDS).min(0, SECONDS).max(604_800, SECONDS), TRIES)
    .min(1, TRIES)
    .max(50, TRIES)
    .nullable()
    .optional(),
  filter: expression
    .optional()
    .describe(
      "JSONata over {objectType, objectId, eventType, date, data}: only events that it is true of are sent; one that it fails on is sent",
    ),
  transform: expression.optional().describe("JSONata over a body: what is sent instead of it"),
  headers: z
    .record(z.string(), z.string())
    .superRefine((headers, context) => {
      for (const [name, value] of Object.entries(headers)) {
        const message = headerFault(name, value);
        if (message !== undefined) context.addIssue({ code: "custom", message });
      }
    })
    .optional()
    .describe("Sent beside the owner's own headers, in place of those of the same name"),
};

/** What endpoints alone have. */
const ownFields = { ...endpointFields, ...toldFields, ...sendingFields };

/** What operators may change of a destination. */
export const changeRequest = z.strictObject({ ...servedFields, ...ownFields });
export type DestinationChange = z.infer<typeof changeRequest>;

/** What makes an endpoint. */
export const endpointRequest = z.strictObject({
  ...servedFields,
  ...ownFields,
  url: endpointFields.url.unwrap(),
});

/** What can be changed of a flow's step here; its flow decides everything else. */
const CHANGEABLE_OF_STEPS = new Set(["enabled", "rate"]);

/** The fields that can't be changed of a destination of this kind. */
export function unchangeable(kind: Destination["kind"], changes: unknown): Violation[] {
  if (kind === "endpoint") return [];
  return Object.keys(recordOf(changes)).flatMap((field) => {
    if (Object.hasOwn(ownFields, field))
      return [{ field, message: "Only an endpoint has it: this destination's owner decides" }];
    return kind === "flow-step" && field in servedFields && !CHANGEABLE_OF_STEPS.has(field)
      ? [{ field, message: "The flow says this of its steps: change the flow" }]
      : [];
  });
}

/** A new signing key: its kind, and how long the old ones sign beside it. */
export const rotationRequest = z.strictObject({
  overlapSeconds: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400)
    .default(86_400),
  algorithm: z.enum(["v1", "v1a"]).default("v1"),
  secret: z.string().refine(isSigningSecret, SIGNING_SECRET_EXPECTED).optional(),
});
export const testRequest = z.strictObject({ event: z.unknown().optional() });
export const recoveryRequest = z.strictObject({ since: instantField });
export const cancelRequest = z.strictObject({ since: instantField.optional() });

/** What a list of destinations is narrowed down by. */
export const kindField = z
  .enum(
    ["instance", "subscription", "webhook", "flow-step", "endpoint"],
    "Expected instance, subscription, webhook, flow-step or endpoint",
  )
  .optional();
export const statusField = z
  .enum(["healthy", "degraded", "open", "disabled"], "Expected healthy, degraded, open or disabled")
  .optional();

export const textField = z.string().min(1).max(256).optional();
export const enabledField = z.enum(["true", "false"], "Expected true or false").optional();

/** A destination as the description of the interface shows it. */
export const EXAMPLE = {
  id: "instance-27",
  kind: "instance",
  ownerId: "27",
  url: "https://app.example/hook",
  enabled: true,
  status: "healthy",
  state: { name: "active", is: "active", by: null, since: null, because: null },
  circuit: { state: "closed", openedAt: null, nextProbeAt: null },
  rate: null,
  ordering: "none",
  deadHead: "skip",
  deactivate: "exhausted",
  retrySchedule: [8, 64, 512, 4096, 32768],
  signing: {
    keys: [
      {
        id: "key_1",
        algorithm: "v1",
        publicKey: null,
        createdAt: "2026-11-21T20:00:00.000Z",
        expiresAt: null,
      },
    ],
  },
  filter: null,
  transform: null,
  headers: {},
  stats: { delivered24h: 0, failed24h: 0, dead: 0, pending: 0, p50Ms: null, p99Ms: null },
};

/** One that was made by API. */
export const ENDPOINT = {
  ...EXAMPLE,
  id: "ep_8f14e45fceea467a9c1f5d6f3b2a7c10",
  kind: "endpoint",
  ownerId: "ep_8f14e45fceea467a9c1f5d6f3b2a7c10",
  deactivate: 5,
  name: "orders",
  tenant: "acme",
  description: null,
  sources: ["tenant:acme"],
  eventTypes: ["order.*"],
  channels: [],
  timeoutMs: 15_000,
  concurrency: 100,
  signature: null,
  auth: { type: "none" },
  metadata: {},
};
