import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export type Run = { code: number | null; out: string; err: string };

/** The `tributary` command in a folder of its own. */
export type Command = {
  readonly folder: string;
  /** Runs it to its end. */
  run(
    args: string[],
    input?: string,
    env?: Record<string, string>,
    started?: (child: ChildProcessWithoutNullStreams) => void,
  ): Promise<Run>;
  /** Writes a file into the folder. @returns its path. */
  file(name: string, text: string): string;
  remove(): void;
};

/** @param connection Where it is logged in. */
export function commandFor(connection: () => { url: string; token: string }): Command {
  execFileSync(process.execPath, ["src/cli/build.mjs"], { cwd: root });
  const folder = mkdtempSync(join(tmpdir(), "tributary-cli-"));
  return {
    folder,
    run(args, input = "", env = {}, started = () => {}) {
      const { url, token } = connection();
      const child = spawn(process.execPath, [`${root}/dist/cli/tributary.js`, ...args], {
        cwd: folder,
        env: {
          ...process.env,
          XDG_CONFIG_HOME: folder,
          TRIBUTARY_URL: url,
          TRIBUTARY_TOKEN: token,
          ...env,
        },
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (text: Buffer) => (out += text));
      child.stderr.on("data", (text: Buffer) => (err += text));
      child.stdin.end(input);
      started(child);
      return new Promise((done) => child.on("close", (code) => done({ code, out, err })));
    },
    file(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
