import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** What a state folder keeps for good: the same values return at every later start on it. */
export type Identity = {
  /** Variables of the Worker. */
  keys: { MASTER_KEY: string; SESSION_KEY: string; BOOTSTRAP_KEY: string };
  /** The first organization and its admin, as `POST /v1/bootstrap` takes them. */
  account: Record<"organizationSecret" | "userSecret" | "apiKey" | "email" | "password", string>;
};

const secret = (encoding: BufferEncoding = "base64url") => randomBytes(32).toString(encoding);

/** Reads the identity of a state folder, which becomes the one that is `given`, or a new one, the first time. */
export function identityOf(state: string, given?: Identity): Identity {
  const path = join(state, "tributary.json");
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8"));
  const identity: Identity = given ?? {
    keys: { MASTER_KEY: secret("base64"), SESSION_KEY: secret("base64"), BOOTSTRAP_KEY: secret() },
    account: {
      organizationSecret: secret(),
      userSecret: secret(),
      apiKey: `trk_${secret()}`,
      email: "admin@tributary.local",
      password: randomBytes(12).toString("base64url"),
    },
  };
  writePrivate(path, `${JSON.stringify(identity, null, 2)}\n`);
  return identity;
}

/** Writes a file that only its owner may read; whoever reads it sees the old text or the new. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** The process that runs on this state folder, if one still does. */
export function ownerOf(state: string): number | undefined {
  const path = join(state, "tributary.pid");
  if (!existsSync(path)) return undefined;
  const pid = Number(readFileSync(path, "utf8"));
  try {
    const command = execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return pid !== process.pid && command.includes("stack.ts") ? pid : undefined;
  } catch {
    return undefined;
  }
}

export function claim(state: string): void {
  writePrivate(join(state, "tributary.pid"), String(process.pid));
}

export function release(state: string): void {
  const path = join(state, "tributary.pid");
  if (existsSync(path) && readFileSync(path, "utf8") === String(process.pid)) rmSync(path);
}

/**
 * The migrations of a local state: which it has had is remembered, so that a start without new ones is quick. `each`
 * and `all` are what `wrangler` is asked for.
 */
export function migrationsOf(state: string, folder: string) {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .toSorted()
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
  const hash = createHash("sha256");
  for (const { name, text } of files) hash.update(name).update(text);
  const wanted = hash.digest("hex");
  const path = join(state, "migrated");
  const where = ["DB", "--local", "--persist-to", state];
  return {
    due:
      !existsSync(join(state, "v3/d1")) ||
      !existsSync(path) ||
      readFileSync(path, "utf8") !== wanted,
    done: () => writePrivate(path, wanted),
    /** Those that are due, one after the other, for each of which `wrangler` starts a `workerd`. */
    each: ["d1", "migrations", "apply", ...where],
    /** All of them at once, in one transaction, on a state that is new; `each` knows afterwards that it had them. */
    all(): string[] {
      const script = join(state, "migrations.sql");
      const texts = files.map(
        ({ name, text }) => `${text}\nINSERT INTO d1_migrations (name) VALUES ('${name}');\n`,
      );
      writePrivate(script, [CREATE_MIGRATIONS, ...texts].join(""));
      return ["d1", "execute", ...where, "--file", script];
    },
  };
}

/** Where `wrangler d1 migrations apply` writes down what a database has had. */
const CREATE_MIGRATIONS = `CREATE TABLE d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
`;
