import type { Context } from "hono";
import { openedDefinition } from "../../connectors/sealed-definition";
import type { Connector } from "../../connectors/definition";
import { addressLimit } from "../../http/address-limit";
import { limited, notFound, Refusal } from "../../http/refusal";
import { failureText } from "../../hub/answer";
import { ping } from "../../hub/records.client";
import { authenticationOf, mergeConfiguration } from "../../instances/configuration";
import type { Instance } from "../../instances/instance";
import { doorsOf } from "../../instances/lookup.io";
import { unmade } from "../connect/preview.io";
import { readyApps } from "../connect/consent.io";
import { edits } from "../connect/form.io";
import { offersOf } from "./begin.io";
import { instanceAgain } from "./connect.io";
import { isNamed, type Offer, offerOf } from "./offer";
import { type ConnectEnv, connectingOf } from "./session.io";

/** What an account's form is about: a connector, and the instance that is connected again. */
export type Subject = { offer: Offer; instance: Instance | undefined };

/** What the session is for, as the path's `:element` names it. @throws Refusal `not-found` for what it isn't for. */
export async function subjectOfPath(c: Context<ConnectEnv>): Promise<Subject> {
  const name = c.req.param("element") ?? "";
  const subjects = await subjectsOf(c);
  const found = subjects.find(({ offer }) => isNamed(name, offer.connector.key));
  if (found === undefined) throw notFound(`'${name.slice(0, 100)}' can't be connected here`);
  return found;
}

/** Everything that can be connected in the session. */
export async function subjectsOf(c: Context<ConnectEnv>): Promise<Subject[]> {
  const { terms } = connectingOf(c);
  if (!terms.isAgain)
    return (await offersOf(c, terms)).map((offer) => ({ offer, instance: undefined }));
  const instance = await instanceAgain(c);
  const { connector, configuration } = instance;
  const { type } = authenticationOf(connector, configuration);
  const settings = { ...configuration, "authentication.type": type };
  const offer = offerOf(connector, settings, (await readyApps(c)).has(connector.key));
  return offer === undefined ? [] : [{ offer, instance }];
}

/** Tries of one session in a minute, as in `wrangler.toml`. */
const MOST_TRIES = 10;
const countTry = addressLimit(MOST_TRIES);

/**
 * What is wrong with an account as it was typed, by the key of the setting, or `""`: settings that are none, or what its
 * vendor says to them.
 */
export async function accountFaults(
  c: Context<ConnectEnv>,
  { offer, instance }: Subject,
  configuration: Record<string, unknown>,
): Promise<Map<string, string>> {
  const { ring, config, db } = doorsOf(c);
  const connector = openedDefinition(ring, offer.connector);
  const merged = mergeConfiguration(connector, instance?.configuration ?? {}, configuration);
  const faults = edits.faults({ connector, configuration: merged }, instance, config);
  if (faults.length > 0) return new Map(faults.map(placed));
  const now = Date.now();
  const seconds = await countTry(c.env.CALLBACK_TESTS, `connect:${connectingOf(c).id}`, now);
  if (seconds !== undefined)
    throw limited(`Too many tries: try again in ${seconds} seconds`, seconds);
  const asking = { ...(instance ?? unmade(c, now)), connector, configuration: merged, valid: true };
  const answer = await ping(asking, { db, config, streams: c.env.EVENT_STREAMS });
  return answer.kind === "answered" ? new Map() : new Map([["", failureText(answer)]]);
}

function placed({ field, message }: { field: string; message: string }): [string, string] {
  const key = field.replace(/^configuration\./, "");
  return [key, message.startsWith(`${key}: `) ? message.slice(key.length + 2) : message];
}

/** What a refusal says of the account; anything else is no matter of what was typed. */
export function saidOf(error: unknown, { name }: Pick<Connector, "name">): string {
  if (!(error instanceof Refusal)) throw error;
  const { reason, message } = error;
  if (reason.kind === "vendor")
    return reason.providerMessage === "" ? message : `${name}: ${reason.providerMessage}`;
  if (reason.kind !== "invalid" && reason.kind !== "conflict") throw error;
  return message;
}
