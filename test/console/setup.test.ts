import { env } from "cloudflare:workers";
import { applyD1Migrations, createExecutionContext } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import { app } from "../../src/app";
import { openBrowser } from "./build";

const bindings = { ...env, DB: env.NEW };
const visitor = () => openBrowser((url, init) => app.request(url, init, bindings));

beforeAll(() => applyD1Migrations(env.NEW, env.MIGRATIONS));

it("a deployment that nobody has set up is set up by a page, once, by whoever has the bootstrap key", async () => {
  const browser = visitor();
  const asked = await browser.get("/console/sign-in");
  expect(asked).toMatchObject({ status: 303, location: "/console/setup" });
  expect((await browser.get("/console/setup")).html).toContain("Set up Tributary");

  const key = env.BOOTSTRAP_KEY;
  const owner = { organization: "Engines", email: "ada@engines.example", password: "a good one 1" };
  const post = (fields: Record<string, string>) => browser.post("/console/setup", fields);
  const refused = await post({ ...owner, key: "another" });
  expect(refused.status).toBe(401);
  expect(refused.html).toContain("Expected the bootstrap key of this Worker");
  const faulty = await post({ organization: " ", email: "ada", password: "password", key });
  expect(faulty.status).toBe(400);
  for (const fault of ["a name of 1 to 200", "an e-mail address", "10,000 commonest"])
    expect(faulty.html).toContain(fault);
  expect(browser.cookies.size).toBe(0);

  const done = await post({ ...owner, key });
  expect(done.status).toBe(200);
  const [apiKey = ""] = /trk_[\w-]{43}/.exec(done.html) ?? [];
  expect(browser.cookies.size).toBe(1);
  const stats = await app.request(
    "/v1/organization",
    { headers: { authorization: `Bearer ${apiKey}` } },
    bindings,
    createExecutionContext(),
  );
  expect(stats.status).toBe(200);

  const late = visitor();
  for (const answer of [
    await late.get("/console/setup"),
    await late.post("/console/setup", { key }),
  ])
    expect(answer).toMatchObject({ status: 303, location: "/console/sign-in" });
  expect((await late.get("/console/sign-in")).status).toBe(200);
});
