import { setTimeout as sleep } from "node:timers/promises";
import { type Api, ApiError } from "./api.ts";
import { type Placed, warningsOf, where } from "./apply.ts";
import { label, say } from "./render.ts";
import { collectionPath, type Definition, itemPath, type ScopeName } from "./definitions.ts";

export type Options = { wait: boolean; forceDelete: boolean };
export type Target = {
  kind: string;
  name: string;
  scope: ScopeName | undefined;
  path: string;
  /** Where it was asked for, when in a file. */
  at: string | undefined;
};

const WAIT_MS = 60_000;

export function targetOf(
  { document, definition, scope, name }: Placed,
  definitions: readonly Definition[],
): Target {
  return {
    kind: definition.kind,
    name: name ?? "",
    scope,
    path: itemPath(collectionPath(definition, scope, definitions), name ?? ""),
    at: where(document, "name"),
  };
}

/** Deletes one resource. @returns whether it went well. */
export async function deleteOne(api: Api, target: Target, options: Options): Promise<boolean> {
  const { kind, name, scope, path, at } = target;
  const shown = label(kind, name, scope);
  if (name === "") {
    say(`✖ ${at ?? kind}: The document has no name`);
    return false;
  }
  try {
    const { status, body } = await api.call(
      "DELETE",
      options.forceDelete ? `${path}?forceDelete=true` : path,
    );
    if (status === 202 && typeof body === "object" && body !== null)
      for (const warning of warningsOf({ ...body })) say(`⚠ ${shown} ${warning}`);
    if (options.wait && !(await gone(api, path))) {
      say(`✖ ${shown} is still there after ${WAIT_MS / 1000} seconds.`);
      return false;
    }
    say(
      status === 202 && !options.wait
        ? `⚠ ${shown} is being deleted.`
        : `✔ ${shown} has successfully been deleted.`,
    );
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(`✖ "${kind}/${name}" ${error.message}${at === undefined ? "" : `\n  at ${at}`}`);
    return false;
  }
}

async function gone(api: Api, path: string): Promise<boolean> {
  const giveUpAt = Date.now() + WAIT_MS;
  while ((await api.get(path)) !== undefined) {
    if (Date.now() > giveUpAt) return false;
    await sleep(500);
  }
  return true;
}
