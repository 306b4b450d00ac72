import type { Brand } from "../../accounts/tenants/brand";
import { DARK, LIGHT } from "../style";
import { readableOn, textOn } from "./colour";

/** What stands behind text of the accent's colour in a scheme. */
const backgroundsOf = (scheme: string): string[] =>
  [...scheme.matchAll(/--(?:back|card):(#[0-9a-f]{3,6})/g)].map(([, colour = ""]) => colour);

function withAccent(scheme: string, accent: string | null | undefined): string {
  if (accent === undefined || accent === null) return scheme;
  const colour = readableOn(accent, backgroundsOf(scheme));
  return scheme
    .replace(/--accent:#\w+/, `--accent:${colour}`)
    .replace(/--on:#\w+/, `--on:${textOn(colour)}`);
}

/** CSS that lays a brand's colours over those of the stylesheet. */
export function brandStyle({ accent, scheme }: Brand): string {
  const [light, dark] = [withAccent(LIGHT, accent), withAccent(DARK, accent)];
  const [usual, atNight] = [scheme === "dark" ? dark : light, scheme === "light" ? light : dark];
  return `:root{${usual}}@media(prefers-color-scheme:dark){:root{${atNight}}}`;
}

/** What a `Content-Security-Policy` has to allow for a logo to be seen, and nothing else. */
export function logoSource(logo: string): string {
  const { protocol, origin, pathname } = new URL(logo);
  if (protocol === "data:") return "data:";
  return `${origin}${pathname}`.replaceAll(";", "%3B").replaceAll(",", "%2C");
}
