import { html } from "hono/html";
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { type Role, scopesOf } from "../accounts/members/role";
import { Document, type Notice } from "./document";
import { MayChange, Place } from "./parts";
import { REFRESH } from "./style";

export type { Notice } from "./document";

/** A page's title, and how it is framed. */
export type About = {
  title: string;
  /** Which link of the navigation it belongs to. */
  here?:
    | "overview"
    | "events"
    | "instances"
    | "destinations"
    | "apps"
    | "tenants"
    | "connectors"
    | "resources"
    | "members"
    | "audit"
    | "settings"
    | "organizations"
    | "security";
  /** The browser goes on there by itself: as our own page's visitor, whose `SameSite=Strict` cookies are sent. */
  goOn?: string;
  /** What the page's own script does. */
  script?: string;
  /** The page reloads by itself to show what is new. */
  live?: boolean;
};

export type Frame = About & {
  /** Admits this page's own style and script, and no other. */
  nonce: string;
  who:
    | {
        email: string;
        organizationId: number;
        organizationName: string;
        organizations: number;
        role: Role;
      }
    | undefined;
  /** Where programs reach this deployment. */
  baseUrl: string;
  notice: Notice | undefined;
};

const LINKS = [
  ["overview", "/console", "Overview"],
  ["events", "/console/events", "Events"],
  ["instances", "/console/instances", "Instances"],
  ["destinations", "/console/destinations", "Destinations"],
  ["apps", "/console/apps", "Apps"],
  ["tenants", "/console/tenants", "Tenants"],
  ["connectors", "/console/connectors", "Connectors"],
  ["resources", "/console/resources", "Resources"],
  ["audit", "/console/audit", "Audit"],
  ["settings", "/console/settings", "Settings"],
] as const;

/** A whole document around a page's content. */
export function page(frame: Frame, content: Child): ReturnType<typeof html> {
  const { title, nonce, who, baseUrl, notice, live, goOn, script = "" } = frame;
  const mayChange = who !== undefined && scopesOf(who.role).includes("write");
  return html`<!doctype html>${(
      <MayChange.Provider value={mayChange}>
        <Place.Provider value={{ baseUrl, organizationId: who?.organizationId ?? 0 }}>
          <Document
            title={`${title} · Tributary`}
            nonce={nonce}
            notice={notice}
            script={live === true ? `${REFRESH}${script}` : script}
            meta={goOn && <meta http-equiv="refresh" content={`0; url=${goOn}`} />}
            header={<Header frame={frame} />}
          >
            {content}
          </Document>
        </Place.Provider>
      </MayChange.Provider>
    )}`;
}

const Header = ({ frame }: { frame: Frame }): JSX.Element => (
  <header>
    <a class="brand" href="/console">
      <Mark />
      Tributary
    </a>
    {frame.who === undefined ? null : <Navigation frame={frame} who={frame.who} />}
  </header>
);

function Navigation(props: { frame: Frame; who: NonNullable<Frame["who"]> }): JSX.Element {
  const { frame, who } = props;
  const isOwner = scopesOf(who.role).includes("admin");
  // Members are found among the settings.
  const here = frame.here === "members" ? "settings" : frame.here;
  return (
    <>
      <nav>
        {LINKS.filter(([name]) => name !== "audit" || isOwner).map(([name, path, label]) => (
          <a href={path} {...(here === name ? { "aria-current": "page" } : {})}>
            {label}
          </a>
        ))}
      </nav>
      <form class="who" method="post" action="/console/sign-out">
        <a
          href="/console/security"
          title={`${who.email}, ${who.role}`}
          {...(frame.here === "security" ? { "aria-current": "page" } : {})}
        >
          {who.organizationName}
        </a>
        {who.organizations < 2 ? null : (
          <a
            href="/console/organizations"
            {...(frame.here === "organizations" ? { "aria-current": "page" } : {})}
          >
            Switch
          </a>
        )}
        <button class="plain">Sign out</button>
      </form>
    </>
  );
}

/** Streams that join. */
function Mark(): JSX.Element {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" class="mark">
      <path d="M4 3v4c0 6 8 5 8 11v3M20 3v4c0 6-8 5-8 11M12 3v6" />
    </svg>
  );
}
