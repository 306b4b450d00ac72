import { Secret } from "otpauth";
import { hashSecret } from "../secret";

/** So many are made at once. */
export const RECOVERY_CODES = 10;
/** 80 bits: nobody finds a code from its digest by trying. */
export const RECOVERY_CODE_BYTES = 10;

/** A code to write down: `kzqw-6ylt-mnsx-g33s`. */
export const recoveryCode = (random: Uint8Array): string =>
  new Secret({ buffer: new Uint8Array(random).buffer }).base32
    .toLowerCase()
    .match(/.{4}/g)
    ?.join("-") ?? "";

/** What is stored of a code, however it is typed: capital letters, blanks and dashes make no difference. */
export const recoveryCodeHash = (memberId: number, typed: string): string =>
  hashSecret(`${memberId} ${bare(typed).toLowerCase()}`);

/** A code without the blanks and dashes that people type. */
export const bare = (typed: string): string => typed.replaceAll(/[\s-]/g, "");
