/** Callbacks that go to this platform's own inbound addresses: they never leave it. */
export const HOPS_HEADER = "tributary-hops";
/** A notification that came through more of our own instances than this goes round in a circle. */
export const MOST_HOPS = 5;

/** Whether a callback URL is an inbound address of this deployment (reference connector-events-api.md §4). */
export function isOwnAddress(url: string, publicUrl: string | undefined): boolean {
  if (publicUrl === undefined || !URL.canParse(url)) return false;
  const { origin, pathname } = new URL(url);
  return origin === new URL(publicUrl).origin && pathname.startsWith("/elements/api-v2/events/");
}

/** How many of our own instances a delivery came through already. */
export function hopsOf(headers: { get(name: string): string | null }): number {
  const text = headers.get(HOPS_HEADER) ?? "";
  return /^\d{1,3}$/.test(text) ? Number(text) : 0;
}
