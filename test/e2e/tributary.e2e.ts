import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Stack, startStack } from "./stack.ts";

const root = resolve(import.meta.dirname, "../..");
let stack: Stack;
let receiver: Receiver;
let folder: string;

beforeAll(async () => {
  execFileSync(process.execPath, ["src/cli/build.mjs"], { cwd: root });
  folder = mkdtempSync(join(tmpdir(), "tributary-cli-"));
  receiver = await startReceiver();
  stack = await startStack();
});

afterAll(async () => {
  await stack?.stop();
  await receiver?.close();
  rmSync(folder, { recursive: true, force: true });
});

type Run = { code: number | null; out: string; err: string };

function tributary(args: string[], input = "", env: Record<string, string> = {}): Promise<Run> {
  const { baseUrl, apiKey } = stack.local;
  const child = spawn(process.execPath, [`${root}/dist/cli/tributary.js`, ...args], {
    cwd: folder,
    env: {
      ...process.env,
      XDG_CONFIG_HOME: folder,
      TRIBUTARY_URL: baseUrl,
      TRIBUTARY_TOKEN: apiKey,
      ...env,
    },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (text: Buffer) => (out += text));
  child.stderr.on("data", (text: Buffer) => (err += text));
  child.stdin.end(input);
  return new Promise((done) => child.on("close", (code) => done({ code, out, err })));
}

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

async function api(method: string, path: string, body?: unknown): Promise<any> {
  const { baseUrl, apiKey } = stack.local;
  const response = await fetch(baseUrl + path, {
    method,
    headers: { authorization: `Bearer ${apiKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
}

/** One of everything, hooks first: in an order that only works when it is changed. */
const everything = (url: string): string => `
kind: ResourceHook
name: hook
metadata: {scope: {kind: Integration, name: tools}}
spec:
  triggers:
    - group: management
      kind: APIService
      name: "*"
      type: [created, updated, deleted]
      scope: {kind: Environment, name: azure}
  webhooks: [listener]
---
kind: APIService
apiVersion: v1alpha1
name: music
title: Musical instruments API
metadata: {scope: {kind: Environment, name: azure}}
spec: {description: Instruments}
x-lint: {score: 1}
---
kind: Webhook
name: listener
metadata: {scope: {kind: Integration, name: tools}}
spec:
  url: ${url}
  auth: {secret: {name: keys, key: apikey}}
---
kind: Secret
name: keys
metadata: {scope: {kind: Integration, name: tools}}
spec: {data: {apikey: open sesame}}
---
kind: Environment
name: azure
---
group: management
kind: Integration
name: tools
`;

describe("tributary", () => {
  it("applies everything in any order, reaches a receiver, and applies again in silence", async () => {
    const path = file("all.yaml", everything(`${receiver.url}/hook`));
    const first = await tributary(["apply", "-f", path]);
    expect(first.err).not.toContain("✖");
    expect(first.code).toBe(0);
    expect(first.err.split("\n").slice(0, 3)).toEqual([
      '✔ "Environment/azure" has successfully been created.',
      '✔ "Integration/tools" has successfully been created.',
      '✔ "Secret/keys" in the scope "Integration/tools" has successfully been created.',
    ]);
    const webhook = await api("GET", "/apis/management/v1/integrations/tools/webhooks/listener");
    const { secret } = await api(
      "GET",
      `/v1/destinations/${webhook.metadata.destinationId}/signing-secret`,
    ).catch(() => ({ secret: undefined }));
    receiver.setSecret(secret);
    await api("PUT", "/apis/management/v1/environments/azure/apiservices/music", {
      title: "Changed",
      spec: { description: "Instruments" },
    });
    const changed = (all: Receiver["deliveries"]) =>
      all.find(({ body }) => body?.payload?.title === "Changed");
    const deliveries = await receiver.waitFor((all) => changed(all) !== undefined, 20_000);
    const delivery = changed(deliveries);
    expect(delivery?.headers["authorization"]).toBe("open sesame");
    expect(delivery?.headers["webhook-signature"]).toMatch(/^v1,/);
    if (secret !== undefined) expect(delivery?.standardVerified).toBe(true);
    expect(delivery?.body).toMatchObject({
      type: "ResourceUpdated",
      organization: { id: stack.local.organizationId },
      payload: { kind: "APIService", name: "music", "x-lint": { score: 1 } },
    });

    const back = await tributary(["apply", "-f", path]);
    expect(back.err).toContain(
      '✔ "APIService/music" in the scope "Environment/azure" has successfully been updated.',
    );
    const versions = async () =>
      (await api("GET", "/apis/management/v1/apiservices")).map(
        ({ metadata }: any) => metadata.resourceVersion,
      );
    const before = await versions();
    const again = await tributary(["apply", "-f", path]);
    expect([again.code, again.err.match(/is unchanged/g)?.length]).toEqual([0, 6]);
    expect(again.err).not.toContain("updated");
    expect(await versions()).toEqual(before);
    const none = await tributary(["diff", "-f", path]);
    expect(none.out).toBe("");
  });

  it("shows resources as a table, as YAML and as JSON", async () => {
    await tributary(["apply", "-f", "-"], "kind: Environment\nname: shown\ntitle: Shown\n");
    const table = await tributary(["get", "env", "-q", "name==shown"]);
    expect(table.out.split("\n")[0]).toMatch(/^NAME +AGE +TITLE/);
    expect(table.out).toMatch(/shown +a few seconds ago +Shown +Environment +management/);
    const yaml = await tributary(["get", "environment", "shown", "-o", "yaml"]);
    expect(yaml.out).toMatch(/^---\ngroup: management\n/);
    const json = await tributary(["get", "envs", "shown", "-o", "json"]);
    expect(json.out).toContain('\n    "name": "shown"');
    const none = await tributary(["get", "webhooks", "-s", "Environment/shown"]);
    expect([none.code, none.out, none.err]).toEqual([0, "", "No resources found.\n"]);
    const titled = await tributary(["get", "env,apis", "--title", "how", "-o", "json"]);
    expect(JSON.parse(titled.out).name).toBe("shown");
  });

  it("names file, document and line of what is wrong, and applies the rest", async () => {
    const path = file(
      "wrong.yaml",
      `kind: Environment
name: right
---
kind: Nonsense
name: x
---
kind: APIService
name: lost
---
kind: Environment
name: wrong
spec:
  production: "yes"
---
kind: Environment
name: also-right
---
name: kindless
---
a: [
`,
    );
    const { code, err } = await tributary(["apply", "-f", path]);
    expect(code).toBe(1);
    expect(err).toContain(
      `✖ ${path}, document 2, line 4: the server doesn't have a resource type "Nonsense"`,
    );
    expect(err).toContain(
      `${path}, document 3, line 7: scope name param (-s/--scope) is required for the scoped "APIService" resource.`,
    );
    expect(err).toContain('✖ "Environment/wrong" Validation error: ');
    expect(err).toContain(`at ${path}, document 4, line 13`);
    expect(err).toContain('✔ "Environment/right" has successfully been created.');
    expect(err).toContain('✔ "Environment/also-right" has successfully been created.');
    expect(err).toContain(`✖ ${path}, document 6, line 18: The document has no kind`);
    expect(err).toMatch(/document 7, line 2\d: /);
    const large = file("large.json", " ".repeat(20 * 1024 * 1024));
    const refused = await tributary(["apply", "-f", large]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("less than 20 MiB")]);
    const half = await tributary(
      ["apply", "-f", "-"],
      "kind: Asset\nname: half\nspec: {type: API}\nstate: sleepy\n",
    );
    expect([half.code, half.err]).toEqual([1, expect.stringContaining("document 1, line 4")]);
    expect((await tributary(["get", "asset", "half"])).code).toBe(1);
  });

  it("says why it can't get, delete or log in", async () => {
    const scope = await tributary(["get", "apis", "x"]);
    expect([scope.code, scope.err]).toEqual([
      1,
      expect.stringContaining(
        'scope name param (-s/--scope) is required for the scoped "APIService" resource.',
      ),
    ]);
    const unknown = await tributary(["get", "things"]);
    expect([unknown.code, unknown.err]).toEqual([
      1,
      expect.stringContaining('the server doesn\'t have a resource type "things"'),
    ]);
    const lost = await tributary(["delete", "env", "nobody"]);
    expect([lost.code, lost.err]).toEqual([
      1,
      expect.stringContaining("Not found error: Resource nobody not found in group management"),
    ]);
    const wrong = await tributary(["login", "--url", stack.local.baseUrl, "--token", "wrong"]);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("Authentication error")]);
  });

  it("logs in, edits in an editor, explains a kind, diffs and deletes", async () => {
    const { baseUrl, apiKey } = stack.local;
    const alone = { TRIBUTARY_URL: "", TRIBUTARY_TOKEN: "" };
    const login = await tributary(["login", "--url", baseUrl, "--token", apiKey], "", alone);
    expect(login.code).toBe(0);
    await tributary(["apply", "-f", "-"], "kind: Environment\nname: edited\n", alone);
    const edited = await tributary(["edit", "env", "edited"], "", {
      ...alone,
      VISUAL: "sed -i 's/^title: .*/title: By hand/'",
    });
    expect(edited.err).toContain('✔ "Environment/edited" has successfully been updated.');
    const path = file(
      "edited.json",
      '[{"kind":"Environment","name":"edited","title":"In a file"}]',
    );
    const diff = await tributary(["diff", "-f", path], "", alone);
    expect(diff.out).toBe('~ "Environment/edited"\n  - title: "By hand"\n  + title: "In a file"\n');
    const explained = await tributary(["explain", "webhook"], "", alone);
    expect(explained.out).toMatch(/ {2}url: string \(required\)/);
    const deleted = await tributary(["delete", "-f", path, "--wait"], "", alone);
    expect([deleted.code, deleted.err]).toEqual([
      0,
      '✔ "Environment/edited" has successfully been deleted.\n',
    ]);
    const one = await tributary(["delete", "apis", "music", "-s", "Environment/azure", "-y"]);
    expect(one.err).toBe(
      '✔ "APIService/music" in the scope "Environment/azure" has successfully been deleted.\n',
    );
  });
});
