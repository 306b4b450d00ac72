import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
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

  it("needs nothing else, and weighs less than 6 KB", () => {
    const code = readFileSync(resolve(root, "dist/sdk/sdk.js"));
    expect(code.toString()).not.toMatch(/\b(?:import|require)\s*[("']/);
    expect(gzipSync(code).byteLength).toBeLessThan(6 * 1024);
  });
});
