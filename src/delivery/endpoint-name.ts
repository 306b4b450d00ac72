/**
 * One endpoint object per organization and callback origin and path: URLs that differ only in their query are one
 * receiver. `stepId`: the destination of a flow's step whose address each run renders. Its path may hold an id and be
 * another every time, so it has one endpoint per step and origin: else no circuit would see two calls, and each run
 * would leave an object.
 */
export function endpointName(organizationId: number, url: string, stepId?: string): string {
  const { origin, pathname } = new URL(url);
  // No path has a space.
  return `${organizationId}/${origin}${stepId === undefined ? pathname : ` ${stepId}`}`;
}
