/** One endpoint object per organization and callback origin and path: queries don't tell receivers apart. */
export function endpointName(organizationId: number, url: string): string {
  const { origin, pathname } = new URL(url);
  return `${organizationId}/${origin}${pathname}`;
}
