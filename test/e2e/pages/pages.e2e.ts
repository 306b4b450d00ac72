import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TABLE } from "../../accounts/routes-by-role.ts";
import { pathOf } from "../../accounts/things.ts";
import { codeOf } from "../../console/two-step.ts";
import { WAIT_MS } from "../../patience.ts";
import { NARROW, openChromium, openPage, pictures, signIn, WIDE } from "../browser.ts";
import { sharedStack } from "../shared.ts";
import type { Platform } from "../stack.ts";
import { found, type Founded } from "../founded.ts";

/**
 * Every page of the console as axe, a laptop and a telephone see it, by day and by night. The pages are the routes' own:
 * a new one is looked at by itself, as in the portal; those on which people of a tenant connect an account are visited as they come. With `SCREENSHOTS`, each is kept as pictures in that folder.
 */

let stack: Platform;
let browser: Browser;
let founded: Founded;
let page: Page;
let said: string[];

beforeAll(async () => {
  [stack, browser] = await Promise.all([sharedStack(), openChromium()]);
  founded = await found(stack);
  ({ page, faults: said } = await openPage(browser));
});
afterAll(async () => {
  await browser?.close();
  await founded?.close();
});

const routesIn = (mount: string): string[] =>
  Object.keys(TABLE).flatMap((line) =>
    line.startsWith(`GET ${mount}`) ? [line.slice("GET ".length)] : [],
  );
const ROUTES = routesIn("/console");
/** Of those who aren't signed in. */
const OUTSIDE = [
  "/console/sign-in",
  "/console/sign-in/oidc",
  "/console/sign-in/oidc/back",
  "/console/invitations/:token",
];
/** Nobody comes there by an address alone, or stays there. */
const BETWEEN = ["/console/sign-in/code", "/console/setup", "/console/connected"];
/** What says why it can't be shown; all other pages are answered with 200. */
const REFUSED: Record<string, number> = {
  "/console/sign-in/oidc": 404,
  "/console/sign-in/oidc/back": 404,
};
/** Lists, which say what to do while there is nothing in them. */
const LISTS = [
  "",
  "/instances",
  "/destinations",
  "/events",
  "/apps",
  "/apps/templates",
  "/resources",
];

const SCRIPTS = [
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  join(import.meta.dirname, "in-page.js"),
]
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

/** What is wrong with the page, by its name. Colours don't depend on the width, nor what stands where on the colours. */
async function look(name: string): Promise<Record<string, string[]>> {
  const faults = new Set(said.splice(0));
  await page.evaluate(SCRIPTS);
  for (const [viewport, colorScheme] of [
    [NARROW, "dark"],
    [WIDE, "light"],
  ] as const) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    for (const fault of (await page.evaluate("lookAt()")) as string[])
      faults.add(`${viewport.width}: ${fault}`);
  }
  if (process.env["SCREENSHOTS"]) await pictures(page, name.replaceAll(/[^a-z0-9]+/gi, "-"));
  return faults.size === 0 ? {} : { [name]: [...faults] };
}

async function visit(path: string, name = path, status = 200): Promise<Record<string, string[]>> {
  const response = await page.goto(stack.baseUrl + path);
  if (response?.status() !== status) return { [name]: [`it answered ${response?.status()}`] };
  return look(name);
}

/** Visits pages of routes, whose titles tell them from all others. */
async function visitAll(routes: readonly string[], titles: Map<string, string>): Promise<object> {
  const faults: Record<string, string[]> = {};
  const paths = await Promise.all(routes.map((route) => pathOf("GET", route, founded.things)));
  for (const [at, route] of routes.entries()) {
    Object.assign(faults, await visit(paths[at] ?? "", route, REFUSED[route]));
    const title = await page.title();
    const other = titles.get(title);
    if (other !== undefined && REFUSED[route] === undefined)
      faults[`title of ${route}`] = [`'${title}', as ${other}`];
    titles.set(title, route);
  }
  return faults;
}

it(
  "are all to be seen, read and used, with and without anything in them",
  { timeout: 4 * WAIT_MS },
  async () => {
    const { owner, things } = founded;
    const titles = new Map<string, string>();
    expect.soft(await visitAll(OUTSIDE, titles)).toEqual({});
    await signIn(page, `${stack.baseUrl}/console`, owner);
    for (const path of LISTS) expect(await visit(`/console${path}`, `${path}, empty`)).toEqual({});

    await founded.trouble();
    const inside = ROUTES.filter((route) => ![...BETWEEN, ...OUTSIDE].includes(route));
    expect.soft(await visitAll(inside, titles)).toEqual({});
    const environment = `/console/resources/management/environments/${await things.environment()}`;
    for (const [path, status] of [
      ["/console/nothing", 404],
      ["/console/events?from=nonsense", 200],
      ["/console/connect/box", 200],
      ["/console/connectors/sandbox", 200],
      [`${environment}/webhooks`, 200],
      [`${environment}/resourcehooks`, 200],
    ] as const)
      expect.soft(await visit(path, path, status)).toEqual({});
    await page.setViewportSize(NARROW);
    await page.goto(`${stack.baseUrl}/console`);
    expect(await page.evaluate("document.documentElement.scrollHeight")).toBeLessThan(3_500);
  },
);

it("are so at each step of a viewer's sign-in, and where viewers may not go", async () => {
  const { viewer } = founded;
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  await page.context().clearCookies();
  await signIn(page, `${stack.baseUrl}/console/two-step`, viewer);
  expect.soft(await visit("/console/audit", "audit, of a viewer", 403)).toEqual({});

  await page.goto(`${stack.baseUrl}/console/two-step`);
  await page.getByLabel("Present password").fill(viewer.password);
  await press("Set up");
  const secret = await page.locator("code").innerText();
  expect.soft(await look("two-step, of an app")).toEqual({});
  await page
    .getByRole("textbox", { name: "Code" })
    .fill(codeOf(secret.replaceAll(" ", ""), Date.now()));
  await press("Ask for codes from now on");
  expect.soft(await look("two-step, recovery codes")).toEqual({});
  expect.soft(await visit("/console/two-step", "two-step, in use")).toEqual({});
  await page.context().clearCookies();
  await page.goto(`${stack.baseUrl}/console/sign-in`);
  await page.getByLabel("E-mail").fill(viewer.email);
  await page.getByLabel("Password").fill(viewer.password);
  await press("Sign in");
  await page.getByLabel("Code").waitFor();
  expect.soft(await look("the code of a sign-in")).toEqual({});
});

/** A square of one colour. */
const LOGO =
  "data:image/svg+xml;base64,PHN2ZyB4bWxucz0naHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmcnIHZpZXdCb3g9JzAgMCA4IDgnPjxyZWN0IHdpZHRoPSc4JyBoZWlnaHQ9JzgnIGZpbGw9JyNmYzAnLz48L3N2Zz4=";

it("are so in the portal of a tenant, in a colour that nobody could read", async () => {
  const { things } = founded;
  const tenant = await things.tenant();
  const brand = { name: "Acme Events", logo: LOGO, accent: "#ffee00" };
  const path = `/tenants/${tenant}/portal-sessions`;
  const { body } = await things.v1("POST", path, { access: "write", brand });
  await page.context().clearCookies();
  await page.goto(`${stack.baseUrl}${new URL(body.url).pathname}`);
  expect.soft(await look("portal, empty")).toEqual({});
  await page.getByLabel("URL").fill("ftp://nowhere");
  await page.getByRole("button", { name: "Add the endpoint" }).click();
  await page.getByText("This is not saved yet:").waitFor();
  expect.soft(await look("portal, faults")).toEqual({});
  await things.message();
  await things.eventType();
  const routes = routesIn("/portal").filter((route) => !route.endsWith("/:token"));
  expect.soft(await visitAll(routes, new Map())).toEqual({});
  await page.context().clearCookies();
  expect.soft(await visit("/portal", "portal, over", 401)).toEqual({});
});

it("are so where people of a tenant connect an account, from the choice to the end", async () => {
  const { things } = founded;
  const tenant = await things.tenant();
  await things.v1("PUT", "/oauth-apps/box", { key: "client", secret: "client-secret" });
  const asked = { connectors: ["box", "github", await things.connector()], name: "Issues of Ada" };
  const { body } = await things.v1("POST", `/tenants/${tenant}/connect-sessions`, asked);
  const { pathname } = new URL(body.url);
  const press = () => page.getByRole("button", { name: "Connect", exact: true }).click();
  expect.soft(await visit(pathname, "connect, the choice")).toEqual({});
  expect.soft(await visit("/connect/to/box", "connect, by consent")).toEqual({});
  await page.goto(`${stack.baseUrl}/connect/to/github`);
  await press();
  await page.getByText("It is not connected yet:").waitFor();
  expect.soft(await look("connect, faults")).toEqual({});
  await page.goto(`${stack.baseUrl}/connect/to/${await things.connector()}`);
  await page.getByLabel("Token").fill("t");
  await press();
  await page.getByRole("heading", { name: "Connected", exact: true }).waitFor();
  expect.soft(await look("connect, done")).toEqual({});
  expect.soft(await visit(pathname, "connect, over", 401)).toEqual({});
});
