/** One line for each delivery that is not committed; never a body, a key or a header. `others` were turned away too. */
export function say(element: string, reason: string, instanceId?: number, others = 0): void {
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
