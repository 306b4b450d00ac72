/**
 * What wrangler needs before it bundles, as its custom build (`wrangler.toml`): the SDK that the Worker serves, and for
 * `wrangler dev` a stack. It runs at each start and after each change of the code. Nothing that is there is written anew.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseEnv } from "node:util";
import { portOf } from "./dev-port.ts";
import { migrateNow } from "./migrate.ts";
import { buildSdk } from "./sdk.mjs";
import { type Identity, identityOf, writePrivate } from "./state-folder.ts";
import { workerVariables } from "./worker-variables.ts";

const root = resolve(import.meta.dirname, "../..");
const state = join(root, ".wrangler/state");
const variables = join(root, ".dev.vars");
const localFile = join(root, ".tributary/local.json");

/** The keys of a stack that has them in `.dev.vars` already, and the account that it begins with. */
function writtenIdentity(): Identity | undefined {
  if (!existsSync(variables)) return undefined;
  const { MASTER_KEY, SESSION_KEY, BOOTSTRAP_KEY, LOCAL_ACCOUNT } = parseEnv(
    readFileSync(variables, "utf8"),
  );
  if (!MASTER_KEY || !SESSION_KEY || !BOOTSTRAP_KEY || !LOCAL_ACCOUNT) return undefined;
  return { keys: { MASTER_KEY, SESSION_KEY, BOOTSTRAP_KEY }, account: JSON.parse(LOCAL_ACCOUNT) };
}

/** The stack may listen on another port than before. */
function moveTo(baseUrl: string): void {
  const text = readFileSync(variables, "utf8");
  const line = /^TRIBUTARY_PUBLIC_URL='http:\/\/127\.0\.0\.1:\d+'$/m;
  const moved = text.replace(line, `TRIBUTARY_PUBLIC_URL='${baseUrl}'`);
  if (moved !== text) writePrivate(variables, moved);
}

function prepare(): void {
  const written = writtenIdentity();
  if (written === undefined && existsSync(variables))
    return console.log("Tributary: .dev.vars is yours; its first visit sets the deployment up");
  const { keys, account } = identityOf(state, written);
  const baseUrl = `http://127.0.0.1:${portOf(process.ppid)}`;
  if (written === undefined) {
    const made = { ...keys, LOCAL_ACCOUNT: JSON.stringify(account) };
    writePrivate(variables, workerVariables(made, baseUrl));
  } else if (written.keys.MASTER_KEY !== keys.MASTER_KEY)
    throw new Error(
      "Tributary: .dev.vars has other keys than .wrangler/state, which could not be read with them. Delete one of the two.",
    );
  migrateNow(root, state);
  moveTo(baseUrl);
  const local = { baseUrl, organizationId: "1", ...account };
  writePrivate(localFile, `${JSON.stringify(local, null, 2)}\n`);
  console.log(`Tributary will be at ${baseUrl}
  console      ${baseUrl}/console   (${account.email}, password ${account.password})
  API          ${baseUrl}/docs   (Authorization: Bearer ${account.apiKey})
  credentials  ${relative(process.cwd(), localFile)}`);
}

await buildSdk();
// `npm start` and `npm run deploy` see to all else themselves.
if (process.env["TRIBUTARY_PREPARED"] === undefined) {
  if (process.env["WRANGLER_COMMAND"] === "dev") prepare();
  else
    console.log(
      "Tributary: `npm run deploy` also makes queues, secrets and tables. A Worker that lacks some says which.",
    );
}
