import { html } from "hono/html";
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { type Role, scopesOf } from "../accounts/members/role";
import { MayChange, Place } from "./parts";
import { COPY, REFRESH, STYLE } from "./style";

/** A message that a page shows once, about what was just done. */
export type Notice = { tone: "good" | "bad"; text: string };

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
  const { who, baseUrl } = frame;
  const mayChange = who !== undefined && scopesOf(who.role).includes("write");
  return html`<!doctype html>${(
      <MayChange.Provider value={mayChange}>
        <Place.Provider value={{ baseUrl, organizationId: who?.organizationId ?? 0 }}>
          <Document frame={frame}>{content}</Document>
        </Place.Provider>
      </MayChange.Provider>
    )}`;
}

function Document({ frame, children }: { frame: Frame; children: Child }): JSX.Element {
  const { title, nonce, who, notice, live, goOn } = frame;
  const script = [COPY, live === true ? REFRESH : "", frame.script ?? ""].join("");
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {goOn === undefined ? null : <meta http-equiv="refresh" content={`0; url=${goOn}`} />}
        <title>{`${title} · Tributary`}</title>
        <style nonce={nonce} dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <header>
          <a class="brand" href="/console">
            <Mark />
            Tributary
          </a>
          {who === undefined ? null : <Navigation frame={frame} who={who} />}
        </header>
        <main>
          {notice === undefined ? null : (
            <p class={`notice ${notice.tone}`} role="status">
              {notice.text}
            </p>
          )}
          {children}
        </main>
        <script nonce={nonce} dangerouslySetInnerHTML={{ __html: script }} />
      </body>
    </html>
  );
}

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
