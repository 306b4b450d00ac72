import { parsedJson } from "../values/json";
import { isObject } from "../values/record";
import { parseRsql } from "./rsql";

/** What agents ask beside resources: tokens and teams (reference resource-api.md §14). */

/** A team as agents read it. An organization is one team, the default. */
export type Team = { guid: string; name: string; default: boolean };

/** The teams that a query like `name=="Default"` finds; without one, all. */
export function teamsNamed(
  teams: readonly Team[],
  query: string | undefined,
): { ok: true; teams: readonly Team[] } | { ok: false; message: string } {
  if (query === undefined || query === "") return { ok: true, teams };
  const parsed = parseRsql(query);
  if (!parsed.ok) return parsed;
  const { expression } = parsed;
  const [value] = expression.kind === "test" ? expression.values : [];
  if (
    expression.kind !== "test" ||
    expression.property !== "name" ||
    (expression.operator !== "like" && expression.operator !== "equal") ||
    value === undefined
  )
    return { ok: false, message: `Invalid 'query' parameter '${query}'. Supported: name=="…"` };
  const wanted = value.text.toLowerCase();
  return { ok: true, teams: teams.filter(({ name }) => name.toLowerCase() === wanted) };
}

/**
 * The API key in a request for a token, `grant_type=client_credentials`: its `client_secret`, or the client id that an
 * agent's `client_assertion` names as its subject. The assertion's signature adds nothing to a key and is not looked at.
 */
export function tokenRequestOf(
  form: URLSearchParams,
): { ok: true; key: string } | { ok: false; message: string; field?: string } {
  const grant = form.get("grant_type");
  if (grant !== "client_credentials")
    return {
      ok: false,
      message: `Expected grant_type 'client_credentials', got '${grant ?? ""}'`,
      field: "grant_type",
    };
  const key = form.get("client_secret") ?? subjectOf(form.get("client_assertion") ?? "");
  return key === undefined || key === ""
    ? {
        ok: false,
        message: "Expected an API key as 'client_secret' or as the subject of 'client_assertion'",
      }
    : { ok: true, key };
}

/** The subject of a JWT. */
function subjectOf(token: string): string | undefined {
  const text = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
  const claims = parsedJson(text)?.value;
  return isObject(claims) && typeof claims["sub"] === "string" ? claims["sub"] : undefined;
}
