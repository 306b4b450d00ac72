import { isCommon } from "./common";

const LEAST_CHARACTERS = 8;
/** The password digest is slow on purpose; a longer text would make it slower still. */
const MOST_BYTES = 256;

/**
 * What a new password lacks, to be read after "Expected"; undefined when it will do (NIST SP 800-63B: long enough,
 * not a common one, and no rule on what characters it has to have). Counted as it is digested: in NFKC, by code points.
 */
export function passwordNeeds(password: string): string | undefined {
  if (password.includes("\0")) return "text without NUL";
  const text = password.normalize("NFKC");
  if (Array.from(text).length < LEAST_CHARACTERS) return `at least ${LEAST_CHARACTERS} characters`;
  if (Buffer.byteLength(text) > MOST_BYTES) return `at most ${MOST_BYTES} bytes`;
  if (text.trim() === "") return "more than blanks";
  if (isCommon(text.toLowerCase())) return "a password that is not among the 10,000 commonest";
  return undefined;
}
