import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createListener, type Socket } from "node:net";

/** A vendor with two addresses for all its accounts. One answers that nothing changed; the other can stop answering. */
export type HangingVendor = {
  /** Always answers. */
  well: string;
  /** Answers until it hangs: then it takes connections, and says nothing. */
  ill: string;
  hang(): void;
  /** Lists that were asked for, by the account's key, and when, epoch ms; forgotten with that. */
  taken(): { key: string; at: number }[];
  close(): Promise<void>;
};

export async function startHangingVendor(): Promise<HangingVendor> {
  let asked: { key: string; at: number }[] = [];
  const held = new Set<Socket>();
  let isHanging = false;
  const note = (authorization: string | undefined) =>
    asked.push({ key: authorization?.replace("Bearer ", "") ?? "", at: Date.now() });

  const server = createServer((request, response) => {
    if (request.url?.startsWith("/v1/contacts")) note(request.headers.authorization);
    // A connection of its own for each request, so that those made before it hung are over.
    response.writeHead(200, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify({ data: [] }));
  });
  const wellPort = await listen(server);

  const listener = createListener((socket) => {
    socket.on("error", () => socket.destroy());
    if (!isHanging) {
      const through = connect(wellPort, "127.0.0.1").on("error", () => socket.destroy());
      socket.pipe(through).pipe(socket);
      return;
    }
    held.add(socket);
    socket.on("close", () => held.delete(socket));
    socket.once("data", (bytes) => note(/^authorization: *(.*)\r$/im.exec(String(bytes))?.[1]));
  });
  const illPort = await listen(listener);

  return {
    well: `http://127.0.0.1:${wellPort}`,
    ill: `http://127.0.0.1:${illPort}`,
    hang: () => void (isHanging = true),
    taken() {
      const all = asked;
      asked = [];
      return all;
    },
    async close() {
      for (const socket of held) socket.destroy();
      await Promise.all(
        [server, listener].map((one) => new Promise((resolve) => one.close(resolve))),
      );
    },
  };
}

async function listen(server: ReturnType<typeof createListener>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
