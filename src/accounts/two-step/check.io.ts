import { readConfig } from "../../config";
import { keyring, seal, unseal } from "../../db/sealed";
import type { Millis } from "../../values/instant";
import { countCode, forgiveCode } from "../sign-in.store";
import {
  bare,
  RECOVERY_CODE_BYTES,
  RECOVERY_CODES,
  recoveryCode,
  recoveryCodeHash,
} from "./recovery-codes";
import {
  beginTotp,
  confirmTotp,
  readTotp,
  replaceRecoveryCodes,
  type TotpRow,
  useRecoveryCode,
  useStep,
} from "./store";
import { newSecret, stepOf } from "./totp";

const SECRET_BYTES = 20;

const placeOf = (memberId: number): string => `member_totp ${memberId} secret`;
const ringOf = (env: Env) => keyring(readConfig(env).masterKeys);
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

export type CodeVerdict =
  | { kind: "right"; by: "app" | "recovery-code" }
  | { kind: "wrong" }
  | { kind: "limited"; until: Millis };

/**
 * Whether a code of the app, or a recovery code, is right for a member whose sign-in asks for one. Each is accepted
 * once; failures are counted as those of passwords are.
 */
export async function checkCode(
  env: Env,
  memberId: number,
  typed: string,
  now: Millis,
): Promise<CodeVerdict> {
  const until = await countCode(env.DB, memberId, now);
  if (until !== undefined) return { kind: "limited", until };
  const by = await fitting(env, memberId, typed, now);
  if (by === undefined) return { kind: "wrong" };
  await forgiveCode(env.DB, memberId);
  return { kind: "right", by };
}

async function fitting(env: Env, memberId: number, typed: string, now: Millis) {
  const code = bare(typed);
  const totp = await readTotp(env.DB, memberId);
  if (totp === undefined || totp.confirmedAt === null) return undefined;
  if (/^\d{6}$/.test(code)) {
    const step = stepOf(code, secretOf(env, totp), now);
    const isRight = step !== undefined && (await useStep(env.DB, memberId, step));
    return isRight ? "app" : undefined;
  }
  const isLeft = await useRecoveryCode(env.DB, memberId, recoveryCodeHash(memberId, code));
  return isLeft ? "recovery-code" : undefined;
}

/** The secret of a member's app in base32. */
export const secretOf = (env: Env, { memberId, sealedSecret }: TotpRow): string =>
  unseal(ringOf(env), sealedSecret, placeOf(memberId));

/** Makes a secret for an app to be set up. @returns false when one is in use. */
export function setUp(env: Env, memberId: number, now: Millis): Promise<boolean> {
  const sealed = seal(ringOf(env), newSecret(random(SECRET_BYTES)), placeOf(memberId));
  return beginTotp(env.DB, memberId, sealed, now);
}

/** Asks for codes from now on, when this one is of the app that was set up. @returns recovery codes, told this once; undefined when it isn't. */
export async function confirm(
  env: Env,
  memberId: number,
  typed: string,
  now: Millis,
): Promise<string[] | undefined> {
  const totp = await readTotp(env.DB, memberId);
  if (totp === undefined) return undefined;
  const step = stepOf(bare(typed), secretOf(env, totp), now);
  if (step === undefined || !(await confirmTotp(env.DB, totp, step, now))) return undefined;
  return renewRecoveryCodes(env, memberId);
}

/** Makes new recovery codes; those of before are worth nothing any more. */
export async function renewRecoveryCodes(env: Env, memberId: number): Promise<string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, () =>
    recoveryCode(random(RECOVERY_CODE_BYTES)),
  );
  await replaceRecoveryCodes(
    env.DB,
    memberId,
    codes.map((code) => recoveryCodeHash(memberId, code)),
  );
  return codes;
}
