import { createMiddleware } from "hono/factory";
import { Misconfigured, readConfig } from "../config";
import { lackingBindings, type Lack, sayLacks } from "./required";
import { Refusal } from "./refusal";
import { answerErrors } from "./surface";

const known = new WeakMap<object, Lack[]>();

/** All that an environment lacks: bindings, and settings that are absent or malformed. */
export function lacksOf(env: object): Lack[] {
  const cached = known.get(env);
  if (cached !== undefined) return cached;
  const lacks = [...lackingBindings(env), ...settingsLacking(env)];
  known.set(env, lacks);
  return lacks;
}

function settingsLacking(env: object): readonly Lack[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof Misconfigured) return error.lacks;
    throw error;
  }
}

const PREFIXES = [
  ["/elements/", "elements"],
  ["/v1/", "v1"],
  ["/apis/", "apis"],
  ["/events/", "apis"],
] as const;

/** Answers 503 at every door, in its own format, while something that all of them need is lacking. */
export const requireAll = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  const lacks = lacksOf(c.env);
  if (lacks.length === 0) return next();
  if (/^\/($|console|portal)/.test(c.req.path))
    return c.text(lacks.map(({ name, reason }) => `${name}: ${reason}\n`).join(""), 503);
  const surface = PREFIXES.find(([prefix]) => c.req.path.startsWith(prefix))?.[1] ?? "app";
  return answerErrors(surface)(new Refusal({ kind: "unavailable", message: sayLacks(lacks) }), c);
});
