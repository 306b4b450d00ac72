import type { Connector } from "../connectors/definition";
import { keyring } from "../db/sealed";
import { readTokenAnswer } from "./answer";
import { clientName, constantVerifier } from "./authorize";
import { isRefusedForGood, readGrant, tokenRequest } from "./oauth";
import type { Caller } from "./request";
import { type HubDoors, send } from "./request.client";
import { dropVerifier, hadConstantVerifier, waitingVerifiers } from "./verifiers.store";
import { applicationFault } from "./applications/choice.io";
import { parseExactly } from "../values/json";

export type Exchanged =
  | { ok: true; configuration: Record<string, string> }
  | { ok: false; message: string; providerMessage: string; status: number };

type Configuration = Record<string, string | null>;
type Doors = Pick<HubDoors, "db" | "config">;
/** `id`: the kept row of a verifier; no verifier: the code is bound by none. */
type Guess = { id?: number; verifier?: string };

/**
 * Turns the code that a consenting user brought back into a grant. Where the vendor knows PKCE, the code goes
 * with the verifier of its authorize URL, or with none if the application built that URL itself. Which URL it
 * was is not always known (`verifiers.store.ts`): as long as the vendor refuses the code, the next guess is
 * tried.
 */
export async function exchangeCode(
  organizationId: number,
  connector: Connector,
  configuration: Configuration,
  { code, state }: { code: string; state?: string | undefined },
  doors: Doors,
): Promise<Exchanged> {
  const { authentication } = connector;
  const guesses =
    authentication.type === "oauth2" && authentication.pkce
      ? await guessesOf(organizationId, connector, configuration, state, doors)
      : [];
  const attempt = async ([guess = {}, ...others]: Guess[]): Promise<Exchanged> => {
    const grant = { code, verifier: guess.verifier };
    const { exchanged, isRefused } = await exchange(
      organizationId,
      { connector, configuration },
      grant,
      doors,
    );
    if (exchanged.ok && guess.id !== undefined) await dropVerifier(doors.db, guess.id);
    if (!isRefused || others.length === 0) return exchanged;
    const later = await attempt(others);
    return later.ok ? later : exchanged;
  };
  return attempt([...guesses, {}]);
}

async function guessesOf(
  organizationId: number,
  connector: Connector,
  configuration: Configuration,
  state: string | undefined,
  { db, config }: Doors,
): Promise<Guess[]> {
  const now = Date.now();
  const request = {
    apiKey: configuration["oauth.api.key"] ?? "",
    callbackUrl: configuration["oauth.callback.url"] ?? "",
  };
  const client = clientName(organizationId, connector.key, request);
  const ring = keyring(config.masterKeys);
  const waiting = await waitingVerifiers(db, ring, { client, state }, now);
  const isOld = await hadConstantVerifier(db, client, now);
  const old = isOld ? [{ verifier: constantVerifier(config.sessionKey, request) }] : [];
  return [...waiting, ...old];
}

async function exchange(
  organizationId: number,
  caller: Caller,
  grant: { code: string; verifier: string | undefined },
  doors: Doors,
): Promise<{ exchanged: Exchanged; isRefused: boolean }> {
  const { connector } = caller;
  const unfit = await applicationFault(organizationId, caller, doors);
  if (unfit !== undefined) return fault({ message: unfit, providerMessage: "", status: 400 });
  const built = tokenRequest(caller, { type: "authorization_code", ...grant });
  if (!built.ok) return fault({ message: built.message, providerMessage: "", status: 400 });
  const { answer: sent, text } = await send(connector, built.request, doors);
  const answer = readTokenAnswer(sent, text, connector.name);
  if (answer.kind === "vendor-error") {
    const parsed = parseExactly(text);
    const isRefused = parsed.ok && isRefusedForGood(answer.status, parsed.value);
    return { ...fault(answer), isRefused };
  }
  if (answer.kind === "unreachable")
    return fault({ message: answer.message, providerMessage: answer.message, status: 502 });
  const read = readGrant(caller, answer.value, Date.now());
  return read.ok
    ? { exchanged: read, isRefused: false }
    : fault({ message: read.message, providerMessage: "", status: 502 });
}

function fault({
  message,
  providerMessage,
  status,
}: Omit<Extract<Exchanged, { ok: false }>, "ok">): { exchanged: Exchanged; isRefused: boolean } {
  return { exchanged: { ok: false, message, providerMessage, status }, isRefused: false };
}
