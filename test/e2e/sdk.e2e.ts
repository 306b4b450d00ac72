import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const node = (...args: string[]) =>
  execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" });

describe("the package", () => {
  beforeAll(() => void node("src/cli/build.mjs"));

  it("is imported as tributary/sdk by plain Node", () => {
    const script = 'import * as sdk from "tributary/sdk"; console.log(Object.keys(sdk).join())';
    expect(node("--input-type=module", "-e", script).trim()).toBe(
      "CallbackError,TributaryError,createClient,verifyCallback",
    );
  });

  it("is imported by a Worker, and calls and verifies there", async () => {
    const contents = `import { createClient, verifyCallback } from "tributary/sdk";
      const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
      const headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      };
      export default {
        async test() {
          const fetch = async (url, { body }) =>
            Response.json({ triggers: [] }, { headers: { "x-event-id": url + body } });
          const client = createClient({ baseUrl: "https://tributary.example", fetch });
          const { eventId } = await client.sendAppEvent("a b", { n: 1 });
          const callback = new Request("https://app.example", { method: "POST", headers, body: '{"test": 2432232314}' });
          const { body } = await verifyCallback(callback, [secret], 1614265330000);
          console.log(eventId + body);
        },
      };`;
    const folder = mkdtempSync(join(tmpdir(), "tributary-sdk-"));
    try {
      const outfile = join(folder, "worker.js");
      await build({ stdin: { contents, resolveDir: root }, bundle: true, format: "esm", outfile });
      const config = join(folder, "config.capnp");
      writeFileSync(
        config,
        `using Workerd = import "/workerd/workerd.capnp";
        const config :Workerd.Config = (services = [(name = "main", worker = (
          modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2026-10-23"))]);`,
      );
      const printed = execFileSync(resolve(root, "node_modules/.bin/workerd"), ["test", config], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      const url = "https://tributary.example/plugins/appmixer/utils/appevents/events/a%20b";
      expect(printed).toContain(`${url}{"n":1}{"test": 2432232314}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("brings its types along, and they tell what is wrong", () => {
    const file = resolve(root, "dist/use-of-sdk.ts");
    const check = (use: string): string => {
      writeFileSync(
        file,
        `import { createClient, verifyCallback } from "tributary/sdk";\n${use}\n`,
      );
      const flags =
        "--noEmit --strict --module nodenext --target es2022 --types node --ignoreConfig";
      try {
        return node("node_modules/typescript/bin/tsc", ...flags.split(" "), file);
      } catch (error) {
        return String(Reflect.get(Object(error), "stdout"));
      } finally {
        rmSync(file);
      }
    };
    const client = 'const client = createClient({ baseUrl: "https://t.example" });';
    expect(
      check(`${client}
        const { eventId, triggers } = await client.sendAppEvent("e", { a: 1 }, { idempotencyKey: "k" });
        const text: string = eventId + triggers[0]?.correlationId + (await client.flows.list())[0]?.name;
        const { timestamp } = await verifyCallback(new Request("https://a.example"), ["whsec_x"]);
        export const known: [string, Date] = [text, timestamp];`),
    ).toBe("");
    expect(check(`${client} await client.sendAppEvent(5);`)).toContain("TS2345");
  });

  it("needs nothing else, and weighs less than 6 KB", () => {
    const code = readFileSync(resolve(root, "dist/sdk/sdk.js"));
    expect(code.toString()).not.toMatch(/\b(?:import|require)\s*[("']/);
    expect(gzipSync(code).byteLength).toBeLessThan(6 * 1024);
  });
});
