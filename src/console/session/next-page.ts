/** A page of the console and what it shows, by characters that need no escape in a `Location`. */
const PAGE = /^\/console(\/[\w~%-]+)*(\?[\w~%&=+.:*-]{0,1000})?$/;

/** Where somebody goes after signing in: a page of the console, whatever else is asked for. */
export function nextPage(path: string | undefined): string {
  return path !== undefined && PAGE.test(path) ? path : "/console";
}
