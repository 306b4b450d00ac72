/** A destination's policy in the words of its instance's configuration; `null` takes a key away. */
export type PolicyWords = {
  rate?: number | null | undefined;
  ordering?: string | undefined;
  deadHead?: string | undefined;
  retrySchedule?: number[] | null | undefined;
  filter?: string | null | undefined;
  transform?: string | null | undefined;
  signingSecret?: string | undefined;
};

/** Configuration keys that say the same as a change of the destination. */
export function configurationOfPolicy(policy: PolicyWords): Record<string, string | null> {
  const said: Record<string, string | null | undefined> = {
    "event.notification.rate": policy.rate === null ? null : policy.rate?.toString(),
    "event.notification.ordering": policy.ordering,
    "event.notification.ordering.dead": policy.deadHead,
    "event.notification.retry.schedule":
      policy.retrySchedule === null ? null : policy.retrySchedule?.join(","),
    "event.notification.filter": policy.filter,
    "event.notification.transform": policy.transform,
    "event.notification.webhook.secret": policy.signingSecret,
  };
  return Object.fromEntries(
    Object.entries(said).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
