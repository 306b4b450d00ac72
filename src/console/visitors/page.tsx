import { html } from "hono/html";
import { type Child, createContext, useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Notice } from "../page";
import { MayChange } from "../parts";
import { COPY, STYLE } from "../style";

/** Who looks at a page: people of a tenant, whom its organization let in. */
export type Visitor = {
  access: "read" | "write";
  organizationName: string;
  tenant: { name: string; disabled: boolean };
  /** In each form: no other site knows it, though the browser sends the cookie from there, too. */
  formToken: string;
};

/** A page's title, and how it is framed. */
export type About = {
  title: string;
  links?: readonly { path: string; label: string; isHere: boolean }[];
  /** Said on this page, in the place of what the one before left to be said. */
  notice?: Notice;
  /** The browser goes on there by itself, after so many seconds; `unscripted`: only where no scripts run. */
  goOn?: { url: string; seconds: number; unscripted?: true };
  /** What the page's own script does. */
  script?: string;
};

type Frame = Omit<About, "notice"> & {
  /** Admits this page's own style and script, and no other. */
  nonce: string;
  /** Undefined: nobody is let in. */
  visitor: Visitor | undefined;
  notice: Notice | undefined;
  /** Where the organization's name leads. */
  home: string;
};

const FormToken = createContext("");

/** In each form that changes something. */
export const Token = (): JSX.Element => (
  <input type="hidden" name="formToken" value={useContext(FormToken)} />
);

/** In the place of a page that can't be shown: why. */
export const Trouble = ({ message }: { message: string }): JSX.Element => (
  <section class="empty">
    <h1>{message}</h1>
  </section>
);

/** A whole document around a page's content. */
export function page(frame: Frame, content: Child): ReturnType<typeof html> {
  const { visitor } = frame;
  return html`<!doctype html>${(
      <MayChange.Provider value={visitor?.access === "write"}>
        <FormToken.Provider value={visitor?.formToken ?? ""}>
          <Document frame={frame}>{content}</Document>
        </FormToken.Provider>
      </MayChange.Provider>
    )}`;
}

function Document({ frame, children }: { frame: Frame; children: Child }): JSX.Element {
  const { title, nonce, visitor, notice, goOn } = frame;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {goOn === undefined ? null : <GoOn {...goOn} />}
        <title>{visitor === undefined ? title : `${title} · ${visitor.organizationName}`}</title>
        <style nonce={nonce} dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        {visitor === undefined ? null : <Header frame={frame} visitor={visitor} />}
        <main>
          {notice === undefined ? null : (
            <p class={`notice ${notice.tone}`} role="status">
              {notice.text}
            </p>
          )}
          {visitor?.tenant.disabled === true ? (
            <p class="notice bad" role="status">
              {visitor.organizationName} has switched this account off: nothing is delivered until
              it is switched on again.
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

function GoOn({ url, seconds, unscripted }: NonNullable<About["goOn"]>): JSX.Element {
  const refresh = <meta http-equiv="refresh" content={`${seconds}; url=${url}`} />;
  return unscripted === true ? <noscript>{refresh}</noscript> : refresh;
}

function Header({ frame, visitor }: { frame: Frame; visitor: Visitor }): JSX.Element {
  const { links = [], home } = frame;
  return (
    <header>
      <a class="brand" href={home}>
        {visitor.organizationName}
      </a>
      {links.length === 0 ? null : (
        <nav>
          {links.map(({ path, label, isHere }) => (
            <a href={path} {...(isHere ? { "aria-current": "page" } : {})}>
              {label}
            </a>
          ))}
        </nav>
      )}
      <span class="who">{visitor.tenant.name}</span>
    </header>
  );
}
