#!/usr/bin/env node
/**
 * The `tributary` command (reference resource-api.md §12). Messages on stderr, data on stdout; exit
 * code 0, or 1 on any error.
 */
import { Command, Option } from "commander";
import { ordered, place } from "./resources/apply.ts";
import { kindsIn, readDocuments } from "./resources/documents.ts";
import { editResource } from "./resources/edit.ts";
import { explanation } from "./resources/explain.ts";
import { Failure } from "./resources/failure.ts";
import { getResources, placesOf } from "./resources/get.ts";
import { bare, logIn } from "./resources/login.ts";
import { type Format, label, put, say } from "./resources/render.ts";
import { deleteOne, targetOf } from "./resources/remove.ts";
import { confirmed, openSession } from "./resources/session.ts";
import { showDifferences } from "./resources/show-differences.ts";
import { definitionsOf, itemPath } from "./resources/definitions.ts";
import { write } from "./resources/write.ts";
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

program
  .command("apply")
  .description("create what is new, update what has changed")
  .addOption(files().makeOptionMandatory())
  .option("-y, --yes", "ask nothing")
  .addOption(output())
  .option("--subresource <name>", "only this subresource")
  .action(async ({ file, ...options }: WriteOptions) =>
    write(await readDocuments(file), { ...options, createOnly: false }),
  );

program
  .command("create")
  .description("create resources that are not there yet")
  .addOption(files().makeOptionMandatory())
  .option("-y, --yes", "ask nothing")
  .addOption(output())
  .action(async ({ file, ...options }: WriteOptions) =>
    write(await readDocuments(file), { ...options, createOnly: true }),
  );

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
    const { api, definitions } = await openSession(words.split(","));
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
    const how = { wait: options.wait === true, forceDelete: options.forceDelete === true };
    const read = options.file === undefined ? undefined : await readDocuments(options.file);
    const { api, definitions } = await openSession(read === undefined ? [kind] : kindsIn(read));
    if (read !== undefined) {
      const { placed, failed } = place(read, definitions);
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
  .action((kind: string, name: string, { scope }: { scope?: string }) =>
    editResource(kind, name, scope),
  );

program
  .command("diff")
  .description("what apply would change")
  .addOption(files().makeOptionMandatory())
  .action(({ file }: { file: string[] }) => showDifferences(file));

program
  .command("explain")
  .description("what a kind is made of")
  .argument("<kind>")
  .action(async (kind: string) => {
    const { api, definitions } = await openSession([kind]);
    const [first] = definitionsOf(kind, definitions);
    const ofKind = definitions.filter((definition) => definition.kind === first?.kind);
    const { body } = await api.call("GET", "/docs");
    for (const line of explanation(ofKind, isObject(body) ? body : {})) put(line);
  });

// The reader of a pipe may close it before the end (`| head`).
process.stdout.on("error", () => process.exit());

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = 1;
  say(`✖ ${error instanceof Error ? error.message : String(error)}`);
}
