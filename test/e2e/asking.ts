import { serve, type Server } from "../vendors/server.ts";

/**
 * A vendor on a site of its own (`localhost`), which asks before it sends somebody back.
 * @param vendor Where it is in truth. @param authorize The path of its consent page.
 * @param moved Where it sends them to, of where it was told to.
 */
export async function startAsking(
  vendor: string,
  authorize: string,
  moved: (location: string) => string = (location) => location,
): Promise<Server & { site: string }> {
  const server = await serve(async ({ method, path, query, headers, text }) => {
    const url = `${vendor}${path}?${query.toString()}`;
    const given = Object.fromEntries(
      Object.entries(headers).filter(([name]) => ["authorization", "content-type"].includes(name)),
    ) as Record<string, string>;
    const body = ["GET", "HEAD"].includes(method) ? {} : { body: text };
    const answer = await fetch(url, { method, headers: given, redirect: "manual", ...body });
    if (path !== authorize)
      return {
        status: answer.status,
        headers: { "content-type": answer.headers.get("content-type") ?? "application/json" },
        body: answer.status === 204 ? "" : await answer.text(),
      };
    const link = moved(answer.headers.get("location") ?? "").replaceAll("&", "&amp;");
    return {
      status: answer.status === 302 ? 200 : answer.status,
      headers: { "content-type": "text/html" },
      body: `<!doctype html><title>Consent</title><a href="${link}">Grant access</a> ${await answer.text()}`,
    };
  });
  return Object.assign(server, { site: server.url.replace("127.0.0.1", "localhost") });
}
