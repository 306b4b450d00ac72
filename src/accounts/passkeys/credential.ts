import * as z from "zod";

/** What a browser says of a key, as the script of our pages writes it down: bytes are base64url. */

const MOST_CHARACTERS = 8_000;
const bytes = z
  .string()
  .min(1)
  .max(MOST_CHARACTERS)
  .regex(/^[\w-]+$/);

const created = z.object({
  id: bytes,
  response: z.object({ clientDataJSON: bytes, attestationObject: bytes }),
});
const asserted = z.object({
  id: bytes,
  response: z.object({
    clientDataJSON: bytes,
    authenticatorData: bytes,
    signature: bytes,
    userHandle: bytes.nullish(),
  }),
});
export type Created = z.infer<typeof created>;
export type Asserted = z.infer<typeof asserted>;

/** A new key; undefined for what is none. */
export const readCreated = (text: string): Created | undefined => read(text, created);

/** A use of a key; undefined for what is none. */
export const readAsserted = (text: string): Asserted | undefined => read(text, asserted);

function read<T>(text: string, schema: z.ZodType<T>): T | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
