import { DurableObject } from "cloudflare:workers";
import type { BenchRequest } from "../load.ts";
import { payload } from "../payload.ts";

/**
 * The least that can be done for an event on this platform: accept it, write one row in an object, enqueue
 * it, POST it. No keys, no signature, no dedupe, no outcome. What Tributary takes more than this is its price.
 */

type FloorEnv = { LOGS: DurableObjectNamespace<Log>; POSTS: Queue<Post> };
type Post = { id: string; url: string };

export class Log extends DurableObject<FloorEnv> {
  constructor(state: DurableObjectState, env: FloorEnv) {
    super(state, env);
    state.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS log (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    );
  }

  append(id: string, body: string): void {
    this.ctx.storage.sql.exec("INSERT OR IGNORE INTO log VALUES (?, ?)", id, body);
  }
}

export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response("floor");
    const { stream, url, ids } = await request.json<BenchRequest>();
    const log = env.LOGS.getByName(stream);
    await Promise.all(
      ids.map(async (id) => {
        await log.append(id, payload(id));
        await env.POSTS.send({ id, url });
      }),
    );
    return Response.json({ accepted: ids.length }, { status: 202 });
  },

  async queue(batch, env) {
    void env;
    await Promise.all(
      batch.messages.map(async (message) => {
        const { id, url } = message.body;
        const body = payload(id);
        await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
        message.ack();
      }),
    );
  },
} satisfies ExportedHandler<FloorEnv, Post>;
