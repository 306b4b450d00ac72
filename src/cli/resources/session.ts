import { createInterface } from "node:readline/promises";
import { Api } from "./api.ts";
import { connection } from "./login.ts";
import { type Definition, discover } from "./definitions.ts";

/** What a command works with: the server, and the kinds of resources that it has. */
export type Session = { api: Api; definitions: Definition[] };

export async function openSession(): Promise<Session> {
  const api = new Api(connection());
  return { api, definitions: await discover(api) };
}

/** Asks on a terminal; where nobody can answer, the answer is yes. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
