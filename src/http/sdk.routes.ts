import { Hono } from "hono";
import { etag, RETAINED_304_HEADERS } from "hono/etag";
import appmixer from "../../dist/sdk/served/appmixer.js.txt";
import types from "../../dist/sdk/served/sdk.d.ts.txt";
import sdk from "../../dist/sdk/served/sdk.js.txt";

const SCRIPT = "text/javascript; charset=utf-8";
const FILES: Record<string, [text: string, type: string]> = {
  "/appmixer/appmixer.js": [appmixer, SCRIPT],
  "/appmixer/package/appmixer.js": [appmixer, SCRIPT],
  "/sdk.js": [sdk, SCRIPT],
  "/sdk.d.ts": [types, "text/typescript; charset=utf-8"],
};

const OPEN = {
  "Access-Control-Allow-Origin": "*",
  "Cross-Origin-Resource-Policy": "cross-origin",
};
/** Also when nothing changed: a browser may ask from another origin than the one it has the file from. */
const tagged = etag({ retainedHeaders: [...RETAINED_304_HEADERS, ...Object.keys(OPEN)] });

/**
 * The SDK for pages that load it from here (reference app-events-api.md §11): as a script with the global `Appmixer`, and as
 * a module with its types. Every page may, without credentials; what is kept for an hour is asked about by its ETag then.
 */
export const sdkRoutes = new Hono();
for (const [path, [text, type]] of Object.entries(FILES))
  sdkRoutes.get(path, tagged, (c) =>
    c.body(text, 200, {
      "Content-Type": type,
      "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
      ...OPEN,
      "X-Content-Type-Options": "nosniff",
    }),
  );
