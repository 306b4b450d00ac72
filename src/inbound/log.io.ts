/**
 * Logs in one line why a delivery, or a part of it, was not committed; never its body, a key or a header. `others` is
 * how many more instances it was refused for.
 */
export function logUncommitted(
  element: string,
  reason: string,
  instanceId?: number,
  others = 0,
): void {
  console.warn(
    JSON.stringify({
      at: "inbound",
      element: element.slice(0, 64),
      reason,
      ...(instanceId === undefined ? {} : { instanceId }),
      ...(others === 0 ? {} : { others }),
    }),
  );
}
