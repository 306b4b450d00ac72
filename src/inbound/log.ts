/** One line for each delivery that is not committed; never a body, a key or a header. */
export function say(element: string, reason: string, instanceId?: number): void {
  console.warn(
    JSON.stringify({
      at: "inbound",
      element: element.slice(0, 64),
      reason,
      ...(instanceId === undefined ? {} : { instanceId }),
    }),
  );
}
