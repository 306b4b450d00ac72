/** Where somebody goes after signing in: a page of the console, whatever the address asked for. */
export function nextPage(asked: string | undefined): string {
  return asked !== undefined && /^\/console(\/[\w~%-]+)*$/.test(asked) ? asked : "/console";
}
