#!/usr/bin/env node
/**
 * The `tributary` command (reference resource-api.md §12). Messages on stderr, data on stdout; exit
 * code 0, or 1 on any error.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Command, Option } from "commander";
import { stringify } from "yaml";
import { Api, ApiError } from "./resources/api.ts";
import { applyAll, isSameResource, ordered, place, where } from "./resources/apply.ts";
import { differences, diffLines, withDefaults } from "./resources/diff.ts";
import { type Read, readDocuments } from "./resources/documents.ts";
import { explanation, specSchema } from "./resources/explain.ts";
import { Failure } from "./resources/failure.ts";
import { getResources, placesOf } from "./resources/get.ts";
import { bare, connection, logIn } from "./resources/login.ts";
import { type Format, label, printResources, put, say } from "./resources/render.ts";
import { deleteOne, targetOf } from "./resources/remove.ts";
import { collectionPath, definitionsOf, discover, itemPath } from "./resources/words.ts";
import { isObject } from "../values/record.ts";

const program = new Command("tributary")
  .description("Resources of a Tributary deployment, from files and from the command line")
  .showHelpAfterError();

const output = () => new Option("-o, --output <format>").choices(["yaml", "json"]);
const files = () =>
  new Option(
    "-f, --file <path...>",
    "files (.yaml, .yml, .json), folders, or - for standard input",
  );
const scopeOption = () => new Option("-s, --scope <scope>", "[ScopeKind/]name");

/** Every command that speaks to the server begins with what the server has. */
async function session() {
  const api = new Api(connection());
  return { api, definitions: await discover(api) };
}

program
  .command("login")
  .description("keep an address and an API key for later commands")
  .requiredOption("--url <url>")
  .requiredOption("--token <key>", "API key")
  .option("--tenant <id>", "organization id")
  .action(async ({ url, token, tenant }: Record<string, string>) => {
    const path = await logIn({ url: bare(url ?? ""), token: token ?? "", tenant });
    say(`✔ Logged in to ${bare(url ?? "")}, kept in ${path}`);
  });

type WriteOptions = { file: string[]; output?: Format; subresource?: string };

async function write(options: WriteOptions, createOnly: boolean): Promise<void> {
  await writeAll(await readDocuments(options.file), options, createOnly);
}

async function writeAll(
  read: Read,
  options: Omit<WriteOptions, "file">,
  createOnly: boolean,
): Promise<void> {
  const { api, definitions } = await session();
  const { placed, failed } = place(read, definitions);
  const applied = await applyAll(api, ordered(placed, definitions), definitions, {
    createOnly,
    subresource: options.subresource,
  });
  if (options.output !== undefined && applied.resources.length > 0)
    printResources(applied.resources, options.output);
  if (failed || applied.failed) process.exitCode = 1;
}

program
  .command("apply")
  .description("create what is new, update what has changed")
  .addOption(files().makeOptionMandatory())
  .option("-y, --yes", "ask nothing")
  .addOption(output())
  .option("--subresource <name>", "only this subresource")
  .action((options: WriteOptions) => write(options, false));

program
  .command("create")
  .description("create resources that are not there yet")
  .addOption(files().makeOptionMandatory())
  .option("-y, --yes", "ask nothing")
  .addOption(output())
  .action((options: WriteOptions) => write(options, true));

type GetOptions = {
  scope?: string;
  query?: string;
  title?: string;
  tag?: string;
  attribute?: string;
  output?: Format;
};

program
  .command("get")
  .description("show resources")
  .argument("<kinds>", "one or more kinds, comma-separated")
  .argument("[name]")
  .addOption(scopeOption())
  .option("-q, --query <rsql>")
  .option("--title <text>", "titles that contain this")
  .option("--tag <tag>")
  .option("--attribute <key=value>")
  .addOption(output())
  .action(async (words: string, name: string | undefined, options: GetOptions) => {
    const { api, definitions } = await session();
    const { scope, query, title, tag, attribute } = options;
    const request = { words, name, scope, query, title, tag, attribute };
    if (!(await getResources(api, definitions, request, options.output))) process.exitCode = 1;
  });

type DeleteOptions = {
  scope?: string;
  file?: string[];
  wait?: true;
  yes?: true;
  forceDelete?: true;
};

program
  .command("delete")
  .description("delete a resource, or those of files")
  .argument("[kind]")
  .argument("[name]")
  .addOption(scopeOption())
  .addOption(files())
  .option("--wait", "until it is gone")
  .option("-y, --yes", "ask nothing")
  .option("--forceDelete", "whatever its finalizers say")
  .action(async (kind: string | undefined, name: string | undefined, options: DeleteOptions) => {
    const { api, definitions } = await session();
    const how = { wait: options.wait === true, forceDelete: options.forceDelete === true };
    if (options.file !== undefined) {
      const { placed, failed } = place(await readDocuments(options.file), definitions);
      if (failed) process.exitCode = 1;
      const targets = ordered(placed, definitions)
        .toReversed()
        .map((one) => targetOf(one, definitions));
      for (const target of targets) if (!(await deleteOne(api, target, how))) process.exitCode = 1;
      return;
    }
    if (kind === undefined || name === undefined)
      throw new Failure("Expected a kind and a name, or -f FILE");
    const [at] = placesOf(kind, options.scope, true, definitions);
    if (at === undefined) throw new Failure(`the server doesn't have a resource type "${kind}"`);
    const shown = label(at.definition.kind, name, at.scope);
    if (options.yes !== true && !(await confirmed(`Delete ${shown}?`))) return;
    const target = {
      kind: at.definition.kind,
      name,
      scope: at.scope,
      path: itemPath(at.path, name),
      at: undefined,
    };
    if (!(await deleteOne(api, target, how))) process.exitCode = 1;
  });

program
  .command("edit")
  .description("change a resource in $EDITOR")
  .argument("<kind>")
  .argument("<name>")
  .addOption(scopeOption())
  .action(async (kind: string, name: string, { scope }: { scope?: string }) => {
    const { api, definitions } = await session();
    const [at] = placesOf(kind, scope, true, definitions);
    const resource = at === undefined ? undefined : await api.get(itemPath(at.path, name));
    if (resource === undefined) throw new Failure(`"${kind}/${name}" does not exist`);
    const folder = mkdtempSync(join(tmpdir(), "tributary-edit-"));
    const path = join(folder, `${name}.yaml`);
    try {
      const before = stringify(resource);
      writeFileSync(path, before, { mode: 0o600 });
      const editor = process.env["VISUAL"] || process.env["EDITOR"] || "vi";
      const { status } = spawnSync(`${editor} "${path}"`, { shell: true, stdio: "inherit" });
      if (status !== 0) throw new Failure(`The editor ended with exit code ${status}`);
      if (readFileSync(path, "utf8") === before) return say("Nothing was changed.");
      const read = await readDocuments([path]);
      const other = read.documents.find(({ content }) => !isSameResource(content, resource));
      if (other === undefined) return await writeAll(read, {}, false);
      say(`✖ ${where(other, "name")}: Kind, name and scope can't be edited`);
      process.exitCode = 1;
    } finally {
      if (process.exitCode === undefined) rmSync(folder, { recursive: true, force: true });
      else say(`⚠ What you wrote is kept in ${path}`);
    }
  });

program
  .command("diff")
  .description("what apply would change")
  .addOption(files().makeOptionMandatory())
  .action(async ({ file }: { file: string[] }) => {
    const read = await readDocuments(file);
    const { api, definitions } = await session();
    const { placed, failed } = place(read, definitions);
    if (failed) process.exitCode = 1;
    const { body: openApi } = await api.call("GET", "/docs");
    for (const { document, definition, scope, name } of ordered(placed, definitions)) {
      const path = collectionPath(definition, scope, definitions);
      const server = name === undefined ? undefined : await api.get(itemPath(path, name));
      const { content } = document;
      const spec = withDefaults(content["spec"], specSchema(definition, openApi));
      const wanted = spec === undefined ? content : { ...content, spec };
      const found = differences(server, wanted, definition.subResources);
      const shown = label(definition.kind, name ?? "?", scope);
      if (server === undefined) put(`+ ${shown} would be created`);
      else if (found.length > 0) put(`~ ${shown}`);
      for (const line of server === undefined ? [] : diffLines(found)) put(`  ${line}`);
    }
  });

program
  .command("explain")
  .description("what a kind is made of")
  .argument("<kind>")
  .action(async (kind: string) => {
    const { api, definitions } = await session();
    const [first] = definitionsOf(kind, definitions);
    const own = definitions.filter((definition) => definition.kind === first?.kind);
    const { body } = await api.call("GET", "/docs");
    for (const line of explanation(own, isObject(body) ? body : {})) put(line);
  });

/** Asks only where somebody can answer. */
async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

// Whoever reads along may have seen enough (`| head`).
process.stdout.on("error", () => process.exit());

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = 1;
  const known = error instanceof Failure || error instanceof ApiError || error instanceof Error;
  say(`✖ ${known ? error.message : String(error)}`);
}
