import type { Context } from "hono";
import { returnAddress } from "../../accounts/tenants/connect-session";
import { notFound } from "../../http/refusal";
import { isSealedKey } from "../../instances/entries";
import { ownForm } from "../visitors/session.io";
import { show } from "../visitors/show.io";
import { type Subject, subjectOfPath, subjectsOf } from "./account.io";
import { tenantsInstance } from "./begin.io";
import { askedOf, readAnswers, settingsOf, type Way } from "./offer";
import { AccountForm, Done, DONE_SCRIPT } from "./page";
import { type ConnectEnv, connectingOf } from "./session.io";

/** The way that is named, of those that are offered; else the first. */
export const wayIn = ({ offer: { ways } }: Subject, named: string | null | undefined): Way =>
  ways.find((way) => way === named) ?? ways[0];

/** The subject of a connector. @throws Refusal `not-found` when it can't be connected in the session any more. */
export async function subjectNamed(c: Context<ConnectEnv>, key: string): Promise<Subject> {
  const found = (await subjectsOf(c)).find(({ offer }) => offer.connector.key === key);
  if (found === undefined) throw notFound(`'${key}' can't be connected here any more`);
  return found;
}

const askedIn = (c: Context<ConnectEnv>, { offer, instance }: Subject, way: Way) => {
  const { terms } = connectingOf(c);
  const settings = instance === undefined ? terms.configuration : {};
  return askedOf(offer.connector, way, { settings, isAgain: terms.isAgain });
};

/** An account as it was sent: what was typed, and the configuration that comes of it. */
export async function readAccount(c: Context<ConnectEnv>) {
  const { terms, ...visitor } = connectingOf(c);
  const form = await ownForm(c, visitor);
  const subject = await subjectOfPath(c);
  const way = wayIn(subject, form.get("way"));
  const { connector } = subject.offer;
  const { answers, faults } = readAnswers(askedIn(c, subject, way), form);
  const configuration = terms.isAgain
    ? answers
    : settingsOf(connector, way, { settings: terms.configuration, answers });
  return { subject, way, configuration, answers, faults };
}

/** The form of an account. @param typed what was typed before, and what is wrong with it. */
export function showForm(
  c: Context<ConnectEnv>,
  subject: Subject,
  typed: { way: Way; answers?: Record<string, string>; faults?: ReadonlyMap<string, string> },
): Promise<Response> {
  const { way, answers = {}, faults = new Map<string, string>() } = typed;
  const { offer, instance } = subject;
  const { connector } = offer;
  const open = Object.entries(answers).filter(([key]) => !isSealedKey(connector, key));
  if (faults.size > 0) c.status(422);
  return show(
    c,
    <AccountForm
      offer={offer}
      way={way}
      asked={askedIn(c, subject, way)}
      values={Object.fromEntries(open)}
      faults={faults}
      again={instance?.name}
      cancel={cancelOf(c)}
    />,
    { title: `Connect ${instance?.name ?? connector.name}` },
    connectingOf(c),
  );
}

/** Where somebody is sent back to who gives up. */
export const cancelOf = (c: Context<ConnectEnv>): string | undefined =>
  returnAddress(connectingOf(c).terms, { error: "cancelled" });

/** The end: what is connected, and the way back. */
export async function showDone(c: Context<ConnectEnv>): Promise<Response> {
  const { terms, tenantId, instanceId, organizationName } = connectingOf(c);
  const id = instanceId ?? 0;
  const instance = await tenantsInstance(c, tenantId, id);
  const { origin, state } = terms;
  const back = returnAddress(terms, { instanceId: id });
  const message = {
    type: "tributary.connected",
    instanceId: id,
    ...(state === null ? {} : { state }),
  };
  return show(
    c,
    <Done
      account={instance?.name}
      organizationName={organizationName}
      message={message}
      origin={origin}
      back={back}
    />,
    {
      title: "Connected",
      script: DONE_SCRIPT,
      ...(back === undefined ? {} : { goOn: { url: back, seconds: 0, unscripted: true } }),
    },
    connectingOf(c),
  );
}
