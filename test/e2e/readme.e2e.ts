import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startReceiver } from "../vendors/receiver.ts";
import { sharedStack } from "./shared.ts";

/** The first block of shell commands below a heading of the README. */
function commandsBelow(heading: string): string[] {
  const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const [, section = ""] = readme.split(`## ${heading}\n`);
  const [, block = ""] = section.split("```sh\n");
  return (block.split("```")[0] ?? "").trim().split("\n");
}

/** Does what a line with curl and a body would. */
async function run(line: string, baseUrl: string, authorization: string): Promise<any> {
  const [, path = "", body = ""] =
    /^curl -s \$BASE(\S+) -H "Authorization: \$AUTH" -d '(.*)'$/.exec(line) ?? [];
  const response = await fetch(baseUrl + path, {
    method: "POST",
    headers: { authorization },
    body,
  });
  return response.json();
}

it("publishes to a customer as the README prints it", async () => {
  const [stack, receiver] = await Promise.all([sharedStack(), startReceiver()]);
  const { baseUrl, local } = stack;
  const authorization = `User ${local.userSecret}, Organization ${local.organizationSecret}`;
  const lines = commandsBelow("Publish to your customers").map((line) =>
    line.replace("http://127.0.0.1:8790", receiver.url),
  );
  expect(lines).toHaveLength(3);
  let answer: unknown;
  for (const line of lines) answer = await run(line, baseUrl, authorization);
  expect(answer).toEqual({ id: "inv_17", duplicate: false, destinations: 1 });
  const [told] = await receiver.waitFor(1);
  expect(told?.body).toMatchObject({ id: "inv_17", type: "invoice.paid", tenant: "acme" });
  await receiver.close();
});
