import { beforeAll, expect, it } from "vitest";
import { ask, foundation, newUser } from "../accounts/ask";
import { receiver } from "../delivery/build";
import { step, trigger } from "./build";

beforeAll(foundation);

const MEGABYTE = 1_048_576;

it("a run that knows more than a row can hold goes on, and no step of it is sent twice", async () => {
  const text = "ä".repeat(MEGABYTE / 2 - 10);
  const posts = receiver(() => Response.json(text));
  const { token } = await newUser();
  const below = (from: string, port: string, path: string) => ({
    type: "appmixer.utils.http.Get",
    source: { in: { [from]: [port] } },
    config: {
      transform: { in: { [from]: { [port]: { lambda: { url: `http://127.0.0.1:9/${path}` } } } } },
    },
  });
  const flow = {
    T: trigger("large"),
    A: below("T", "out", "a"),
    B: below("A", "response", "b"),
    C: below("B", "response", "c"),
    D: below("C", "response", "d"),
    E: step(
      { url: "http://127.0.0.1:9/e", body: "{{{$.D.response.statusCode}}}" },
      {},
      {
        source: { in: { D: ["response"] } },
        config: {
          transform: {
            in: {
              D: {
                response: {
                  lambda: { url: "http://127.0.0.1:9/e", body: "{{{$.D.response.statusCode}}}" },
                },
              },
            },
          },
        },
      },
    ),
  };
  const { flowId } = (await ask("POST", "/flows", { token, body: { flow } })).body;
  await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
  const path = "/plugins/appmixer/utils/appevents/events/large";
  const sent = await ask("POST", path, { token, body: { text: text.slice(0, 500_000) } });
  expect(sent.body.triggers).toHaveLength(1);
  await expect
    .poll(() => posts.map(({ url }) => new URL(url).pathname))
    .toEqual(["/a", "/b", "/c", "/d", "/e"]);
  expect(posts[4]?.body).toBe("200");
  expect((await ask("GET", "/unprocessed-messages", { token })).body).toEqual([]);
});
