import { request } from "../http/client";
import type { EgressPolicy } from "../http/egress";
import { sha256 } from "../values/bytes";
import { Cache } from "../values/cache";
import type { Millis } from "../values/instant";
import { MASK } from "../values/secret-name";
import { type OAuth2, tokenIn, tokenRequest } from "./auth";

/** A token, and whether it was asked for just now; or why there is none. */
export type Token = { ok: true; token: string; isNew: boolean } | { ok: false; reason: string };

const MOST_TOKENS = 1_000;
/** The longest that an answer with a token is. */
const MOST_BYTES = 65_536;
/** After a failure nobody asks again for so long: whatever waits for the token would ask together. */
const FAILED_FOR_MS = 5_000;

type Kept = { ok: true; token: string } | { ok: false; reason: string };
type Asked = { answer: Promise<Kept>; until: Millis };

/**
 * The tokens of the endpoints that this isolate calls, in memory, by what they are asked for with. Each is kept until
 * shortly before its end, and asked for once at a time: whoever needs it meanwhile waits for the same answer.
 */
export class Tokens {
  private readonly kept = new Cache<string, Kept>(MOST_TOKENS);
  private readonly asked = new Map<string, Asked>();

  /**
   * @param organizationId whose it is: nobody gets a token by another's credentials.
   * @param refused a token that the receiver did not take: it is not given again.
   */
  async get(
    organizationId: number,
    auth: OAuth2,
    { egress, withinMs, refused }: { egress: EgressPolicy; withinMs: number; refused?: string },
  ): Promise<Token> {
    const key = `${organizationId} ${sha256(JSON.stringify(auth), "hex")}`;
    const now = Date.now();
    const known = this.kept.get(key, now);
    if (known !== undefined && !(known.ok && known.token === refused))
      return known.ok ? { ...known, isNew: false } : known;
    this.kept.delete(key);
    const before = this.asked.get(key);
    // One whose invocation was cut off is never answered.
    const isUnderWay = before !== undefined && before.until > now;
    const asked = isUnderWay ? before : this.ask(key, auth, { egress, withinMs }, now);
    const tooSlow = {
      ok: false,
      reason: `did not answer within ${Math.round(withinMs)} ms`,
    } as const;
    const answer = await Promise.race([asked.answer, scheduler.wait(withinMs).then(() => tooSlow)]);
    return answer.ok ? { ...answer, isNew: true } : answer;
  }

  private ask(
    key: string,
    auth: OAuth2,
    { egress, withinMs }: { egress: EgressPolicy; withinMs: number },
    now: Millis,
  ): Asked {
    const answer = this.answerTo(key, auth, egress, withinMs).finally(() => {
      if (this.asked.get(key) === asked) this.asked.delete(key);
    });
    const asked = { answer, until: now + withinMs };
    this.asked.set(key, asked);
    return asked;
  }

  private async answerTo(
    key: string,
    auth: OAuth2,
    egress: EgressPolicy,
    timeoutMs: number,
  ): Promise<Kept> {
    const askedAt = Date.now();
    const { tokenUrl: url, clientSecret } = auth;
    const outbound = {
      url,
      method: "POST",
      ...tokenRequest(auth),
      timeoutMs,
      mostBytes: MOST_BYTES,
    };
    const answer = await request(outbound, egress);
    const read =
      answer.kind === "answered"
        ? tokenIn(answer, askedAt)
        : ({ ok: false, reason: `could not be asked: ${answer.error}` } as const);
    const kept: Kept = read.ok
      ? { ok: true, token: read.token }
      : { ok: false, reason: read.reason.replaceAll(clientSecret, MASK) };
    this.kept.set(key, kept, read.ok ? read.until : Date.now() + FAILED_FOR_MS);
    return kept;
  }
}
