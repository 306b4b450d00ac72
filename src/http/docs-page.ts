import { html, raw } from "hono/html";

const STYLE = raw(`<style>
body {
  font:
    15px/1.5 system-ui,
    sans-serif;
  max-width: 60rem;
  margin: 2rem auto;
  padding: 0 1rem;
  color: #1a2b34;
}
h2 {
  margin-top: 2.5rem;
  text-transform: capitalize;
}
details {
  border: 1px solid #d5dfe4;
  border-radius: 6px;
  margin: 0.5rem 0;
  padding: 0.5rem 0.75rem;
}
summary {
  cursor: pointer;
}
summary b {
  display: inline-block;
  min-width: 4.5rem;
  color: #0b6e99;
}
code,
pre {
  font:
    13px/1.5 ui-monospace,
    monospace;
}
pre {
  background: #f3f6f8;
  padding: 0.75rem;
  overflow: auto;
  border-radius: 4px;
}
</style>`);

/** Runs in the browser: one section for each tag, one folded entry for each route, all as text. */
const SCRIPT = raw(`<script>
const add = (parent, tag, text) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  return parent.appendChild(element);
};
fetch("/openapi.json")
  .then((response) => response.json())
  .then(({ paths }) => {
    const tags = {};
    for (const [path, methods] of Object.entries(paths))
      for (const [method, route] of Object.entries(methods))
        (tags[(route.tags ?? ["other"])[0]] ??= []).push({ path, method, route });
    const root = document.getElementById("routes");
    for (const [tag, routes] of Object.entries(tags)) {
      add(root, "h2", tag);
      for (const { path, method, route } of routes) {
        const details = add(root, "details");
        const summary = add(details, "summary");
        add(summary, "b", method.toUpperCase());
        add(summary, "code", path);
        add(summary, "span", " — " + (route.summary ?? ""));
        const body = route.requestBody?.content?.["application/json"];
        if (body)
          add(
            details,
            "pre",
            "body " + JSON.stringify(body.example ?? body.schema, null, 2),
          );
        for (const [status, answer] of Object.entries(route.responses ?? {})) {
          const example = answer.content?.["application/json"]?.example;
          add(
            details,
            "pre",
            status +
              " " +
              (example ? JSON.stringify(example, null, 2) : answer.description),
          );
        }
      }
    }
  });
</script>`);

/** `/docs`: the OpenAPI description made readable in the browser, without anything from elsewhere. */
export const docsPage = (): ReturnType<typeof html> =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Tributary API</title>
        ${STYLE}
      </head>
      <body>
        <h1>Tributary API</h1>
        <p>
          Bearer API keys. The machine-readable form is <a href="/openapi.json">/openapi.json</a>.
        </p>
        <main id="routes"></main>
        ${SCRIPT}
      </body>
    </html>`;
