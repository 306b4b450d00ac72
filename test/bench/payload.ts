/** What both Workers send for an event: some 250 bytes that tell its id. */
export const payload = (id: string): string =>
  JSON.stringify({ id, kind: "bench", note: "x".repeat(200) });
