import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { snippets, STANDARD } from "../../src/console/portal/verify/snippets";
import { standardHeaders } from "../../src/delivery/signature";

/** What the portal offers receivers, run in each language that is on this machine; the others are skipped, and so is Go but in the long form. */

const folder = mkdtempSync(join(tmpdir(), "snippets-"));
afterAll(() => rmSync(folder, { recursive: true }));

const [SECRET, OTHER] = [1, 2].map((n) => `whsec_${Buffer.alloc(32, n).toString("base64")}`);
const BODY = '{"type":"order.paid","data":{"text":"ä€😀"}}';

type Case = { secret: string; id: string; timestamp: string; signature: string; body: string };

function signed(secrets: string[], at = Date.now()): Case {
  const signers = secrets.map((secret) => ({ algorithm: "v1" as const, secret }));
  const headers = standardHeaders("msg_1", at, BODY, signers);
  return {
    secret: SECRET ?? "",
    id: "msg_1",
    timestamp: headers["webhook-timestamp"] ?? "",
    signature: headers["webhook-signature"] ?? "",
    body: BODY,
  };
}

const good = () => signed([SECRET ?? ""]);
const CASES: [string, () => Case, boolean][] = [
  ["as it was sent", good, true],
  ["beside another key's", () => signed([OTHER ?? "", SECRET ?? ""]), true],
  ["another key's", () => signed([OTHER ?? ""]), false],
  ["another body", () => ({ ...good(), body: `${BODY} ` }), false],
  ["another id", () => ({ ...good(), id: "msg_2" }), false],
  ["too old", () => signed([SECRET ?? ""], Date.now() - 400_000), false],
  ["too new", () => signed([SECRET ?? ""], Date.now() + 400_000), false],
  ["no timestamp", () => ({ ...good(), timestamp: "" }), false],
  ["no signature", () => ({ ...good(), signature: "" }), false],
  ["no version", () => ({ ...good(), signature: good().signature.replace("v1,", "") }), false],
];

/** How a language's file is called and run, and what makes a program of it: five arguments a message, a line for each. */
type Runner = { file: string; run: string[]; program: (text: string) => string; isThere: string[] };

const RUNNERS: Record<string, Runner> = {
  TypeScript: {
    file: "verify.ts",
    isThere: [process.execPath, "--version"],
    run: [process.execPath, "--experimental-strip-types", "--no-warnings"],
    program: (text) => `${text}
const all = process.argv.slice(2);
for (let at = 0; at < all.length; at += 5) {
  const [secret = "", id, timestamp, signature, body = ""] = all.slice(at, at + 5);
  console.log(verify(secret, { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature }, body));
}
`,
  },
  Python: {
    file: "verify.py",
    isThere: ["python3", "--version"],
    run: ["python3"],
    program: (text) => `${text}
import sys
for at in range(1, len(sys.argv), 5):
    secret, message, timestamp, signature, body = sys.argv[at : at + 5]
    names = {"webhook-id": message, "webhook-timestamp": timestamp, "webhook-signature": signature}
    print(str(verify(secret, names, body.encode())).lower())
`,
  },
  Go: {
    file: "verify.go",
    isThere: ["go", "version"],
    run: ["go", "run"],
    program: (text) => `${text.replace('"fmt"', '"fmt"\n\t"os"')}
func main() {
	for at := 1; at < len(os.Args); at += 5 {
		one := os.Args[at : at+5]
		names := map[string]string{"webhook-id": one[1], "webhook-timestamp": one[2], "webhook-signature": one[3]}
		fmt.Println(Verify(one[0], func(name string) string { return names[name] }, []byte(one[4])))
	}
}
`,
  },
  PHP: {
    file: "verify.php",
    isThere: ["php", "--version"],
    run: ["php"],
    program: (text) => `${text}
foreach (array_chunk(array_slice($argv, 1), 5) as [$secret, $id, $timestamp, $signature, $body]) {
    $names = ["webhook-id" => $id, "webhook-timestamp" => $timestamp, "webhook-signature" => $signature];
    echo verify($secret, $names, $body) ? "true\\n" : "false\\n";
}
`,
  },
  Ruby: {
    file: "verify.rb",
    isThere: ["ruby", "--version"],
    run: ["ruby"],
    program: (text) => `${text}
ARGV.each_slice(5) do |secret, id, timestamp, signature, body|
  puts verify(secret, { "webhook-id" => id, "webhook-timestamp" => timestamp, "webhook-signature" => signature }, body)
end
`,
  },
  Java: {
    file: "Webhook.java",
    isThere: ["javac", "-version"],
    run: ["java"],
    program: (text) => `${text.trimEnd().slice(0, -1)}
  public static void main(String[] all) throws GeneralSecurityException {
    for (int at = 0; at < all.length; at += 5) {
      Map<String, String> names =
          Map.of("webhook-id", all[at + 1], "webhook-timestamp", all[at + 2], "webhook-signature", all[at + 3]);
      System.out.println(verify(all[at], names, all[at + 4].getBytes(UTF_8)));
    }
  }
}
`,
  },
};

/** Go compiles its library first, which takes a minute where nobody has done so: only in the long form. */
const isLong = process.env["TRIBUTARY_TEST"] === "long";
const isThere = ({ isThere: [command = "", ...rest] }: Runner): boolean =>
  (isLong || command !== "go") && spawnSync(command, rest).status === 0;

it.each(Object.entries(RUNNERS).filter(([, runner]) => isThere(runner)))(
  "verifies messages in %s",
  (language, { file, run: [command = "", ...rest], program }) => {
    const [, text = ""] = snippets(STANDARD).find(([name]) => name === language) ?? [];
    const path = join(folder, file);
    writeFileSync(path, program(text));
    const given = CASES.map(([, make]) => make()).flatMap((one) => [
      one.secret,
      one.id,
      one.timestamp,
      one.signature,
      one.body,
    ]);
    const env = { ...process.env, LC_ALL: "C.UTF-8" };
    const lines = execFileSync(command, [...rest, path, ...given], { env, encoding: "utf8" });
    const told = lines.trim().split("\n");
    expect(CASES.map(([name], index) => [name, told[index]])).toEqual(
      CASES.map(([name, , isGood]) => [name, String(isGood)]),
    );
  },
  120_000,
);

it.skip.each(
  snippets(STANDARD).flatMap(([language]) => {
    const runner = RUNNERS[language];
    return runner === undefined || !isThere(runner) ? [[language]] : [];
  }),
)("verifies messages in %s, which is not on this machine or takes too long", () => {});

it("names the headers as an endpoint does", () => {
  const names = { id: "x-id", timestamp: "x-time", signature: "x-sign" };
  for (const [language, text] of snippets(names))
    for (const name of Object.values(names))
      expect({ language, text }).toEqual({ language, text: expect.stringContaining(name) });
});
