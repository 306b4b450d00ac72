import type { Context } from "hono";
import * as z from "zod";
import { readConfig } from "../../config";
import type { Connector } from "../../connectors/definition";
import { keyring, seal, unseal } from "../../db/sealed";
import type { ConsoleEnv } from "../session/session.io";

/** Secrets that were typed into a form go out with it once more sealed, for this session and connector, when something else is to be put right. */

const placeOf = (c: Context<ConsoleEnv>, { id }: Connector): string =>
  `form ${c.var.sessionId} ${id}`;

export function keepTyped(
  c: Context<ConsoleEnv>,
  connector: Connector,
  secrets: Readonly<Record<string, string>>,
): string {
  if (Object.keys(secrets).length === 0) return "";
  const ring = keyring(readConfig(c.env).masterKeys);
  return seal(ring, JSON.stringify(secrets), placeOf(c, connector));
}

/** @returns nothing when there is none, or it is another session's. */
export function keptBefore(
  c: Context<ConsoleEnv>,
  connector: Connector,
  text: string | null,
): Record<string, string> {
  if (text === null) return {};
  try {
    const opened = unseal(keyring(readConfig(c.env).masterKeys), text, placeOf(c, connector));
    return z.record(z.string(), z.string()).parse(JSON.parse(opened));
  } catch {
    return {};
  }
}
