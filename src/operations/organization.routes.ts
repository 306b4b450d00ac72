import { Hono } from "hono";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { watchOrganization } from "../accounts/watch-organization.io";
import { DEFAULT_AUDIT_DAYS } from "../accounts/audit.store";
import { changeOrganization, readOrganization } from "../accounts/organization.store";
import { readConfig } from "../config";
import { keyring } from "../db/sealed";
import { deleteDestination } from "../delivery/remove-destination.store";
import { readDestination } from "../delivery/destinations.store";
import { MASK } from "../values/secret-name";
import { maskedUrl, unmaskedUrl } from "../values/secret-text";
import { saveDestination } from "../delivery/save-destination.store";
import { parse, readJson } from "../http/body";
import { described } from "../http/route-description";
import { checkEgress } from "../http/egress";
import { invalid } from "../http/refusal";
import { operationsDestinationId } from "../stream/operational-event";

const DAYS = "Expected a whole number of days, 1 to 30";
const AUDIT_DAYS = "Expected a whole number of days, 30 to 3650";
const change = z.strictObject({
  name: z.string("Expected a name").min(1).max(255).optional(),
  retentionDays: z.int(DAYS).min(1, DAYS).max(30, DAYS).optional(),
  auditDays: z.int(AUDIT_DAYS).min(30, AUDIT_DAYS).max(3_650, AUDIT_DAYS).optional(),
  operationsCallback: z
    .strictObject({ url: z.string("Expected a URL") })
    .nullable()
    .optional(),
});

const ORGANIZATION = {
  id: "1",
  name: "Acme",
  retentionDays: 7,
  auditDays: 400,
  operationsCallback: null,
};

/** The organization itself; its operational events go to `operationsCallback` (reference v1-api.md). */
export const organizationRoutes = new Hono<AskerEnv>()
  .use("/organization", withKey("admin"))
  .get(
    "/organization",
    described("The organization", { tag: "operations", answer: ORGANIZATION }),
    async (c) =>
      c.json(
        view(
          c.var.asker.organizationId,
          await readOrganization(c.env.DB, c.var.asker.organizationId),
        ),
      ),
  )
  .patch(
    "/organization",
    described("Change the organization", {
      tag: "operations",
      body: change,
      bodyExample: { retentionDays: 14 },
      answer: ORGANIZATION,
    }),
    async (c) => {
      const { organizationId } = c.var.asker;
      const config = readConfig(c.env);
      await watchOrganization(c);
      const changes = parse(change, await readJson(c, 64 * 1024));
      const id = operationsDestinationId(organizationId);
      const ring = keyring(config.masterKeys);
      const given = changes.operationsCallback?.url;
      const stored = given?.includes(MASK)
        ? (await readDestination(c.env.DB, ring, organizationId, id))?.url
        : undefined;
      const url = given === undefined ? undefined : unmaskedUrl(given, stored ?? "");
      if (url?.includes(MASK) === true)
        throw invalid(
          `operationsCallback.url: '${MASK}' keeps a stored value, and there is none`,
          "operationsCallback.url",
        );
      const verdict = url === undefined ? undefined : checkEgress(url, config.egress);
      if (verdict?.ok === false)
        throw invalid(`operationsCallback.url: ${verdict.message}`, "operationsCallback.url");
      if (url !== undefined) {
        const draft = {
          id,
          organizationId,
          kind: "operations" as const,
          ownerId: String(organizationId),
          url,
          headers: {},
          legacyKey: null,
        };
        const statements = await saveDestination(c.env.DB, ring, draft, Date.now());
        await drizzle(c.env.DB).batch(statements);
      }
      if (changes.operationsCallback === null)
        await drizzle(c.env.DB).batch([deleteDestination(c.env.DB, id)]);
      return c.json(
        view(
          organizationId,
          await changeOrganization(c.env.DB, organizationId, {
            ...changes,
            // Its destination knows the credentials; here it is only shown.
            ...(url === undefined ? {} : { operationsCallback: { url: maskedUrl(url) } }),
          }),
        ),
      );
    },
  );

function view(
  id: number,
  { name, settings }: Awaited<ReturnType<typeof readOrganization>>,
): Record<string, unknown> {
  return {
    id: String(id),
    name,
    retentionDays: settings.retentionDays ?? 7,
    auditDays: settings.auditDays ?? DEFAULT_AUDIT_DAYS,
    operationsCallback:
      settings.operationsCallback === undefined
        ? null
        : { url: maskedUrl(settings.operationsCallback.url) },
  };
}
