import { nextPage } from "../session/next-page";

export const LIST = "/console/destinations";
export const addressOf = (id: string): string => `${LIST}/${encodeURIComponent(id)}`;

/** Where somebody goes on who did something to a destination: to its page, or wherever the form came from. */
export function backOf(form: URLSearchParams, id: string): string {
  const next = form.get("next");
  if (next === null) return LIST;
  return next === addressOf(id) ? next : nextPage(next);
}
