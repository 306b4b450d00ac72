import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { tickFlows } from "../../src/flows/tick.cron";
import { flowDoors } from "../../src/flows/doors";
import { ask, foundation, madeUser, newUser, type SignedIn } from "../accounts/ask";
import { step, trigger } from "./build";

beforeAll(foundation);

const INSTANCES = 150;
const shared = [{ domain: "yourapp.com", permissions: ["read", "start", "stop"] }];
const flowTo = (url: string) => ({ T: trigger(), P: step({ url }) });

/** A template with one running and one stopped instance, and many more like the latter. */
async function family(designer: SignedIn, user: SignedIn) {
  const draft = {
    name: "T",
    flow: flowTo("https://a.example/v1"),
    type: "integration-template",
    sharedWith: shared,
  };
  const made = await ask("POST", "/flows", { token: designer.token, body: draft });
  const template: string = made.body.flowId;
  const clone = async (): Promise<string> => {
    const body = { isTemplateInstance: true };
    const cloned = await ask("POST", `/flows/${template}/clone`, { token: user.token, body });
    return cloned.body.cloneId;
  };
  const [running, stopped] = [await clone(), await clone()];
  const path = `/flows/${running}/coordinator`;
  await ask("POST", path, { token: user.token, body: { command: "start" } });
  await env.DB.batch(
    Array.from({ length: INSTANCES - 2 }, (_, n) =>
      env.DB.prepare(
        `INSERT INTO flows (id, organization_id, user_id, name, type, flow, origin_flow_id, origin_flow, component_id_map, btime, mtime)
         SELECT ?, organization_id, user_id, name, type, flow, origin_flow_id, origin_flow, component_id_map, btime, mtime
         FROM flows WHERE id = ?`,
      ).bind(`${template}-${n}`, stopped),
    ),
  );
  const change = { flow: flowTo("https://a.example/v2") };
  await ask("PUT", `/flows/${template}`, { token: designer.token, body: change });
  return { template, running, stopped };
}

const all = async (template: string) =>
  (
    await env.DB.prepare(
      "SELECT id, flow, stage, started, revision FROM flows WHERE origin_flow_id = ? ORDER BY id",
    )
      .bind(template)
      .all<{ id: string; flow: string; stage: string; started: number; revision: number }>()
  ).results;
const ticketRow = (id: string) =>
  env.DB.prepare("SELECT * FROM flow_tickets WHERE id = ?").bind(id).first<any>();
const tick = () => tickFlows(Date.now(), { ...flowDoors(env), ticks: env.TICKS });

describe("an update of all instances of a template", () => {
  it("goes on by itself to the end, and what a crash makes it do again changes nothing", async () => {
    const [designer, user] = [await newUser(), await madeUser()];
    const { template, running, stopped } = await family(designer, user);
    const path = `/integrations/${template}/update-integration-instances`;
    const { ticket } = (await ask("POST", path, { token: designer.token, body: {} })).body;
    const begun = await ticketRow(ticket);
    expect(begun).toMatchObject({ status: "running", steps_total: INSTANCES });
    expect(begun.steps_done).toBeGreaterThan(0);
    for (let ticks = 0; ticks < 20; ticks += 1) {
      await tick();
      const { status } = await ticketRow(ticket);
      if (status !== "running") break;
    }
    expect(await ticketRow(ticket)).toMatchObject({ status: "completed", steps_done: INSTANCES });
    const done = await all(template);
    expect(done).toHaveLength(INSTANCES);
    expect(done.filter(({ flow }) => !flow.includes("https://a.example/v2"))).toEqual([]);
    expect(done.map(({ revision }) => revision)).toEqual(done.map(() => 2));
    expect(done.filter(({ stage }) => stage === "running").map(({ id }) => id)).toEqual([running]);

    // Beside one that nobody can read: it holds up no other.
    await env.DB.prepare(
      "INSERT INTO flow_tickets SELECT 'unreadable', user_id, template_id, drop_runs, 'running', steps_total, 0, '', '1', 0 FROM flow_tickets WHERE id = ?",
    )
      .bind(ticket)
      .run();
    await env.DB.prepare(
      "UPDATE flow_tickets SET status = 'running', last_id = '', steps_done = 0 WHERE id = ?",
    )
      .bind(ticket)
      .run();
    await Promise.all([tick(), tick()]);
    for (let ticks = 0; ticks < 5; ticks += 1) await tick();
    expect(await ticketRow(ticket)).toMatchObject({ status: "completed", steps_done: INSTANCES });
    expect(await all(template)).toEqual(done);
    await env.DB.prepare("DELETE FROM flow_tickets WHERE id = 'unreadable'").run();
    expect((await ask("GET", `/flows/${stopped}`, { token: user.token })).body.stage).toBe(
      "stopped",
    );
  });

  it("drops what is under way when told to, once, and tells which instances could not follow", async () => {
    const [designer, user] = [await newUser(), await madeUser()];
    const { template, running } = await family(designer, user);
    const before = (await all(template)).find(({ id }) => id === running);
    const T = { ...trigger(), config: { properties: {} } };
    await ask("PUT", `/flows/${template}`, { token: designer.token, body: { flow: { T } } });
    const path = `/integrations/${template}/update-integration-instances`;
    const body = { inProgressData: "delete" };
    const update = async () => {
      const { ticket } = (await ask("POST", path, { token: designer.token, body })).body;
      const status = async () =>
        (await ask("GET", `/integrations/status/${ticket}`, { token: designer.token })).body;
      await expect.poll(async () => (await status()).status).not.toBe("running");
      return status();
    };
    expect(await update()).toMatchObject({
      status: "failed",
      stepsDone: INSTANCES,
      errors: [{ flowId: running, message: expect.stringContaining("config.properties.event") }],
    });
    const good = { flow: flowTo("https://a.example/v3") };
    await ask("PUT", `/flows/${template}`, { token: designer.token, body: good });
    expect(await update()).toMatchObject({ status: "completed", errors: [] });
    const after = (await all(template)).find(({ id }) => id === running);
    expect(after?.started).toBeGreaterThan(before?.started ?? Infinity);
    expect(after?.flow).toContain("https://a.example/v3");
  });
});
