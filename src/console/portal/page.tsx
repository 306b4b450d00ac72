import { html } from "hono/html";
import { type Child, createContext, useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Notice } from "../page";
import { MayChange } from "../parts";
import { COPY, STYLE } from "../style";

export type About = {
  title: string;
  /** Which link of the navigation it belongs to. */
  here?: (typeof LINKS)[number][0];
  /** What the page's own script does. */
  script?: string;
};

type Frame = About & {
  /** Admits this page's own style and script, and no other. */
  nonce: string;
  /** Undefined: nobody is let in. */
  portal:
    | {
        access: "read" | "write";
        organizationName: string;
        tenant: { name: string; disabled: boolean };
        formToken: string;
      }
    | undefined;
  notice: Notice | undefined;
};

const LINKS = [
  ["endpoints", "/portal", "Endpoints"],
  ["messages", "/portal/messages", "Messages"],
  ["types", "/portal/event-types", "Event types"],
  ["verify", "/portal/verify", "Verify"],
] as const;

const FormToken = createContext("");

/** In each form that changes something. */
export const Token = (): JSX.Element => (
  <input type="hidden" name="formToken" value={useContext(FormToken)} />
);

/** A whole document around a page's content. */
export function page(frame: Frame, content: Child): ReturnType<typeof html> {
  const { portal } = frame;
  return html`<!doctype html>${(
      <MayChange.Provider value={portal?.access === "write"}>
        <FormToken.Provider value={portal?.formToken ?? ""}>
          <Document frame={frame}>{content}</Document>
        </FormToken.Provider>
      </MayChange.Provider>
    )}`;
}

function Document({ frame, children }: { frame: Frame; children: Child }): JSX.Element {
  const { title, nonce, portal, notice, here } = frame;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{portal === undefined ? title : `${title} · ${portal.organizationName}`}</title>
        <style nonce={nonce} dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        {portal === undefined ? null : (
          <header>
            <a class="brand" href="/portal">
              {portal.organizationName}
            </a>
            <nav>
              {LINKS.map(([name, path, label]) => (
                <a href={path} {...(here === name ? { "aria-current": "page" } : {})}>
                  {label}
                </a>
              ))}
            </nav>
            <span class="who">{portal.tenant.name}</span>
          </header>
        )}
        <main>
          {notice === undefined ? null : (
            <p class={`notice ${notice.tone}`} role="status">
              {notice.text}
            </p>
          )}
          {portal?.tenant.disabled === true ? (
            <p class="notice bad" role="status">
              {portal.organizationName} has switched this account off: nothing is delivered until it
              is switched on again.
            </p>
          ) : null}
          {children}
        </main>
        <script
          nonce={nonce}
          dangerouslySetInnerHTML={{ __html: `${COPY}${frame.script ?? ""}` }}
        />
      </body>
    </html>
  );
}
