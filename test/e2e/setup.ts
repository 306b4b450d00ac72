import sparticuz from "@sparticuz/chromium";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startStack } from "./stack.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The `local.json` of the stack that files share; it is written when the stack is up. */
    sharedStack: string;
  }
}

/** What vendors see: Box takes nothing but HTTPS on its own port. */
export const PUBLIC_URL = "https://events.example.com";

/** Starts what files share. Nobody waits for it here: other projects run first. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "tributary-shared-"));
  project.provide("sharedStack", join(folder, "local.json"));
  // Before any file asks for it: two that unpack it at once get half of it each.
  await sparticuz.executablePath();
  const starting = startStack({ folder, env: { TRIBUTARY_PUBLIC_URL: PUBLIC_URL } });
  starting.catch((error: unknown) => console.error(error));
  return async () => {
    await (await starting).stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
