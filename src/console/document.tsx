import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { COPY, STYLE } from "./style";

/** A message that a page shows once, about what was just done. */
export type Notice = { tone: "good" | "bad"; text: string };

/** A whole document around a page's content. */
export function Document(props: {
  title: string;
  /** Admits this page's own style and script, and no other. */
  nonce: string;
  notice: Notice | undefined;
  /** What the page's own script does. */
  script: string;
  /** What is laid over the stylesheet. */
  style?: string;
  scheme?: string | null | undefined;
  /** Of the head. */
  meta?: Child;
  header: Child;
  children?: Child;
}): JSX.Element {
  const { title, nonce, notice, script, style = "", scheme } = props;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={scheme ?? "light dark"} />
        {props.meta}
        <title>{title}</title>
        <style nonce={nonce} dangerouslySetInnerHTML={{ __html: `${STYLE}${style}` }} />
      </head>
      <body>
        {props.header}
        <main>
          {notice === undefined ? null : (
            <p class={`notice ${notice.tone}`} role="status">
              {notice.text}
            </p>
          )}
          {props.children}
        </main>
        <script nonce={nonce} dangerouslySetInnerHTML={{ __html: `${COPY}${script}` }} />
      </body>
    </html>
  );
}
