import * as z from "zod";
import { MASK } from "../../values/secret-name";
import { hasToken } from "../../values/secret-text";
import { keyOf } from "../../values/signature/key";
import { type SignatureRule, signaturesSchema } from "../../values/signature/rule";
import type { Keys } from "../../values/signature/verify";

/**
 * A webhook trigger may ask its callers for a signature: `config.properties.signature` is what a connector's definition
 * says of one (`values/signature/rule.ts`), with the `secret` that it is checked with (reference app-events-api.md §8).
 */
export type WantedSignature = {
  rules: readonly SignatureRule[];
  keys: Keys;
  /** The header with the call's id, if the signature covers one: nobody can send such a call under another id. */
  idHeader: string | undefined;
};

const MOST_CHARACTERS = 8_192;
const secret = z
  .string("Expected a text")
  .min(1, "Expected a text that is not empty")
  .max(MOST_CHARACTERS, `Expected at most ${MOST_CHARACTERS} characters`);
const secrets = z.looseObject(
  { secret, previousSecret: secret.optional() },
  "Expected an object with a secret",
);

type Read =
  | { ok: true; wanted: WantedSignature }
  | { ok: false; fault: [field: string, message: string] };

/** Reads the property; its secrets are not sealed any more. */
export function readSignature(property: unknown): Read {
  const given = secrets.safeParse(property);
  if (!given.success) return { ok: false, fault: faultIn(given.error) };
  const { secret: primary, previousSecret: secondary = null, ...rule } = given.data;
  const rules = signaturesSchema.safeParse([rule]);
  if (!rules.success) return { ok: false, fault: faultIn(rules.error) };
  const idHeader = rules.data
    .map(({ content }) => /\$\{header:([a-z0-9-]+)\}/.exec(content)?.[1])
    .find((name) => name !== undefined);
  const keys = { primary, secondary, algorithm: null };
  return { ok: true, wanted: { rules: rules.data, keys, idHeader } };
}

/**
 * What is wrong with the property, by its member. Secrets that are sealed already were looked at when they came; a mask
 * is right as long as what it stands for may be stored.
 */
export function signatureFaults(
  property: unknown,
  mayMask: boolean,
): [field: string, message: string][] {
  if (property === undefined || property === null) return [];
  const read = readSignature(property);
  if (!read.ok) return [read.fault];
  const { rules, keys } = read.wanted;
  const given: [string, string | null][] = [
    ["secret", keys.primary],
    ["previousSecret", keys.secondary],
  ];
  return given.flatMap(([name, text]): [string, string][] => {
    if (text === null || hasToken(text)) return [];
    if (text === MASK)
      return mayMask ? [] : [[name, `'${MASK}' stands for a value that isn't stored`]];
    const isKey = !text.includes("{{{") && rules.some((rule) => keyOf(rule, text) !== undefined);
    return isKey ? [] : [[name, "Expected a key of the signature's scheme"]];
  });
}

function faultIn(error: z.ZodError): [string, string] {
  const [issue] = error.issues;
  const path = (issue?.path ?? []).filter((part) => typeof part === "string");
  return [path.join("."), issue?.message ?? "Invalid"];
}
