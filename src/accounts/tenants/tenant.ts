import * as z from "zod";
import { isoText, type Millis } from "../../values/instant";

/** A customer of an organization (reference v1-api.md). */
export type Tenant = {
  /** As the organization calls it: `acme`. */
  id: string;
  name: string;
  metadata: Record<string, unknown>;
  /** Its instances take nothing in, what is to be delivered to it waits, nothing can be published to it. */
  disabled: boolean;
  /** Calls a second to each of its destinations that doesn't say itself; null: no limit. */
  rate: number | null;
  /** How long events of its sources are kept; null: as long as the organization's. */
  retentionDays: number | null;
  createdAt: Millis;
};

/** What everything that belongs to a tenant needs to know of it. `isOff`: it is disabled, or being deleted. */
export type TenantTerms = {
  id: string;
  isOff: boolean;
  rate: number | null;
  retentionDays: number | null;
};

export const termsOf = ({ id, disabled, rate, retentionDays }: Tenant): TenantTerms => ({
  id,
  isOff: disabled,
  rate,
  retentionDays,
});

const DAY_MS = 86_400_000;

/** How long a stream keeps what belongs to a tenant: as it says, in milliseconds, else as its organization does. */
export const keptFor = (
  tenant: Pick<Tenant, "retentionDays"> | null | undefined,
): number | "organization" => {
  const days = tenant?.retentionDays ?? null;
  return days === null ? "organization" : days * DAY_MS;
};

/** `.` and `..` are no path, and `-` stands for what belongs to no tenant. */
const NO_ID = new Set([".", "..", "-"]);
const ID = "Expected 1 to 64 letters, digits, '.', '_' or '-'";
/** How the organization calls a tenant. */
export const tenantId = z
  .string(ID)
  .regex(/^[A-Za-z0-9._-]{1,64}$/, ID)
  .refine((id) => !NO_ID.has(id), "Expected more than '.', '..' or '-'");

const DAYS = "Expected a whole number of days, 1 to 30";
const traits = {
  metadata: z.record(z.string(), z.unknown(), "Expected an object"),
  disabled: z.boolean("Expected true or false"),
  rate: z
    .number("Expected a number of calls a second")
    .positive()
    .max(10_000)
    .nullable()
    .describe("Calls a second to each of its destinations that has no rate of its own"),
  retentionDays: z
    .int(DAYS)
    .min(1, DAYS)
    .max(30, DAYS)
    .nullable()
    .describe("How long events of its sources are kept; null: as long as the organization's"),
};
const name = z.string("Expected a name").trim().min(1, "Expected a name").max(255);

/** What a new tenant is made of; its id is its name when it has none. */
export const newTenant = z.strictObject({
  id: tenantId,
  name: name.optional(),
  metadata: traits.metadata.default({}),
  disabled: traits.disabled.default(false),
  rate: traits.rate.default(null),
  retentionDays: traits.retentionDays.default(null),
});

/** What may be changed of a tenant; metadata as a whole. */
export const tenantChange = z.strictObject({ name, ...traits }).partial();
export type TenantChange = z.infer<typeof tenantChange>;

/** A tenant as `/v1` prints it. */
export const tenantView = ({ createdAt, ...tenant }: Tenant) => ({
  ...tenant,
  createdAt: isoText(createdAt),
});

/** One as the description of the interface shows it. */
export const EXAMPLE = {
  id: "acme",
  name: "Acme",
  metadata: { plan: "pro" },
  disabled: false,
  rate: null,
  retentionDays: null,
  createdAt: "2026-11-21T20:00:00.000Z",
};
