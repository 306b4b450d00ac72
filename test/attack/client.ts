import { Agent, request } from "node:http";

/** Sends what `fetch` would not: bytes as they are, odd headers, bodies where none belong. */

export type Sent = {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
};
export type Answer = {
  /** 0: the connection broke. */
  status: number;
  text: string;
  headers: Record<string, string | string[] | undefined>;
  /** Until the answer's last byte. */
  ms: number;
};

const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const GIVE_UP_MS = 60_000;

/** One request to `baseUrl`; no redirect is followed. */
export function send(baseUrl: string, { method, path, headers, body }: Sent): Promise<Answer> {
  const start = performance.now();
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve) => {
    const broke = (error: Error) =>
      resolve({ status: 0, text: String(error), headers: {}, ms: performance.now() - start });
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    let message: ReturnType<typeof request>;
    try {
      message = request({
        hostname,
        port,
        method,
        path,
        agent,
        headers: { ...length, ...headers },
      });
    } catch (error) {
      return broke(error as Error);
    }
    message.setTimeout(GIVE_UP_MS, () => message.destroy(new Error("No answer")));
    message.once("error", broke);
    message.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", broke);
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
          headers: response.headers,
          ms: performance.now() - start,
        }),
      );
    });
    message.end(body);
  });
}
