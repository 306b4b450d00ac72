import { expect } from "vitest";
import { formTokenIn } from "../accounts/things";
import { callV1 } from "../elements/build";
import { firstOrganization, type Own, ownOrganization } from "../organization";
import { type Browser, openBrowser, type Shown } from "./build";

/** Somebody in the portal of a tenant. */
export type Visitor = Browser & {
  /** What forms of its pages have. */
  formToken: string;
  /** Sends a form as the pages do. */
  act(path: string, fields?: Record<string, string>): Promise<Shown>;
};

/** An organization of its own, with tenants, their endpoints and their people. */
export async function operator() {
  await firstOrganization();
  const own: Own = await ownOrganization();
  const call = async (method: string, path: string, body?: unknown) =>
    callV1(method, path, own.authorization, body);
  const done = async (method: string, path: string, body?: unknown) => {
    const answer = await call(method, path, body);
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  return {
    own,
    call,
    done,
    tenant: async (name = "Acme"): Promise<string> =>
      (await done("POST", "/tenants", { id: `t-${crypto.randomUUID()}`, name })).id,
    /** At an address that nobody else has. */
    endpoint: async (wants: object): Promise<{ id: string; url: string }> => {
      const url = `https://${crypto.randomUUID()}.example/hook`;
      return { url, id: (await done("POST", "/destinations", { url, ...wants })).id };
    },
    link: async (tenant: string, asked: object = { access: "write" }): Promise<string> =>
      new URL((await done("POST", `/tenants/${tenant}/portal-sessions`, asked)).url).pathname,
  };
}

/** Opens a link. */
export async function enter(link: string): Promise<Visitor> {
  const browser = openBrowser();
  expect((await browser.get(link)).status).toBe(303);
  const formToken = formTokenIn((await browser.get("/portal")).html);
  return {
    ...browser,
    formToken,
    act: (path, fields = {}) => browser.post(path, { formToken, ...fields }),
  };
}
