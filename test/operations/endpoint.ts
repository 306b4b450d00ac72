import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { NotificationView } from "../../src/stream/history";
import { ask } from "../accounts/ask";
import { eventually } from "../delivery/build";
import { firstOrganization, ownOrganization } from "../organization";
import { commit, event, target } from "../stream/build";

export type Shown = { id: string; [field: string]: any };

/** An address that nobody else is called at. */
export const address = (): string => `http://127.0.0.1:9/sending-${crypto.randomUUID()}`;

/** An organization, in which endpoints are made, changed and sent to. */
export async function newEndpoints() {
  await firstOrganization();
  const { id: organizationId, authorization } = await ownOrganization();
  const headers = { authorization };
  const call = (method: string, path: string, body?: unknown) =>
    ask(method, `/v1/destinations${path}`, { headers, body });
  const post = (wants: object) => call("POST", "", { url: address(), ...wants });
  const done = async (asked: ReturnType<typeof call>, expected: number): Promise<Shown> => {
    const { status, body } = await asked;
    expect({ status, error: body.error }).toEqual({ status: expected });
    return body;
  };
  return {
    organizationId,
    headers,
    call,
    post,
    made: (wants: object) => done(post(wants), 201),
    changed: (id: string, change: object) => done(call("PATCH", `/${id}`, change), 200),
    /** What its row holds, and all that the audit log has of it. */
    async kept(id: string): Promise<string> {
      const row = await env.DB.prepare("SELECT * FROM destinations WHERE id = ?").bind(id).first();
      const { body } = await ask("GET", "/v1/audit?limit=200", { headers });
      const deeds = body.items.filter((one: object) => JSON.stringify(one).includes(id));
      return JSON.stringify([row, deeds]);
    },
    /** Sends so many events to an endpoint. @returns its deliveries, once all of them are of a kind. */
    async send(
      destinationId: string,
      kind: string,
      events: readonly string[] = ["one"],
    ): Promise<[NotificationView, ...NotificationView[]]> {
      const source = `instance:${1e6 + Math.floor(Math.random() * 1e9)}`;
      const stream = env.EVENT_STREAMS.getByName(`${organizationId}/${source}`);
      await stream.commit(
        commit({
          targets: [target({ destinationId, most: 1 })],
          events: events.map((id) => event(id)),
        }),
      );
      return eventually(async () => {
        await runDurableObjectAlarm(stream);
        const views = await stream.notifications({ before: null, limit: 50, withEvents: false });
        const [first, ...rest] = views;
        const isDone = views.every(({ notification }) => notification.state.kind === kind);
        return isDone && first !== undefined && [first, ...rest];
      });
    },
  };
}

/** The fields that an answer tells are wrong. */
export const faultsOf = ({ error }: any): string[] =>
  (error.faults ?? [error]).map(({ field }: { field: string }) => field).toSorted();
