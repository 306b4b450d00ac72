import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ask, foundation, newUser, type SignedIn } from "../accounts/ask";
import { eventually } from "../delivery/build";
import { step, trigger } from "./build";

/** Credentials in flows are sealed in the database, masked where they are shown, and sent as they were given. */

beforeAll(foundation);

const M = "********";
const URL_OF = (path: string): string => `http://127.0.0.1:9/${path}`;
let names = 0;
const fresh = (): string => `flow-secret-${(names += 1)}`;

const rows = async (): Promise<string> =>
  JSON.stringify((await env.DB.prepare("SELECT * FROM flows").all()).results);

/** A flow whose step has credentials in each place that may hold them. */
function described(mark: string, event: string, change: object = {}) {
  const lambda = {
    url: URL_OF(`${mark}?token=query-${mark}&n=1`),
    headers: {
      Authorization: `Bearer named-${mark}`,
      "X-As": `Basic used-${mark}`,
      "X-Plain": "p",
    },
    body: { a: 1 },
    ...change,
  };
  return { T: trigger(event), P: step(lambda) };
}

const lambdaOf = (flow: any): any => flow.P.config.transform.in.T.out.lambda;

const make = async ({ token }: SignedIn, flow: object): Promise<string> =>
  (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body.flowId;
const read = async ({ token }: SignedIn, id: string) =>
  (await ask("GET", `/flows/${id}`, { token })).body;
const start = ({ token }: SignedIn, id: string) =>
  ask("POST", `/flows/${id}/coordinator`, { token, body: { command: "start" } });

/** What the step sends once its event came. */
async function sent({ token }: SignedIn, mark: string, event: string): Promise<Request> {
  await ask("POST", `/plugins/appmixer/utils/appevents/events/${event}`, { token, body: {} });
  return eventually(async () => {
    const calls = vi
      .mocked(fetch)
      .mock.calls.map(([input, init]) => new Request(input as URL, init));
    return calls.findLast(({ url }) => url.includes(`/${mark}?`));
  });
}

describe("a flow's credentials", () => {
  it.each([
    ["an object", (headers: object) => headers],
    ["JSON", (headers: object) => JSON.stringify(headers)],
    [
      "JSON with a placeholder",
      (headers: object) => `{"X-Id": {{{$.T.out.data.id}}}, ${JSON.stringify(headers).slice(1)}`,
    ],
  ])("in headers that are %s are sealed, masked and sent", async (_, written) => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Response.json({})),
    );
    const user = await newUser();
    const [mark, event] = [fresh(), fresh()];
    const headers = {
      Authorization: `Bearer named-${mark}`,
      "X-As": `Basic used-${mark}`,
      "X-Plain": "p",
    };
    const id = await make(user, described(mark, event, { headers: written(headers) }));
    for (const secret of ["query", "named", "used"])
      expect(await rows()).not.toContain(`${secret}-${mark}`);
    const shown = await read(user, id);
    expect(lambdaOf(shown.flow).url).toBe(URL_OF(`${mark}?token=${M}&n=1`));
    expect(lambdaOf(shown.flow).headers).toEqual(
      written({ Authorization: M, "X-As": M, "X-Plain": "p" }),
    );
    expect(JSON.stringify((await ask("GET", "/flows", user)).body)).not.toContain(`-${mark}`);
    expect((await start(user, id)).status).toBe(200);
    await ask("POST", `/plugins/appmixer/utils/appevents/events/${event}`, {
      token: user.token,
      body: { id: 7 },
    });
    const request = await sent(user, mark, event);
    expect(request.url).toBe(URL_OF(`${mark}?token=query-${mark}&n=1`));
    expect(request.headers.get("authorization")).toBe(`Bearer named-${mark}`);
    expect(request.headers.get("x-as")).toBe(`Basic used-${mark}`);
    vi.unstubAllGlobals();
  });

  it("are kept by a client that reads a flow and puts it back, changed elsewhere", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Response.json({})),
    );
    const user = await newUser();
    const { token } = user;
    const [mark, event] = [fresh(), fresh()];
    const id = await make(user, described(mark, event));
    const { flow } = await read(user, id);
    lambdaOf(flow).headers["X-Plain"] = "changed";
    const put = await ask("PUT", `/flows/${id}`, { token, body: { flow } });
    expect(put.status).toBe(200);
    expect((await read(user, id)).flow).toEqual(flow);
    await start(user, id);
    const request = await sent(user, mark, event);
    expect(request.headers.get("authorization")).toBe(`Bearer named-${mark}`);
    expect(request.headers.get("x-plain")).toBe("changed");
    expect(request.url).toContain(`query-${mark}`);
    vi.unstubAllGlobals();
  });

  it("go with a copy, and with what its template is updated to", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Response.json({})),
    );
    const user = await newUser();
    const { token } = user;
    const [mark, event] = [fresh(), fresh()];
    const template = await make(user, described(mark, event));
    const body = { isTemplateInstance: true };
    const { cloneId } = (await ask("POST", `/flows/${template}/clone`, { token, body })).body;
    expect(await rows()).not.toContain(`named-${mark}`);
    const changed = (await read(user, template)).flow;
    lambdaOf(changed).headers["X-Api-Key"] = `new-${mark}`;
    await ask("PUT", `/flows/${template}`, { token, body: { flow: changed } });
    await ask("POST", `/integrations/${template}/update-integration-instances`, {
      token,
      body: {},
    });
    expect((await start(user, cloneId)).status).toBe(200);
    const request = await sent(user, mark, event);
    expect(request.headers.get("authorization")).toBe(`Bearer named-${mark}`);
    expect(request.headers.get("x-api-key")).toBe(`new-${mark}`);
    expect(await rows()).not.toContain(`new-${mark}`);
    vi.unstubAllGlobals();
  });

  it("that an earlier version stored in clear are masked, sent, and sealed with the next change", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Response.json({})),
    );
    const user = await newUser();
    const [mark, event] = [fresh(), fresh()];
    const id = await make(user, {});
    await env.DB.prepare("UPDATE flows SET flow = ?1, origin_flow = ?1 WHERE id = ?2")
      .bind(JSON.stringify(described(mark, event)), id)
      .run();
    expect(JSON.stringify(await read(user, id))).not.toContain(`named-${mark}`);
    expect((await start(user, id)).status).toBe(200);
    expect((await sent(user, mark, event)).headers.get("authorization")).toBe(
      `Bearer named-${mark}`,
    );
    expect(await rows()).not.toContain(`named-${mark}`);
    vi.unstubAllGlobals();
  });

  it("that are masks without a stored value, as after an export and import, keep the flow from starting", async () => {
    const user = await newUser();
    const flow = described(fresh(), fresh(), { headers: { Authorization: M } });
    const id = await make(user, flow);
    expect(await start(user, id)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("P: config.transform.in.T.out.lambda.headers") },
    });
  });

  it("can't be made up", async () => {
    const { token } = await newUser();
    const flow = described(fresh(), fresh(), {
      headers: { Authorization: "~sealed.00000000.AAAA~" },
    });
    const { status, body } = await ask("POST", "/flows", { token, body: { name: "F", flow } });
    expect({ status, message: body.message }).toMatchObject({
      status: 400,
      message: expect.stringContaining("flow: "),
    });
  });

  it("don't go on in a run, and aren't shown with a step that failed", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(
        async (input: URL | string) =>
          new Response("{}", { status: String(input).includes("fails") ? 422 : 200 }),
      ),
    );
    const user = await newUser();
    const [mark, event] = [fresh(), fresh()];
    const below = {
      ...step({ url: URL_OF("fails") }),
      source: { in: { P: ["response"] } },
      config: { transform: { in: { P: { response: { lambda: { url: URL_OF("fails") } } } } } },
    };
    const id = await make(user, { ...described(mark, event), Q: below });
    await start(user, id);
    await sent(user, mark, event);
    const failed = await eventually(async () => {
      const { body } = await ask("GET", `/unprocessed-messages?flowId=${id}`, user);
      return body.length > 0 ? body : undefined;
    });
    expect(JSON.stringify(failed)).toContain("was 422");
    expect(JSON.stringify(failed)).not.toMatch(new RegExp(`(named|used|query)-${mark}`));
    vi.unstubAllGlobals();
  });
});
