import * as z from "zod";

export type { Brand } from "../../db/accounts";

const MOST_LOGO = 16_384;
const MOST_LOGO_URL = 2_048;
const NAME = "Expected a name of at most 100 characters";
const LOGO = `Expected an https URL, or data:image/…;base64,… of at most ${MOST_LOGO} characters`;
const ACCENT = "Expected a colour: #0b7a75";

/** A page may load it, and nothing else from there: it becomes part of a `Content-Security-Policy`. */
function isLogo(text: string): boolean {
  if (/^data:image\/(png|jpeg|gif|webp|svg\+xml);base64,[\w+/]+=*$/.test(text))
    return text.length <= MOST_LOGO;
  if (text.length > MOST_LOGO_URL || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === "https:" && username === "" && password === "";
}

/** What may be said of how pages for a tenant's people look; null takes away what was said. */
export const brandChange = z
  .strictObject({
    name: z.string(NAME).trim().min(1, NAME).max(100, NAME).nullable(),
    logo: z.string(LOGO).refine(isLogo, LOGO).nullable(),
    accent: z
      .string(ACCENT)
      .regex(/^#[0-9a-f]{6}$/i, ACCENT)
      .nullable(),
    scheme: z.enum(["light", "dark"], "Expected light or dark").nullable(),
  })
  .partial();
