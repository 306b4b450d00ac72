import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { WAIT_MS } from "../patience.ts";
import { serve } from "./server.ts";
import type { Answer, Incoming, Server } from "./server.ts";

/** A customer's callback endpoint: records every POST and checks its signatures with none of our code. */

export interface Delivery {
  /** Epoch milliseconds. */
  at: number;
  path: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  text: string;
  /** The parsed JSON; undefined when it is none. */
  body: any;
  webhookId: string | undefined;
  /** Null: no secret is set here. */
  standardVerified: boolean | null;
  /** Null: no legacy key is set here. */
  legacyVerified: boolean | null;
}

export interface ReceiverOptions {
  port?: number;
  /** Standard Webhooks secret, `whsec_…`. */
  secret?: string;
  /** Key of `Elements-Webhook-Signature`, as UTF-8 text. */
  legacyKey?: string;
  respond?: (delivery: Delivery) => Answer | Promise<Answer>;
}

/** To fail, set `respond`: every POST is recorded, failed ones too. */
export interface Receiver extends Omit<Server, "failNext"> {
  readonly deliveries: Delivery[];
  /** Applies to later deliveries. */
  setSecret(secret: string | undefined): void;
  setLegacyKey(key: string | undefined): void;
  /** 200 without a body when not set; may be replaced at any time. */
  respond: (delivery: Delivery) => Answer | Promise<Answer>;
  /** Until there are so many deliveries, or the predicate holds for all so far; throws after the timeout. */
  waitFor(
    wanted: number | ((deliveries: Delivery[]) => boolean),
    timeoutMs?: number,
  ): Promise<Delivery[]>;
}

export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const deliveries: Delivery[] = [];
  const waiting = new Set<() => void>();
  let { secret, legacyKey } = options;

  const answer = (request: Incoming): Answer | Promise<Answer> => {
    if (request.method !== "POST") return { status: 405 };
    const { at, path, headers, text } = request;
    const delivery: Delivery = {
      at,
      path,
      headers,
      text,
      body: parse(text),
      webhookId: headers["webhook-id"],
      standardVerified: secret === undefined ? null : verifyStandard(secret, request),
      legacyVerified: legacyKey === undefined ? null : verifyLegacy(legacyKey, request),
    };
    deliveries.push(delivery);
    for (const check of waiting) check();
    return receiver.respond(delivery);
  };

  const waitFor: Receiver["waitFor"] = (wanted, timeoutMs = WAIT_MS) => {
    const holds =
      typeof wanted === "number" ? () => deliveries.length >= wanted : () => wanted(deliveries);
    if (holds()) return Promise.resolve(deliveries);
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        waiting.delete(check);
      };
      const check = () => {
        try {
          if (!holds()) return;
          resolve(deliveries);
        } catch (error) {
          reject(error);
        }
        end();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`Waited ${timeoutMs} ms in vain, with ${deliveries.length} deliveries`));
      }, timeoutMs);
      waiting.add(check);
    });
  };

  const server = await serve(answer, { port: options.port });
  const receiver: Receiver = Object.assign(server, {
    deliveries,
    setSecret: (value: string | undefined) => void (secret = value),
    setLegacyKey: (value: string | undefined) => void (legacyKey = value),
    respond: options.respond ?? (() => ({ status: 200 })),
    waitFor,
  });
  return receiver;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function verifyStandard(secret: string, { text, headers }: Incoming): boolean {
  try {
    new Webhook(secret).verify(text, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

const verifyLegacy = (key: string, { text, headers }: Incoming) =>
  headers["elements-webhook-signature"] ===
  `sha256=${createHmac("sha256", key).update(text).digest("base64")}`;
