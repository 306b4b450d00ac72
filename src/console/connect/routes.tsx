import { type Context, Hono } from "hono";
import { findConnector } from "../../connectors/catalog";
import type { Connector } from "../../connectors/definition";
import { connectorOf, listConnectors } from "../../connectors/store";
import type { Edited } from "../../elements/edit.io";
import { forbidden, notFound, Refusal } from "../../http/refusal";
import { authenticationOf, eventSettings, hasCredentials } from "../../instances/configuration";
import { ownInstance } from "../../instances/lookup.io";
import type { Notice } from "../page";
import { leave, readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { BROUGHT, noConsent, readBrought, VISITORS_STATE } from "./brought";
import { BackFromVendor, GoToVendor } from "./consent";
import { consentUrl, instanceOfState, newState, ownApp, readyApps } from "./consent.io";
import { edits, faultsOfRefusal, readSent, type Sent, showForm, type Subject } from "./form.io";
import { Gallery } from "./gallery";
import { previewsOf } from "./preview.io";
import { CONNECT_SCRIPT } from "./script";
import { credentialKeys } from "./sections";
import { tryCallback } from "./try-callback.io";
import { typedOf } from "./typed";

/** Vendors send people here from their own sites, so without our cookies: members, and people of tenants. */
export const backFromVendorPages = new Hono<ConsoleEnv>().get("/connected", (c) => {
  const brought = BROUGHT.flatMap((name): [string, string][] => {
    const value = c.req.query(name);
    return value === undefined ? [] : [[name, value]];
  });
  const isVisitors = c.req.query("state")?.startsWith(VISITORS_STATE) === true;
  const to = isVisitors ? "/connect/connected" : "/console/connected";
  return c.render(<BackFromVendor to={to} brought={Object.fromEntries(brought)} />, {
    title: "Almost connected",
    script: CONNECT_SCRIPT,
  });
});

export const connectPages = new Hono<ConsoleEnv>()
  .get("/connect", async (c) => {
    const all = await listConnectors(c.env.DB, c.var.asker.organizationId);
    const isBuiltIn = ({ key }: Connector): boolean => findConnector(key) !== undefined;
    return c.render(
      <Gallery
        builtIn={all.filter(isBuiltIn)}
        own={all.filter((one) => !isBuiltIn(one))}
        ready={await readyApps(c)}
      />,
      { title: "Connect an account", here: "instances" },
    );
  })
  .post("/connected", async (c) => {
    const { state, code, realmId, refusal } = readBrought(await readForm(c));
    const id = instanceOfState(c, state, Date.now());
    if (id === undefined)
      throw forbidden(
        "This consent was not begun here, or took too long: connect the instance again",
      );
    const instance = await ownInstance(c, id);
    c.set("subject", String(id));
    const there = `/console/instances/${id}`;
    if (code === undefined)
      return leave(c, there, { tone: "bad", text: noConsent(instance.connector.name, refusal) });
    try {
      await edits.change(c, instance, { providerData: { code, state, realmId } });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return leave(c, there, { tone: "bad", text: error.message });
    }
    return leave(c, there, { tone: "good", text: `Connected to ${instance.connector.name}.` });
  })
  .get("/connect/:element", async (c) => {
    const subject = await newOf(c);
    const empty = { name: "", tags: [], configuration: {} };
    return showForm(c, subject, { typed: typedOf(subject.connector, empty, true) });
  })
  .post("/connect/:element/test", async (c) => tryForm(c, await newOf(c)))
  .post("/connect/:element", async (c) => {
    const subject = await newOf(c);
    const { connector } = subject;
    const sent = await readSent(c, subject);
    const app = await ownApp(c, connector);
    const usesApp =
      app !== undefined && sent.typed.way === "oauth2" && !("oauth.api.key" in sent.secrets);
    for (const [key, fault] of lacking(connector, sent, usesApp)) sent.faults.set(key, fault);
    if (sent.faults.size > 0) return showForm(c, subject, sent);
    const { name, tags } = sent.typed;
    const body = {
      element: { key: connector.key },
      configuration: sent.configuration,
      tags: tagsIn(tags),
      ...(name === "" ? {} : { name }),
      ...(usesApp ? { providerData: { secret: app } } : {}),
    };
    try {
      return await goOn(c, await edits.create(c, body, connector));
    } catch (error) {
      return showForm(c, subject, { ...sent, faults: faultsOfRefusal(error, sent, connector) });
    }
  });

async function newOf(c: Context<ConsoleEnv>): Promise<Subject> {
  const name = c.req.param("element") ?? "";
  const connector = await connectorOf(c.env.DB, c.var.asker.organizationId, name);
  if (connector === undefined) throw notFound(`No connector '${name.slice(0, 100)}'`);
  return { connector, instance: undefined };
}

/** `a, b` as a list. */
export const tagsIn = (text: string): string[] =>
  text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");

/** Shows a form again: with a new signature key, with how its callback answered, or with what the next poll would do. */
export async function tryForm(c: Context<ConsoleEnv>, subject: Subject): Promise<Response> {
  const sent = await readSent(c, subject);
  if (sent.do === "generate") {
    const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    const made = { "event.notification.signature.key": key };
    const { typed } = sent;
    return showForm(c, subject, { typed, secrets: { ...sent.secrets, ...made }, made });
  }
  if (sent.do === "send") {
    const tested = await tryCallback(c, subject, sent);
    if (tested.ok) return showForm(c, subject, { ...sent, faults: new Map(), tested });
    return showForm(c, subject, { ...sent, faults: new Map([[tested.key, tested.message]]) });
  }
  if (sent.faults.size > 0) return showForm(c, subject, sent);
  return showForm(c, subject, { ...sent, previews: await previewsOf(c, subject, sent) });
}

/** Credentials without which a new instance could not do what its form asks for. */
function lacking(connector: Connector, { merged }: Sent, usesApp: boolean): [string, string][] {
  const { enabled, modes } = eventSettings(connector, merged);
  const { registration, extraction } = connector.webhook ?? {};
  const isCalled =
    modes.includes("polling") || extraction?.by === "feed" || registration !== undefined;
  if (!enabled || !isCalled || usesApp || hasCredentials(connector, merged)) return [];
  const needed = credentialKeys(authenticationOf(connector, merged));
  return needed
    .filter((key) => (merged[key] ?? null) === null)
    .map((key) => [key, `${connector.name} can't be called without it`]);
}

/** After an instance was made or changed: to the vendor's consent where it lacks one, else to its page. */
async function goOn(c: Context<ConsoleEnv>, { instance, warnings }: Edited): Promise<Response> {
  const { id, connector, configuration, valid } = instance;
  c.set("subject", String(id));
  const there = `/console/instances/${id}`;
  const isConsented = authenticationOf(connector, configuration).type === "oauth2";
  if (!valid && isConsented && (configuration["oauth.api.key"] ?? null) !== null)
    return toVendor(c, instance);
  return leave(c, there, noticeOf("Made: what happens in the account shows below.", warnings));
}

/** What was done, and what the person should know of what they sent. */
export const noticeOf = (text: string, warnings: readonly string[]): Notice =>
  warnings.length === 0
    ? { tone: "good", text }
    : { tone: "bad", text: `${text} But: ${warnings.join("; ")}.` };

/**
 * Sends somebody to the consent page of an instance's vendor, from a page of ours: browsers don't let a form lead to
 * another site.
 */
export async function toVendor(
  c: Context<ConsoleEnv>,
  instance: Edited["instance"],
): Promise<Response> {
  const consent = await consentUrl(c, instance, newState(c, instance.id));
  if (!consent.ok)
    return leave(c, `/console/instances/${instance.id}`, {
      tone: "bad",
      text: `${consent.message}.`,
    });
  const { name } = instance.connector;
  return c.render(<GoToVendor name={name} url={consent.url} />, {
    title: `Consent at ${name}`,
    goOn: consent.url,
  });
}
