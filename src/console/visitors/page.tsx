import { html } from "hono/html";
import { type Child, createContext, useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Brand } from "../../accounts/tenants/brand";
import { Document, type Notice } from "../document";
import { MayChange } from "../parts";
import { brandStyle } from "./brand";

/** Who looks at a page: people of a tenant, whom its organization let in. */
export type Visitor = {
  access: "read" | "write";
  organizationName: string;
  /** How the page looks. */
  brand: Brand;
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
  const { title, nonce, visitor, notice, goOn, script = "" } = frame;
  const { brand = {} } = visitor ?? {};
  return html`<!doctype html>${(
      <MayChange.Provider value={visitor?.access === "write"}>
        <FormToken.Provider value={visitor?.formToken ?? ""}>
          <Document
            title={visitor === undefined ? title : `${title} · ${visitor.organizationName}`}
            nonce={nonce}
            notice={notice}
            script={script}
            style={brandStyle(brand)}
            scheme={brand.scheme}
            meta={goOn && <GoOn {...goOn} />}
            header={visitor && <Header frame={frame} visitor={visitor} />}
          >
            {visitor?.tenant.disabled === true ? <Off {...visitor} /> : null}
            {content}
          </Document>
        </FormToken.Provider>
      </MayChange.Provider>
    )}`;
}

const Off = ({ organizationName }: Visitor): JSX.Element => (
  <p class="notice bad" role="status">
    {organizationName} has switched this account off: nothing is delivered until it is switched on
    again.
  </p>
);

function GoOn({ url, seconds, unscripted }: NonNullable<About["goOn"]>): JSX.Element {
  const refresh = <meta http-equiv="refresh" content={`${seconds}; url=${url}`} />;
  return unscripted === true ? <noscript>{refresh}</noscript> : refresh;
}

function Header({ frame, visitor }: { frame: Frame; visitor: Visitor }): JSX.Element {
  const { links = [], home } = frame;
  return (
    <header>
      <a class="brand" href={home}>
        {visitor.brand.logo ? <img src={visitor.brand.logo} alt="" /> : null}
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
