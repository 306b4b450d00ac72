import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Stack, startStack } from "./stack.ts";

/** Clients of the original, with plain fetch and the bytes of the reference. */

const ORIGIN = "https://app.example";

let stack: Stack;
let receiver: Receiver;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([
    startStack({ env: { CORS_ORIGINS: ORIGIN } }),
    startReceiver(),
  ]);
});
afterAll(async () => {
  await stack.stop();
  await receiver.close();
});

async function send(
  method: string,
  path: string,
  { token, body, headers = {} }: { token?: string; body?: string; headers?: object } = {},
) {
  const response = await fetch(stack.baseUrl + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const json: any = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, text, json };
}

/** The flow of reference app-events-api.md §5, byte for byte but for the address of the receiver. */
const reference = (url: string): string =>
  `{"T":{"type":"appmixer.utils.appevents.OnAppEvent","source":{},"config":{"properties":{"event":"contact-created"}}},
 "P":{"type":"appmixer.utils.http.Post","source":{"in":{"T":["out"]}},"config":{"transform":{"in":{"T":{"out":{"type":"json2new",
  "modifiers":{"body":{"m1":{"variable":"$.T.out.data","functions":[]}}},
  "lambda":{"url":"${url}","body":"{{{m1}}}"}}}}}}}}`;

describe("a command-line client", () => {
  it("logs in, imports, lists, shows, exports, starts, fires, stops and removes", async () => {
    const { email, password } = stack.local;
    const credentials = JSON.stringify({ email, password });
    const login = await send("POST", "/user/auth", { body: credentials });
    expect(login.status).toBe(200);
    expect(Object.keys(login.json)).toEqual(["user", "token"]);
    const { token } = login.json;
    const known = await send("GET", "/user", { token });
    expect(known.json).toMatchObject({ email, scope: ["user"] });

    const url = `${receiver.url}/command-line`;
    const file = `{"name":"Imported","description":"","flow":${reference(url)},"svg":"<svg/>","customFields":{},"thumbnail":null,"wizard":null,"sharedWith":[]}`;
    const { flowId } = (await send("POST", "/flows", { token, body: file })).json;
    const [listed] = (await send("GET", "/flows", { token })).json;
    expect(listed).toMatchObject({
      name: "Imported",
      flowId,
      stage: "stopped",
      type: "automation",
      flow: JSON.parse(reference(url)),
    });
    const exported = (await send("GET", `/flows/${flowId}?projection=-runtimeErrors`, { token }))
      .json;
    const { name, description, flow, svg, customFields, thumbnail, wizard, sharedWith } = exported;
    const again = { name, description, flow, svg, customFields, thumbnail, wizard, sharedWith };
    const imported = await send("POST", "/flows", { token, body: JSON.stringify(again) });
    expect(imported.status).toBe(200);

    const coordinator = `/flows/${flowId}/coordinator`;
    const start = await send("POST", coordinator, { token, body: '{"command":"start"}' });
    expect(start.text).toBe(`{"flowId":"${flowId}"}`);
    // The curl of the seed.
    const sent = await send("POST", "/plugins/appmixer/utils/appevents/events/contact-created", {
      token,
      body: '{ "email": "david@example.com", "fname": "David", "lname": "Doe" }',
    });
    expect(sent.json.triggers).toMatchObject([{ flowId, componentId: "T" }]);
    await receiver.waitFor((all) => all.some(({ path }) => path === "/command-line"));
    const [arrived] = receiver.deliveries.filter(({ path }) => path === "/command-line");
    expect(arrived?.text).toBe('{"email":"david@example.com","fname":"David","lname":"Doe"}');
    const stop = await send("POST", coordinator, { token, body: '{"command":"stop"}' });
    expect(stop.text).toBe(`{"flowId":"${flowId}"}`);
    const removed = await send("DELETE", `/flows/${flowId}`, { token });
    expect(removed.text).toBe(`{"flowId":"${flowId}"}`);
    await send("DELETE", `/flows/${imported.json.flowId}`, { token });

    const spoiled = await send("GET", "/user", { token: `${token.slice(0, -2)}xx` });
    expect(spoiled.text).toBe(
      '{"statusCode":401,"error":"Unauthorized","message":"Invalid JWT: key or signature is invalid"}',
    );
  });
});

describe("a browser client", () => {
  it("checks the version, signs its virtual user up when told 403, activates a template and fires", async () => {
    const designer = await send("POST", "/user/auth", {
      body: JSON.stringify({ email: stack.local.email, password: stack.local.password }),
    });
    const url = `${receiver.url}/browser`;
    const template = `{"name":"Welcome","type":"integration-template","sharedWith":[{"scope":"user","permissions":["read","start","stop"]}],"flow":${reference(url)}}`;
    const made = await send("POST", "/flows", { token: designer.json.token, body: template });
    const { flowId: templateId } = made.json;

    const headers = { Origin: ORIGIN };
    const version = await send("GET", "/", { headers });
    expect([version.text, version.headers.get("access-control-allow-origin")]).toEqual([
      '{"version":"6.5.0"}',
      ORIGIN,
    ]);
    const preflight = await send("OPTIONS", "/flows", {
      headers: {
        ...headers,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
    const credentials = { username: "user-1@yourapp.com", password: "a-random-password" };
    const unknown = await send("POST", "/user/auth", {
      body: JSON.stringify(credentials),
      headers,
    });
    expect(unknown.status).toBe(403);
    const signUp = JSON.stringify({ ...credentials, email: credentials.username });
    const signedUp = await send("POST", "/user", { body: signUp, headers });
    expect(Object.keys(signedUp.json)).toEqual(["token"]);
    const { token } = signedUp.json;
    const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
    expect(claims).toMatchObject({ id: expect.any(String), scope: ["user"] });
    expect(claims.exp * 1000).toBeGreaterThan(Date.now());

    const looked = await send("GET", `/flows/${templateId}?projection=type,stage`, { token });
    expect(looked.json).toMatchObject({ type: "integration-template", stage: "stopped" });
    const clone = await send("POST", `/flows/${templateId}/clone`, {
      token,
      body: '{"projection":"-sharedWith","isTemplateInstance":true,"connectAccounts":false,"connectSharedAccounts":true,"setOriginFlowId":true,"additional":{"type":"integration-instance"}}',
    });
    const { cloneId } = clone.json;
    const projection = "originFlowId,stage,name,description,btime,type";
    const shown = await send("GET", `/flows/${cloneId}?projection=${projection}`, { token });
    expect(shown.json).toMatchObject({
      originFlowId: templateId,
      stage: "stopped",
      name: "Welcome",
      type: "integration-instance",
    });
    const { flow } = (await send("GET", `/flows/${cloneId}`, { token })).json;
    const put = await send("PUT", `/flows/${cloneId}?forceUpdate=true`, {
      token,
      body: JSON.stringify({ flow, customFields: { activated: true } }),
    });
    expect(put.text).toBe(`{"flowId":"${cloneId}","result":"updated"}`);
    await send("POST", `/flows/${cloneId}/coordinator`, { token, body: '{"command":"start"}' });
    const sent = await send("POST", "/plugins/appmixer/utils/appevents/events/contact-created", {
      token,
      body: '{"email":"david@example.com"}',
      headers,
    });
    expect(sent.json).toMatchObject({ triggers: [{ flowId: cloneId }], errors: [] });
    expect(sent.headers.get("access-control-expose-headers")).toContain("X-Event-Id");
    await receiver.waitFor((all) => all.some(({ path }) => path === "/browser"));
    const stop = await send("POST", `/flows/${cloneId}/coordinator`, {
      token,
      body: '{"command":"stop","background":true}',
    });
    const status = await send("GET", `/flows/${cloneId}/coordinator/status`, { token });
    expect([Object.keys(stop.json), status.json]).toEqual([
      ["flowId", "ticket"],
      { status: "completed", stepsTotal: 2 },
    ]);
  });
});

describe("somebody who guesses", () => {
  it("learns nothing from the time an unknown user takes", async () => {
    await send("POST", "/user", { body: '{"username":"timed","password":"a-good-password"}' });
    const time = async (username: string): Promise<number> => {
      const began = performance.now();
      const body = JSON.stringify({ username, password: "wrong" });
      expect((await send("POST", "/user/auth", { body })).status).toBe(403);
      return performance.now() - began;
    };
    let alike = 0;
    for (let round = 0; round < 9; round += 1) {
      const unknown = await time(`nobody-${round}`);
      if (unknown > (await time("timed")) / 2) alike += 1;
    }
    // A password costs some fifty milliseconds, everything else two: without it, none would be alike.
    expect(alike).toBeGreaterThan(2);
  });
});
