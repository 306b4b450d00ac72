/** Who is signed in, as the signed cookie says it. */
export type Session = {
  memberId: number;
  /** Epoch ms. */
  until: number;
  /** Changes with the password, so that a new password ends every session. */
  mark: string;
};

/** A session lasts this long, in milliseconds. */
export const SESSION_MS = 12 * 3_600_000;

export const writeSession = ({ memberId, until, mark }: Session): string =>
  `${memberId}.${until}.${mark}`;

/** @returns undefined when `text` is no session, or one that is over. */
export function readSession(text: string, now: number): Session | undefined {
  const match = /^([1-9]\d{0,15})\.(\d{1,15})\.([\w-]{16})$/.exec(text);
  if (match === null) return undefined;
  const [, memberId, until, mark = ""] = match;
  return Number(until) > now
    ? { memberId: Number(memberId), until: Number(until), mark }
    : undefined;
}

/** Where somebody goes after signing in: a page of the console, whatever the address asked for. */
export function nextPage(asked: string | undefined): string {
  return asked !== undefined && /^\/console(\/[\w~%-]+)*$/.test(asked) ? asked : "/console";
}
