import type { Arena } from "./world.ts";

/** What a phase found out. */
export type Outcome = {
  /** Rows of a table for people. */
  figures: Record<string, string | number>[];
  /** What must not be, one sentence each. */
  holes: string[];
};

export type Phase = (arena: Arena) => Promise<Outcome>;

/** `holes` as short as a terminal can show. */
export const short = (text: string, most = 160): string =>
  text.length > most ? `${text.slice(0, most)}… (${text.length})` : text;
