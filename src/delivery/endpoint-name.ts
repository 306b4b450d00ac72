/**
 * One endpoint object per organization and callback origin and path: URLs that differ only in their query are one
 * receiver.
 */
export function endpointName(organizationId: number, url: string): string {
  const { origin, pathname } = new URL(url);
  return `${organizationId}/${origin}${pathname}`;
}
