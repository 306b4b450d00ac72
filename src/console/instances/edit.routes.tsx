import { type Context, Hono } from "hono";
import { authenticationOf } from "../../instances/configuration";
import { consentAddress } from "../../hub/applications/edit.io";
import { ownApp } from "../connect/consent.io";
import { edits, faultsOfRefusal, readSent, showForm, type Subject } from "../connect/form.io";
import { noticeOf, tagsIn, toVendor, tryForm } from "../connect/routes";
import { typedOf } from "../connect/typed";
import { leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { DeletePage } from "./delete";
import { instanceOfPath } from "./routes";

/** Changing everything of an instance, and deleting it. */
export const instanceEditPages = new Hono<ConsoleEnv>()
  .get("/instances/:id/edit", async (c) => {
    const instance = await instanceOfPath(c);
    const { connector } = instance;
    return showForm(c, { connector, instance }, { typed: typedOf(connector, instance, false) });
  })
  .post("/instances/:id/edit/test", async (c) => tryForm(c, await subjectOf(c)))
  .post("/instances/:id/edit", async (c) => {
    const instance = await instanceOfPath(c);
    const { connector } = instance;
    const subject = { connector, instance };
    const sent = await readSent(c, subject);
    if (sent.typed.name === "") sent.faults.set("name", "Expected a name");
    if (sent.faults.size > 0) return showForm(c, subject, sent);
    const { name, tags } = sent.typed;
    const body = { name, tags: tagsIn(tags), configuration: sent.configuration };
    try {
      const { warnings } = await edits.change(c, instance, body);
      return await leave(c, `/console/instances/${instance.id}`, noticeOf("Saved.", warnings));
    } catch (error) {
      return showForm(c, subject, { ...sent, faults: faultsOfRefusal(error, sent, connector) });
    }
  })
  .post("/instances/:id/reconnect", async (c) => {
    const instance = await instanceOfPath(c);
    const { connector, configuration } = instance;
    if (authenticationOf(connector, configuration).type !== "oauth2")
      return leave(c, `/console/instances/${instance.id}/edit`, {
        tone: "bad",
        text: `${connector.name} asks for no consent: enter its credentials here.`,
      });
    const back = { "oauth.callback.url": consentAddress(c) };
    const hasKey = (configuration["oauth.api.key"] ?? "") !== "";
    const app = hasKey ? undefined : await ownApp(c, connector);
    if (app === undefined && configuration["oauth.callback.url"] === back["oauth.callback.url"])
      return toVendor(c, instance);
    const changed = await edits.change(c, instance, {
      configuration: back,
      ...(app === undefined ? {} : { providerData: { secret: app } }),
    });
    return toVendor(c, changed.instance);
  })
  .get("/instances/:id/delete", async (c) => {
    const instance = await instanceOfPath(c);
    return c.render(<DeletePage instance={instance} />, {
      title: `Delete ${instance.name}`,
      here: "instances",
    });
  })
  .post("/instances/:id/delete", async (c) => {
    const instance = await instanceOfPath(c);
    await edits.drop(c, instance);
    return leave(c, "/console/instances", { tone: "good", text: `${instance.name} is deleted.` });
  });

async function subjectOf(c: Context<ConsoleEnv>): Promise<Subject> {
  const instance = await instanceOfPath(c);
  return { connector: instance.connector, instance };
}
