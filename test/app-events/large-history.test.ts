import { beforeAll, expect, it } from "vitest";
import { ask, foundation, newUser } from "../accounts/ask";

beforeAll(foundation);

it("a page of large app events ends early, and its next page goes on where it ended", async () => {
  const { token } = await newUser();
  const sent: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    const path = "/plugins/appmixer/utils/appevents/events/large";
    const body = { count, text: "x".repeat(1_000_000) };
    sent.unshift((await ask("POST", path, { token, body })).headers.get("x-event-id") ?? "");
  }
  const told: string[] = [];
  const sizes: number[] = [];
  for (let next: string | undefined = ""; next !== undefined;) {
    const { status, body } = await ask("GET", `/app-events${next}`, { token });
    expect(status).toBe(200);
    told.push(...body.items.map(({ eventId, id }: Record<string, string>) => eventId ?? id));
    sizes.push(body.items.length);
    next = body.next === undefined ? undefined : `?cursor=${body.next}`;
  }
  expect(told).toEqual(sent);
  expect(Math.max(...sizes)).toBeLessThan(5);
});
