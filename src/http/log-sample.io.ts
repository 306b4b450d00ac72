/**
 * Does `work`, and logs a line of it for a share of the invocations: what it was, how long it took, and whatever
 * `outcome` tells. Nothing is logged of the others: a line costs more than most of what the Worker does.
 *
 * @param share 0 to 1
 */
export async function logSample<T>(
  share: number,
  what: Readonly<Record<string, unknown>>,
  work: () => Promise<T>,
  outcome: () => Readonly<Record<string, unknown>> = () => ({}),
): Promise<T> {
  if (share === 0 || Math.random() >= share) return work();
  const began = Date.now();
  try {
    return await work();
  } finally {
    console.info(JSON.stringify({ ...what, ms: Date.now() - began, ...outcome() }));
  }
}
