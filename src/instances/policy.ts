/** Changes of a destination's policy; `null` removes a value. */
export type PolicyChanges = {
  rate?: number | null | undefined;
  ordering?: string | undefined;
  deadHead?: string | undefined;
  deactivate?: string | number | null | undefined;
  retrySchedule?: number[] | null | undefined;
  filter?: string | null | undefined;
  transform?: string | null | undefined;
  signingSecret?: string | undefined;
};

/** The same changes as configuration values of the instance that the destination belongs to. */
export function configurationOfPolicy(policy: PolicyChanges): Record<string, string | null> {
  const values: Record<string, string | null | undefined> = {
    "event.notification.rate": policy.rate === null ? null : policy.rate?.toString(),
    "event.notification.ordering": policy.ordering,
    "event.notification.ordering.dead": policy.deadHead,
    "event.notification.deactivate":
      policy.deactivate === null ? null : policy.deactivate?.toString(),
    "event.notification.retry.schedule":
      policy.retrySchedule === null ? null : policy.retrySchedule?.join(","),
    "event.notification.filter": policy.filter,
    "event.notification.transform": policy.transform,
    "event.notification.webhook.secret": policy.signingSecret,
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
