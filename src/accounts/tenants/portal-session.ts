import * as z from "zod";
import type { Millis } from "../../values/instant";
import { newLink } from "../members/link";
import { type Brand, brandChange } from "./brand";

/** So long a link opens its session, and then the session lasts. */
const LIFE_MS = 3_600_000;
const MOST_ANCESTORS = 10;
export const ORIGIN_EXPECTED =
  "Expected an origin: https://app.example, or on one's own machine http://localhost:3000";

/** Of a tenant's people: what they may do, in which organization's portal, and which pages may frame it. */
export type PortalSession = {
  id: string;
  organizationId: number;
  tenantId: string;
  access: "read" | "write";
  frameAncestors: string[];
  /** How its pages look where that is not as the organization says. */
  brand: Brand | null;
  expiresAt: Millis;
};

/**
 * Whether a text is the origin of a page that may frame ours. It becomes part of a `Content-Security-Policy`, where
 * spaces, commas and semicolons would end it.
 */
export function isAncestor(text: string): boolean {
  if (!/^https?:\/\/[a-z0-9.:[\]-]{1,255}$/.test(text) || !URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  return origin === text && (protocol === "https:" || isOwnMachine(hostname));
}

/** Pages on one's own machine go without https. */
export const isOwnMachine = (hostname: string): boolean =>
  /^(localhost|127\.0\.0\.1)$/.test(hostname);

/** What a session is made of. */
export const newPortalSession = z.strictObject({
  access: z.enum(["read", "write"], "Expected read or write").default("read"),
  frameAncestors: z
    .array(z.string(ORIGIN_EXPECTED).refine(isAncestor, ORIGIN_EXPECTED))
    .max(MOST_ANCESTORS, `Expected at most ${MOST_ANCESTORS} origins`)
    .default([])
    .describe("Origins of the pages that may show it in a frame; by default none"),
  brand: brandChange
    .nullable()
    .default(null)
    .describe("How it looks where that is not as the organization says; null: as ours"),
});

/** What opens a session of a tenant's people, or keeps it open, from now on: made of 32 random bytes. */
export const newVisitorToken = (random: Uint8Array, now: Millis): ReturnType<typeof newLink> =>
  newLink(random, now + LIFE_MS);
