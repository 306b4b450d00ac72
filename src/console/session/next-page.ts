/** Where somebody goes after signing in: a page of the console, whatever else the query names. */
export function nextPage(path: string | undefined): string {
  return path !== undefined && /^\/console(\/[\w~%-]+)*$/.test(path) ? path : "/console";
}
