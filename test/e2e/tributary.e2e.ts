import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  contentsHook,
  environmentsHook,
  revisionsHook,
  webhookYaml,
} from "../resources/printed.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Command, commandFor } from "./command.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

let stack: Platform;
let receiver: Receiver;
let command: Command;
let folder: string;

beforeAll(async () => {
  command = commandFor(() => ({ url: stack.local.baseUrl, token: stack.local.apiKey }));
  ({ folder } = command);
  receiver = await startReceiver();
  stack = await sharedStack();
});

afterAll(async () => {
  await receiver?.close();
  command?.remove();
});

const tributary: Command["run"] = (...args) => command.run(...args);
const file: Command["file"] = (...args) => command.file(...args);

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
    const deliveries = await receiver.waitFor((all) => changed(all) !== undefined);
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
      (await api("GET", "/apis/management/v1/environments/azure/apiservices")).map(
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
    expect([refused.code, refused.err]).toEqual([1, `✖ ${large}: Expected less than 20 MiB\n`]);
    const piped = await tributary(["apply", "-f", "-"], " ".repeat(20 * 1024 * 1024));
    expect([piped.code, piped.err]).toEqual([1, "✖ standard input: Expected less than 20 MiB\n"]);
    const half = await tributary(
      ["apply", "-f", "-"],
      "kind: Asset\nname: half\nspec: {type: API}\nstate: sleepy\n",
    );
    expect([half.code, half.err]).toEqual([1, expect.stringContaining("document 1, line 4")]);
    expect((await tributary(["get", "asset", "half"])).code).toBe(1);
  });

  it.each([
    ["a: [", "document 1, line 1: Flow sequence in block collection must be"],
    ["kind: Environment\nname: a\nname: b", "document 1, line 3: Map keys must be unique"],
    ['[{"kind": "Environment", "name": "fine"}, 3]', "document 2, line 1: Expected an object"],
    ["kind: 5", "document 1, line 1: The document has no kind"],
    ["kind: Environment\nspec: &a [*a]", "document 1, line 1: The document contains itself"],
    ["", "standard input: There is no document in it"],
    ["# nothing\n---\n", "standard input: There is no document in it"],
    [
      "kind: APIService\nname: a\nmetadata:\n  scope: {name: x}",
      `document 1, line 4: "APIService" can't be in a scope without a kind, only in: Environment`,
    ],
    [
      "kind: Secret\nmetadata:\n  scope: {kind: Asset, name: x}",
      `document 1, line 3: "Secret" can't be in the scope "Asset", only in: Environment, Integration`,
    ],
    [
      "kind: Secret\nname: a\nmetadata:\n  scope:\n    kind: Environment\n    name: nowhere",
      `✖ "Secret/a" Not found error: Resource nowhere not found in group management\n  at standard input, document 1, line 6, metadata.scope.name`,
    ],
    [
      "kind: Environment\nname: Not Valid",
      '✖ "Environment/Not Valid" Validation error: Name is not valid.\n  at standard input, document 1, line 2, name',
    ],
    [
      "kind: WatchTopic\nname: a\nspec:\n  filters:\n    - group: x\n      kind: y\n      name: z\n      type: [made]",
      "document 1, line 8, spec.filters.0.type.0",
    ],
    [
      "kind: Environment\nname: edited/x-lint",
      '✖ "Environment/edited/x-lint" Validation error: Name is not valid.',
    ],
    [
      "kind: Environment\ngroup: catalog\nname: a",
      `document 1, line 2: the server doesn't have a resource type "Environment" in the group "catalog"`,
    ],
    [
      "kind: Webhook\nname: a\nmetadata: {scope: {kind: Environment, name: located}}\nspec:\n  url: https://x\n  auth: {location: {in: query}}",
      "Expected {in: header}, with or without a name, or {in: query} with a name\n  at standard input, document 1, line 6, spec.auth.location",
    ],
  ])("refuses %j, saying where and why", async (text, message) => {
    const { code, err } = await tributary(["apply", "-f", "-"], text);
    expect([code, err]).toEqual([1, expect.stringContaining(message)]);
  });

  it("reads folders with their folders, files that are not there, and documents in their order", async () => {
    const inner = join(folder, "several", "inner");
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(inner, "hook.yml"), "kind: Environment\nname: of-a-folder\n");
    writeFileSync(
      join(folder, "several", "z.json"),
      '[{"kind":"Integration","title":"My Tools!"}]',
    );
    writeFileSync(join(folder, "several", "notes.txt"), "kind: Nonsense");
    const applied = await tributary(["apply", "-f", "several", "-f", "nowhere.yaml"]);
    expect([applied.code, applied.err.split("\n")]).toEqual([
      1,
      [
        "✖ nowhere.yaml: No such file",
        '✔ "Environment/of-a-folder" has successfully been created.',
        '⚠ "Integration/my-tools" was created with an autogenerated logical name.',
        '✔ "Integration/my-tools" has successfully been created.',
        "",
      ],
    ]);
    expect((await tributary(["apply", "-f", join(folder, "several", "notes.txt")])).code).toBe(1);
  });

  it("applies one subresource alone, and says when there is none", async () => {
    const text = (state: string) => `kind: Asset\nname: one\nspec: {type: API}\nstate: ${state}\n`;
    const only = (input: string, name: string) =>
      tributary(["apply", "-f", "-", "--subresource", name], input);
    const early = await only(text("active"), "state");
    expect([early.code, early.err]).toEqual([
      1,
      expect.stringContaining("Not found error: Resource one not found in group catalog"),
    ]);
    await tributary(["apply", "-f", "-"], text("active"));
    expect(await only(text("archived"), "state")).toEqual({
      code: 0,
      out: "",
      err: '✔ "Asset/one" subresource "state" has successfully been updated.\n',
    });
    const none = await only(text("archived"), "x-none");
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('no subresource "x-none"')]);
  });

  it("takes the page's webhook.yaml as printed, and says what the page says", async () => {
    await tributary(["apply", "-f", "-"], "kind: Environment\nname: azure-apiman-service\n");
    const path = file("webhook.yaml", webhookYaml);
    const first = await tributary(["apply", "-f", path]);
    const shown = '"Webhook/invoke-jira-webhook" in the scope "Environment/azure-apiman-service"';
    expect(first).toEqual({
      code: 0,
      out: "",
      err: `✔ ${shown} has successfully been created.\n`,
    });
    file("webhook.yaml", webhookYaml.replace("JIRA", "Jira"));
    const second = await tributary(["apply", "-f", path]);
    expect(second.err).toBe(`✔ ${shown} has successfully been updated.\n`);
    for (const [index, hook] of [revisionsHook, environmentsHook, contentsHook].entries()) {
      const { name } = JSON.parse(hook);
      const { code, err } = await tributary(["apply", "-f", file(`hook-${index}.json`, hook)]);
      expect([code, err]).toEqual([
        0,
        `✔ "ResourceHook/${name}" has successfully been ${index === 2 ? "updated" : "created"}.\n`,
      ]);
    }
  });

  it("is silent when nobody reads its data any more", async () => {
    await tributary(["apply", "-f", "-"], "kind: Environment\nname: unread\n");
    const unread = await tributary(["get", "env", "-o", "yaml"], "", {}, (child) =>
      child.stdout.destroy(),
    );
    expect(unread).toEqual({ code: 0, out: "", err: "" });
  });

  it("gets an unscoped resource by its name, of a kind that is mostly scoped", async () => {
    const hook = "kind: ResourceHook\nname: outside\nspec: {triggers: [], webhooks: []}\n";
    await tributary(["apply", "-f", "-"], hook);
    const { code, out } = await tributary(["get", "resourcehook", "outside", "-o", "json"]);
    expect([code, JSON.parse(out).name]).toEqual([0, "outside"]);
    expect((await tributary(["get", "webhook", "nobody"])).code).toBe(1);
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
    const query = await tributary(["get", "env", "-q", "name=="]);
    expect([query.code, query.err]).toEqual([
      1,
      "✖ Validation error: Invalid 'query' parameter 'name=='. Expected a value at position 7, found the end\n",
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
    const kept = await tributary(["edit", "env", "edited"], "", {
      ...alone,
      VISUAL: "sed -i 's/^spec: .*/spec: {production: maybe}/'",
    });
    expect(kept.code).toBe(1);
    expect(kept.err).toContain(", spec.production");
    const [, copy = ""] = /What you wrote is kept in (\S+)/.exec(kept.err) ?? [];
    expect(readFileSync(copy, "utf8")).toContain("maybe");
    rmSync(dirname(copy), { recursive: true });
    const renamed = await tributary(["edit", "env", "edited"], "", {
      ...alone,
      VISUAL: "sed -i 's/^name: .*/name: another/'",
    });
    expect([renamed.code, renamed.err]).toEqual([
      1,
      expect.stringContaining("document 1, line 4: Kind, name and scope can't be edited"),
    ]);
    expect((await tributary(["get", "env", "another"])).code).toBe(1);
    expect((await tributary(["get", "env", "edited/../edited"])).code).toBe(1);
    const explained = await tributary(["explain", "webhook"], "", alone);
    expect(explained.out).toMatch(
      / {2}url: string \(required\)\n {2}enabled: boolean \(default true\)/,
    );
    expect(explained.out).toContain("words:         webhooks, webhook, webh, wh, unscopedwebhooks");
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
