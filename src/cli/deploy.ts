/**
 * `npm run deploy [-- --dry-run]`: puts Tributary on the Cloudflare account that wrangler is signed
 * in to. Every step looks first and creates only what is absent, so it can be run again at any time.
 * Variables (`worker-variables.ts`) are taken from the environment when set there; `OAUTH_APPS` and
 * `MEMBER_SIGN_IN`, secrets, from there or from `.dev.vars`. What was set before stays as it is. A Worker that does
 * not know its own address is told the one that it was deployed at.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";
import { memberSignIn } from "../values/member-sign-in.ts";
import { oauthApps } from "../values/oauth-app.ts";
import { identityOf, writePrivate } from "./state-folder.ts";
import { VARIABLES } from "./worker-variables.ts";

const root = resolve(import.meta.dirname, "../..");
const toml = readFileSync(join(root, "wrangler.toml"), "utf8");
const config = join(root, ".wrangler/deploy.toml");
const output = join(root, ".wrangler/deploy.ndjson");
/** Holds the generated secrets until the first organization exists, and is gone then. */
const pending = join(root, ".tributary/deploy");

const database = /database_name = "(.+?)"/.exec(toml)?.[1] ?? "tributary";
const queues = [
  ...new Set(
    [...toml.matchAll(/^(?:dead_letter_)?queue = "(.+?)"/gm)].flatMap((match) => match[1] ?? []),
  ),
];
const buckets = [...toml.matchAll(/^bucket_name = "(.+?)"/gm)].flatMap((match) => match[1] ?? []);
const variables = VARIABLES.filter((name) => process.env[name] !== undefined);
const secrets = ["MASTER_KEY", "SESSION_KEY", "BOOTSTRAP_KEY"] as const;

class Failure extends Error {}

/** Secrets that the operator writes. */
const operators = { OAUTH_APPS: oauthApps, MEMBER_SIGN_IN: memberSignIn };
type Operators = keyof typeof operators;

/** A secret of the operator's, and where it was found; undefined when none is given. */
function given(name: Operators): { text: string; place: string } | undefined {
  const file = join(root, ".dev.vars");
  const inFile = existsSync(file) ? parseEnv(readFileSync(file, "utf8"))[name] : undefined;
  const inEnvironment = process.env[name];
  const text = inEnvironment ?? inFile;
  if (text === undefined || text === "") return undefined;
  const issue = operators[name].safeParse(text).error?.issues[0];
  if (issue !== undefined)
    throw new Failure(`${[name, ...issue.path].join(".")}: ${issue.message}`);
  return { text, place: inEnvironment === undefined ? ".dev.vars" : "the environment" };
}

function tryWrangler(...args: string[]) {
  const { status, stdout, stderr } = spawnSync("wrangler", args, {
    cwd: root,
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
      CI: "1",
      TRIBUTARY_PREPARED: "1",
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_OUTPUT_FILE_PATH: output,
    },
  });
  return { ok: status === 0, stdout, text: `${stdout}${stderr}`.trim() };
}

function wrangler(...args: string[]): string {
  const { ok, stdout, text } = tryWrangler(...args);
  if (!ok) throw new Failure(`wrangler ${args.join(" ")} failed:\n${text}`);
  return stdout;
}

const done = (what: string) => console.log(`  ${what}`);
function databaseId(): string {
  type Row = { name: string; uuid: string };
  const list = (): Row[] => JSON.parse(wrangler("d1", "list", "--json"));
  const find = () => list().find((row) => row.name === database)?.uuid;
  const known = find();
  if (known === undefined) wrangler("d1", "create", database);
  done(`D1 database "${database}" ${known === undefined ? "created" : "found"}`);
  const id = known ?? find();
  if (id === undefined)
    throw new Failure(`D1 database "${database}" was created but is not listed`);
  return id;
}

/** The committed configuration with the account's database, for a file one folder further down. */
function writeConfig(id: string): void {
  const text = toml
    .replace(/^database_name = .*$/m, `$&\ndatabase_id = "${id}"`)
    .replace(/^(main|migrations_dir) = "(.+)"$/gm, '$1 = "../$2"');
  writeFileSync(config, text);
}

function create(what: "queue" | "bucket", name: string): void {
  const command = what === "queue" ? ["queues"] : ["r2", "bucket"];
  const found = tryWrangler(...command, "info", name).ok;
  if (!found) wrangler(...command, "create", name);
  done(`${what} "${name}" ${found ? "found" : "created"}`);
}

/** Deploys with the secrets that are absent; existing ones are never replaced, but by what is `given`. */
function deploy(given: Record<string, string>): string {
  const listed = tryWrangler("secret", "list", "--format", "json", "--config", config);
  const present: string[] = listed.ok
    ? JSON.parse(listed.stdout).map((row: { name: string }) => row.name)
    : [];
  const absent = secrets.filter((name) => !present.includes(name));
  const args = ["deploy", "--config", config, "--keep-vars"];
  for (const name of variables) args.push("--var", `${name}:${process.env[name]}`);
  const file = join(pending, "secrets.json");
  const begun = existsSync(pending);
  const set = [...absent, ...Object.keys(given)];
  if (set.length > 0) {
    const keys = absent.length > 0 ? identityOf(pending).keys : undefined;
    const made = absent.map((name) => [name, keys?.[name]]);
    writePrivate(file, JSON.stringify({ ...Object.fromEntries(made), ...given }));
    args.push("--secrets-file", file);
  }
  rmSync(output, { force: true });
  try {
    wrangler(...args);
  } finally {
    rmSync(file, { force: true });
  }
  if (!begun && !absent.includes("BOOTSTRAP_KEY"))
    rmSync(pending, { recursive: true, force: true });
  done(set.length > 0 ? `secrets ${set.join(", ")} set` : "secrets found");
  const url = /"targets":\["(.+?)"/.exec(readFileSync(output, "utf8"))?.[1];
  if (url === undefined) throw new Failure("The deployed Worker has no URL: add a route to it");
  const [publicUrl = ""] = (process.env.TRIBUTARY_PUBLIC_URL ?? "").split(",");
  return publicUrl.trim() || (url.startsWith("http") ? url : `https://${url}`);
}

/** The first answer to a request that is `good`, as text; a new Worker may need some seconds to be reachable. */
async function askWorker(
  url: string,
  init: RequestInit,
  good: (status: number) => boolean,
): Promise<string> {
  let last = "no answer";
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const response = await fetch(url, init).catch(() => undefined);
    const text = await response?.text().catch(() => undefined);
    if (response !== undefined && text !== undefined) {
      if (good(response.status)) return text;
      last = `${response.status} ${text}`;
    }
    await sleep(2000);
  }
  throw new Failure(`${init.method ?? "GET"} ${url}: ${last}. Run the deployment again`);
}

/** Whether the Worker knows an address of its own; it answers in JSON, whether it is ready or not. */
async function knowsItsAddress(url: string): Promise<boolean> {
  const text = await askWorker(`${url}/readyz`, {}, (status) => status === 200 || status === 503);
  const { parts }: { parts?: { publicUrl?: { status?: string } } } = JSON.parse(text);
  return parts?.publicUrl?.status === "ok";
}

/** Tells a Worker that knows no address of its own the one that it was deployed at. */
async function writeAddressBack(url: string): Promise<void> {
  if ((process.env.TRIBUTARY_PUBLIC_URL ?? "") !== "") return;
  if (await knowsItsAddress(url)) return done("TRIBUTARY_PUBLIC_URL found");
  const address = `TRIBUTARY_PUBLIC_URL:${url}`;
  wrangler("deploy", "--config", config, "--keep-vars", "--var", address);
  done(`TRIBUTARY_PUBLIC_URL set to ${url}`);
}

/** Creates the first organization. */
async function bootstrap(baseUrl: string): Promise<void> {
  if (!existsSync(join(pending, "tributary.json"))) return done("first organization found");
  const { keys, account } = identityOf(pending);
  const request = {
    method: "POST",
    headers: {
      authorization: `Bearer ${keys.BOOTSTRAP_KEY}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ organizationName: "Tributary", ...account }),
  };
  const text = await askWorker(`${baseUrl}/v1/bootstrap`, request, (status) => status < 300);
  done("first organization created. This is shown once; keep it:");
  const { organizationId } = JSON.parse(text);
  console.log({ baseUrl, organizationId, ...account, masterKey: keys.MASTER_KEY });
  rmSync(pending, { recursive: true });
}

async function main(): Promise<void> {
  const names: Operators[] = ["OAUTH_APPS", "MEMBER_SIGN_IN"];
  const found = names.map((name) => ({ name, ...given(name) }));
  const told = found.map(({ name, place }) =>
    place === undefined
      ? `leave the secret ${name} as it is`
      : `set the secret ${name} from ${place}`,
  );
  console.log(`On your Cloudflare account this will
  find or create the D1 database "${database}" and apply the migrations
  find or create the queues ${[...queues, ...buckets.map((name) => `and the bucket ${name}`)].join(", ")}
  deploy the Worker at once, with ${variables.join(", ") || "no variables"} from the environment
    (objects keep the code of before for some minutes; both versions understand each other)
  set the secrets ${secrets.join(", ")} where absent
  ${told.join("\n  ")}
  create the first organization and print its credentials once
`);
  if (process.argv.includes("--dry-run")) return;
  mkdirSync(join(root, ".wrangler"), { recursive: true });
  if (!tryWrangler("whoami", "--json").ok) {
    throw new Failure("Sign in first: npx wrangler login, or set CLOUDFLARE_API_TOKEN");
  }
  writeConfig(databaseId());
  for (const queue of queues) create("queue", queue);
  for (const bucket of buckets) create("bucket", bucket);
  wrangler("d1", "migrations", "apply", "DB", "--remote", "--config", config);
  done("migrations applied");
  const baseUrl = deploy(
    Object.fromEntries(
      found.flatMap(({ name, text }) => (text === undefined ? [] : [[name, text]])),
    ),
  );
  done(`Worker deployed at ${baseUrl}`);
  await writeAddressBack(baseUrl);
  await bootstrap(baseUrl);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Failure ? error.message : error);
  process.exitCode = 1;
}
