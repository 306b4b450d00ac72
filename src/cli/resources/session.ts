import { createInterface } from "node:readline/promises";
import type { Api } from "./api.ts";
import { connection } from "./login.ts";
import { type Definition, discover } from "./definitions.ts";
import { OPERATIONS } from "./operations.ts";
import { WholeApi } from "./whole-api.ts";

/** What a command works with: the server, and the kinds of resources that it has. */
export type Session = { api: Api; definitions: Definition[] };

/** @param kinds Of what it is about: the server is asked for its kinds only where one of these isn't known without it. */
export async function openSession(kinds: readonly unknown[]): Promise<Session> {
  const api = new WholeApi(connection());
  const isKnown = (name: unknown): boolean =>
    OPERATIONS.some(({ kind, words }) => name === kind || words.includes(String(name)));
  const own = kinds.length > 0 && kinds.every(isKnown) ? [] : await discover(api);
  return { api, definitions: [...own, ...OPERATIONS] };
}

/** Asks on a terminal; where nobody can answer, the answer is yes. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
