/** The tag of the connector surface that puts an instance into a tenant: `tenant:acme`. */
const TAG = "tenant:";

/** The tenants that tags name: an instance belongs to one at most. */
export const tenantsIn = (tags: readonly string[]): string[] => [
  ...new Set(tags.flatMap((tag) => (tag.startsWith(TAG) ? tag.slice(TAG.length) : []))),
];

export const tenantTag = (id: string): string => `${TAG}${id}`;
