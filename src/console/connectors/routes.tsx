import { type Context, Hono } from "hono";
import type { ActorEnv } from "../../accounts/audit.io";
import type { Connector } from "../../connectors/definition";
import { maskedDefinition } from "../../connectors/sealed-definition";
import { connectorOf, listConnectors } from "../../connectors/store";
import {
  changeConnector,
  createConnector,
  isOwn,
  ownConnectorOf,
  removeConnector,
} from "../../elements/catalog/own-connectors.io";
import { notFound } from "../../http/refusal";
import { instancesOfConnector } from "../../instances/list.store";
import { partition } from "../../values/lists";
import { leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import {
  ask,
  check,
  editedOf,
  faultsOfRefusal,
  readEditor,
  readPasted,
  type Sent,
} from "./editing.io";
import { Editor } from "./editor";
import { knowing } from "./knowing";
import { ConnectorList } from "./list";
import { ConnectorPage } from "./page";
import { EDITOR_SCRIPT } from "./script";
import { STARTER } from "./starter";
import { type Trial, TrialPanel, trialOf } from "./trial";

const NEW = "/console/new-connector";
const USES = 25;

type PagesEnv = ConsoleEnv & ActorEnv;

/** What can be connected, and connectors that the organization describes itself. */
export const connectorPages = new Hono<PagesEnv>()
  .get("/connectors", async (c) => {
    const all = await listConnectors(c.env.DB, c.var.asker.organizationId);
    const [own, builtIn] = partition(all, isOwn);
    return c.render(<ConnectorList own={own} builtIn={builtIn} />, {
      title: "Connectors",
      here: "connectors",
    });
  })
  .get("/new-connector", async (c) => {
    const from = c.req.query("from");
    const copied = from === undefined ? undefined : await found(c, from);
    const document = copied === undefined ? STARTER : { ...shownOf(copied), key: "" };
    return show(c, undefined, { typed: {}, edited: editedOf(document) });
  })
  .post("/new-connector", async (c) => {
    const sent = await readEditor(c);
    if (sent.edited.faults.length > 0) return show(c, undefined, sent, 400);
    try {
      const made = await createConnector(c, sent.edited.document, knowing);
      c.set("subject", made.key);
      return await saved(c, made, `${made.name} is made. Connect an account with it next.`);
    } catch (error) {
      return show(c, undefined, withFaults(sent, error), 400);
    }
  })
  .post("/new-connector/test", async (c) => tryOut(c, undefined))
  .get("/connectors/:element", async (c) => {
    const connector = await found(c, c.req.param("element"));
    const { organizationId } = c.var.asker;
    const uses = await instancesOfConnector(c.env.DB, organizationId, connector.key, USES + 1);
    return c.render(
      <ConnectorPage
        connector={connector}
        isOwn={isOwn(connector)}
        uses={uses.slice(0, USES)}
        hasMoreUses={uses.length > USES}
      />,
      { title: connector.name, here: "connectors" },
    );
  })
  .get("/connectors/:element/edit", async (c) => {
    const connector = await ownConnectorOf(c);
    return show(c, connector, { typed: {}, edited: editedOf(shownOf(connector)) });
  })
  .post("/connectors/:element/edit", async (c) => {
    const connector = await ownConnectorOf(c);
    const sent = await readEditor(c);
    if (sent.edited.faults.length > 0) return show(c, connector, sent, 400);
    try {
      const changed = await changeConnector(c, connector, sent.edited.document, knowing);
      return await saved(c, changed, "Saved: its instances go by it from now on.");
    } catch (error) {
      return show(c, connector, withFaults(sent, error), 400);
    }
  })
  .post("/connectors/:element/test", async (c) => tryOut(c, await ownConnectorOf(c)))
  .post("/connectors/:element/delete", async (c) => {
    const connector = await ownConnectorOf(c);
    await removeConnector(c, connector);
    return leave(c, "/console/connectors", { tone: "good", text: `${connector.name} is deleted.` });
  });

/** The connector of a key; another organization's is as unknown as none. */
async function found(c: Context<PagesEnv>, key: string): Promise<Connector> {
  const connector = await connectorOf(c.env.DB, c.var.asker.organizationId, key);
  if (connector === undefined) throw notFound(`No element '${key.slice(0, 100)}'`);
  return connector;
}

function shownOf(connector: Connector): Record<string, unknown> {
  const { id: _, ...document } = maskedDefinition(connector);
  return document;
}

const saved = (c: Context<PagesEnv>, { key }: Connector, text: string): Promise<Response> =>
  leave(c, `/console/connectors/${encodeURIComponent(key)}`, { tone: "good", text });

const withFaults = (sent: Sent, error: unknown): Sent => ({
  ...sent,
  edited: { ...sent.edited, faults: faultsOfRefusal(error) },
});

/** Checks what the editor sent, asks the API or reads a webhook with it; nothing is kept. */
async function tryOut(c: Context<PagesEnv>, stored: Connector | undefined): Promise<Response> {
  const sent = await readEditor(c);
  if (sent.edited.faults.length > 0) return show(c, stored, sent, 400);
  const checked = check(c, sent.edited.document);
  if (!checked.ok) {
    const edited = { ...sent.edited, faults: checked.faults };
    return show(c, stored, { ...sent, edited }, 400);
  }
  const { definition } = checked;
  switch (sent.typed["do"] ?? "check") {
    case "call":
      return show(c, stored, sent, 200, {
        tried: await ask(c, definition, sent.typed, stored),
      });
    case "webhook":
      return show(c, stored, sent, 200, { read: await readPasted(definition, sent.typed) });
    default:
      return show(c, stored, sent, 200, { isRight: true });
  }
}

function show(
  c: Context<PagesEnv>,
  stored: Connector | undefined,
  { typed, edited }: Sent,
  status: 200 | 400 = 200,
  outcome: Pick<Trial, "tried" | "read"> & { isRight?: true } = {},
): Response | Promise<Response> {
  const here = stored && `/console/connectors/${encodeURIComponent(stored.key)}`;
  const test = `${here ?? NEW}/test`;
  const checked = check(c, edited.document);
  const trial = trialOf(checked.ok ? checked.definition : undefined, typed, outcome);
  c.status(status);
  return c.render(
    <Editor
      title={stored === undefined ? "New connector" : `Edit ${stored.name}`}
      about={
        stored === undefined
          ? "Describe an API once; then accounts of it can be connected"
          : `${stored.key}: its key stays`
      }
      save={here === undefined ? NEW : `${here}/edit`}
      test={test}
      edited={edited}
      isRight={outcome.isRight === true}
    >
      <TrialPanel trial={trial} test={test} />
    </Editor>,
    {
      title: stored === undefined ? "New connector" : `Edit ${stored.name}`,
      here: "connectors",
      script: EDITOR_SCRIPT,
    },
  );
}
