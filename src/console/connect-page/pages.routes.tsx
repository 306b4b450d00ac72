import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { conflict } from "../../http/refusal";
import { noConsent, readBrought } from "../connect/brought";
import { readForm } from "../session/routes";
import { leave, show } from "../visitors/show.io";
import { accountFaults, saidOf, subjectOfPath, subjectsOf } from "./account.io";
import { connectAccount, finishLeft } from "./connect.io";
import { applicationIn, beginConsent, consentOf } from "./consent.io";
import { cancelOf, readAccount, showDone, showForm, subjectNamed, wayIn } from "./form.io";
import { addressOf, Chooser, GoToVendor, Waiting } from "./page";
import { type ConnectEnv, connectingOf, ticketOf } from "./session.io";

const HERE = "/connect";
/** So often a page in a frame looks whether it is done in the other window. */
const LOOK_SECONDS = 3;

/** Of a session that is done nothing is shown but that. */
const untilDone = createMiddleware<ConnectEnv>(async (c, next) =>
  connectingOf(c).connectedAt === null ? next() : c.redirect(HERE, 303),
);

/** From the choice of a connector to the end. */
export const accountPages = new Hono<ConnectEnv>()
  .get("/", async (c) => {
    if (await finishLeft(c)) return showDone(c);
    const subjects = await subjectsOf(c);
    const [only, ...others] = subjects;
    if (only === undefined) throw conflict("There is nothing that you could connect here");
    if (others.length === 0) return c.redirect(addressOf(only.offer.connector), 303);
    const offers = subjects.map(({ offer }) => offer);
    return show(
      c,
      <Chooser offers={offers} cancel={cancelOf(c)} />,
      { title: "Connect an account" },
      connectingOf(c),
    );
  })
  .use(untilDone)
  .get("/waiting", async (c) => {
    const { consent } = connectingOf(c);
    if (consent === null) return c.redirect(HERE, 303);
    const { name } = (await subjectNamed(c, consent.connector)).offer.connector;
    const goOn = { url: `${HERE}/waiting`, seconds: LOOK_SECONDS };
    const title = `Sign in at ${name}`;
    const content = <Waiting name={name} ticket={ticketOf(c, connectingOf(c))} />;
    return show(c, content, { title, goOn }, connectingOf(c));
  })
  .post("/connected", async (c) => {
    const { state, code, realmId, refusal } = readBrought(await readForm(c));
    const { connector: key, configuration } = consentOf(c, state);
    const { offer, instance } = await subjectNamed(c, key);
    const { connector } = offer;
    const bad = (text: string) => leave(c, addressOf(connector), { tone: "bad", text });
    if (code === undefined) return bad(noConsent(connector.name, refusal));
    const app = await applicationIn(c, connector, instance?.configuration ?? configuration);
    const providerData = { ...app, code, state, realmId };
    try {
      await connectAccount(c, { connector, configuration, providerData });
    } catch (error) {
      return bad(saidOf(error, connector));
    }
    return c.redirect(HERE, 303);
  })
  .get("/to/:element", async (c) => {
    const subject = await subjectOfPath(c);
    return showForm(c, subject, { way: wayIn(subject, c.req.query("way")) });
  })
  .post("/to/:element", async (c) => {
    const { subject, way, configuration, answers, faults } = await readAccount(c);
    const { connector } = subject.offer;
    if (way === "oauth2") throw conflict(`${connector.name} has to be asked: go back and sign in`);
    const wrong = faults.size > 0 ? faults : await accountFaults(c, subject, configuration);
    if (wrong.size > 0) return showForm(c, subject, { way, answers, faults: wrong });
    try {
      await connectAccount(c, { connector, configuration });
    } catch (error) {
      const said = new Map([["", saidOf(error, connector)]]);
      return showForm(c, subject, { way, answers, faults: said });
    }
    return c.redirect(HERE, 303);
  })
  .post("/to/:element/consent", async (c) => {
    const { subject, way, configuration, answers, faults } = await readAccount(c);
    const { connector } = subject.offer;
    if (way !== "oauth2") throw conflict(`${connector.name} has no page to sign in at for this`);
    if (faults.size > 0) return showForm(c, subject, { way, answers, faults });
    const url = await beginConsent(c, connector, configuration);
    if (c.req.header("sec-fetch-dest") === "iframe") return c.redirect(`${HERE}/waiting`, 303);
    const { name } = connector;
    const about = { title: `Sign in at ${name}`, goOn: { url, seconds: 0 } };
    return show(c, <GoToVendor name={name} url={url} />, about, connectingOf(c));
  });
