import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "tributary-deploy-"));
const APPS = JSON.stringify({
  box: { key: "id", secret: "its-secret", callbackUrl: "https://app.example/cb" },
});

/**
 * Stands for the account: remembers its secrets and variables, and how it was called. As the real one, a deployment
 * sets what the configuration's [vars] say, and keeps other variables only when it is told to.
 */
const WRANGLER = `#!/usr/bin/env node
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs");
const args = process.argv.slice(2);
const account = existsSync("account.json") ? JSON.parse(readFileSync("account.json")) : {};
appendFileSync("calls.ndjson", JSON.stringify(args) + "\\n");
const [command, what] = args;
if (command === "d1" && what === "list") console.log(JSON.stringify([{ name: "tributary", uuid: "u" }]));
if (command === "secret") console.log(JSON.stringify(Object.keys(account).map((name) => ({ name }))));
if (command === "deploy") {
  const file = args[args.indexOf("--secrets-file") + 1];
  const secrets = args.includes("--secrets-file") ? JSON.parse(readFileSync(file)) : {};
  writeFileSync("account.json", JSON.stringify({ ...account, ...secrets }));
  const toml = readFileSync(args[args.indexOf("--config") + 1], "utf8");
  const declared = [...(toml.split("\\n[vars]\\n")[1] ?? "").matchAll(/^(\\w+) = "(.*)"$/gm)];
  const told = args.flatMap((arg, i) => (args[i - 1] === "--var" ? [arg.split(/:(.*)/s)] : []));
  const kept = args.includes("--keep-vars") && existsSync("variables.json");
  const variables = kept ? JSON.parse(readFileSync("variables.json")) : {};
  for (const [name, value] of [...declared.map(([, ...pair]) => pair), ...told]) variables[name] = value;
  writeFileSync("variables.json", JSON.stringify(variables));
  writeFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, JSON.stringify({ targets: [process.env.TARGET] }));
}
`;

/** The Worker that was deployed. */
const server = createServer(({ url }, answer) => {
  const status = variables().TRIBUTARY_PUBLIC_URL ? "ok" : "degraded";
  const body =
    url === "/readyz"
      ? { status, parts: { publicUrl: { status } } }
      : { organizationId: "1", userId: "1" };
  answer.end(JSON.stringify(body));
});
const path = (name: string): string => join(folder, name);
const account = () => JSON.parse(readFileSync(path("account.json"), "utf8"));
const variables = () => JSON.parse(readFileSync(path("variables.json"), "utf8"));
const calls = (): string[] =>
  existsSync(path("calls.ndjson"))
    ? readFileSync(path("calls.ndjson"), "utf8").trim().split("\n")
    : [];

beforeAll(async () => {
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  for (const name of ["src/cli", "src/values", "wrangler.toml", "package.json"])
    cpSync(join(root, name), path(name), { recursive: true });
  mkdirSync(path("node_modules/.bin"), { recursive: true });
  symlinkSync(join(root, "node_modules/zod"), path("node_modules/zod"));
  writeFileSync(path("node_modules/.bin/wrangler"), WRANGLER, { mode: 0o755 });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const MEMBER_SIGN_IN =
  '{"access":{"team":"acme.cloudflareaccess.com","audience":"tag"},"roles":{"@acme.example":"viewer"}}';

/** Deploys with these variables. @returns how it ended and what it said. */
function deploy(variables: Record<string, string | undefined>, ...args: string[]) {
  const { port } = server.address() as AddressInfo;
  const env = {
    ...process.env,
    OAUTH_APPS: undefined,
    MEMBER_SIGN_IN: undefined,
    TRIBUTARY_PUBLIC_URL: `http://127.0.0.1:${port}`,
    TARGET: `http://127.0.0.1:${port}`,
    ...variables,
  };
  return new Promise<{ code: number; text: string }>((ended) => {
    const child = execFile(
      process.execPath,
      [path("src/cli/deploy.ts"), ...args],
      { cwd: folder, env },
      (_, stdout, stderr) => ended({ code: child.exitCode ?? 1, text: `${stdout}${stderr}` }),
    );
  });
}

describe("a deployment", () => {
  it("refuses OAuth applications that the Worker could not read, before it calls anything", async () => {
    for (const [text, message] of [
      ["{", "OAUTH_APPS: Expected JSON"],
      ['{"box":{"key":"id","callbackUrl":"https://app.example/cb"}}', "OAUTH_APPS.box.secret: "],
      ['{"box":{"key":"id","secret":"s","callbackUrl":"cb"}}', "OAUTH_APPS.box.callbackUrl: "],
    ] as const) {
      const { code, text: said } = await deploy({ OAUTH_APPS: text });
      expect({ text, code }).toEqual({ text, code: 1 });
      expect(said).toContain(message);
    }
    expect(calls()).toEqual([]);
  });

  it("refuses a sign-in of members that the Worker could not read, too", async () => {
    const { code, text } = await deploy({ MEMBER_SIGN_IN: '{"roles":{"ada":"owner"}}' });
    expect(code).toBe(1);
    expect(text).toContain("MEMBER_SIGN_IN.roles.ada: ");
    const dry = await deploy({ MEMBER_SIGN_IN }, "--dry-run");
    expect(dry.text).toContain("set the secret MEMBER_SIGN_IN from the environment");
    expect(calls()).toEqual([]);
  });

  it("says that it would set them, without showing them, when it is a dry run", async () => {
    const { code, text } = await deploy({ OAUTH_APPS: APPS }, "--dry-run");
    expect(code).toBe(0);
    expect(text).toContain("set the secret OAUTH_APPS from the environment");
    expect(text).not.toContain("its-secret");
    expect(calls()).toEqual([]);
  });

  it("makes the platform's own secrets once, and sets OAuth applications whenever they are given", async () => {
    const first = await deploy({ OAUTH_APPS: APPS });
    expect(first).toMatchObject({ code: 0 });
    const made = account();
    expect(Object.keys(made).toSorted()).toEqual([
      "BOOTSTRAP_KEY",
      "MASTER_KEY",
      "OAUTH_APPS",
      "SESSION_KEY",
    ]);
    expect(made.OAUTH_APPS).toBe(APPS);
    expect(first.text).not.toContain("its-secret");
    expect(calls().join()).not.toContain("its-secret");

    const again = await deploy({});
    expect(again.text).toContain("leave the secret OAUTH_APPS as it is");
    expect(again.text).toContain("secrets found");
    expect(account()).toEqual(made);

    const rotated = APPS.replace("its-secret", "its-next-secret");
    writeFileSync(path(".dev.vars"), `OAUTH_APPS='${rotated}'\n`);
    const later = await deploy({});
    expect(later.text).toContain("set the secret OAUTH_APPS from .dev.vars");
    expect(account()).toEqual({ ...made, OAUTH_APPS: rotated });
    expect(existsSync(path(".tributary/deploy"))).toBe(false);
  });

  it("makes the bucket that the configuration binds, once its lines are no comment any more", async () => {
    const toml = readFileSync(path("wrangler.toml"), "utf8");
    const made = '["r2","bucket","info","tributary-payloads"]';
    expect(calls()).not.toContain(made);
    const bound = toml.replace(/^# (?=\[\[r2_buckets\]\]|binding = "PAYLOADS"|bucket_name)/gm, "");
    writeFileSync(path("wrangler.toml"), bound);
    const { text } = await deploy({});
    writeFileSync(path("wrangler.toml"), toml);
    expect(text).toContain('bucket "tributary-payloads" found');
    expect(calls()).toContain(made);
  });

  it("writes the URL that it found back, once, and resets nothing that was set", async () => {
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const unset = { TRIBUTARY_PUBLIC_URL: undefined, OAUTH_APPS: undefined };
    rmSync(path("variables.json"), { force: true });
    const deployments = () => calls().filter((call) => call.startsWith('["deploy"')).length;
    const before = deployments();

    const first = await deploy({ ...unset, SIGNUP: "open" });
    expect(first).toMatchObject({ code: 0 });
    expect(first.text).toContain(`TRIBUTARY_PUBLIC_URL set to ${url}`);
    expect(variables()).toEqual({ SIGNUP: "open", TRIBUTARY_PUBLIC_URL: url });
    expect(deployments()).toBe(before + 2);

    const again = await deploy({ ...unset, EGRESS_ALLOW: "10.0.0.0/8" });
    expect(again.text).toContain("TRIBUTARY_PUBLIC_URL found");
    const all = { SIGNUP: "open", TRIBUTARY_PUBLIC_URL: url, EGRESS_ALLOW: "10.0.0.0/8" };
    expect(variables()).toEqual(all);
    expect(deployments()).toBe(before + 3);

    const named = "https://events.example.com,https://old.example.com";
    writeFileSync(path("variables.json"), JSON.stringify({ ...all, TRIBUTARY_PUBLIC_URL: named }));
    await deploy(unset);
    expect(variables()).toEqual({ ...all, TRIBUTARY_PUBLIC_URL: named });
  });
});
