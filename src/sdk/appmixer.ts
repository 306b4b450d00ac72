import { type Calls, callsOf } from "./appmixer-calls.js";
import { Requester, type RequestParts } from "./request.js";

export type AppmixerConfig = { baseUrl?: string; accessToken?: string; [name: string]: unknown };

type Handler = (error: unknown) => void;

/** Calls fail for their caller, and for whoever listens to all of them. */
class HeardRequester extends Requester {
  private readonly onError: Handler;

  constructor({ baseUrl, accessToken }: AppmixerConfig, onError: Handler) {
    super({
      // Without one, the page's own origin.
      baseUrl: baseUrl ?? "",
      ...(accessToken === undefined ? {} : { accessToken }),
    });
    this.onError = onError;
  }

  override async call(method: string, path: string, parts?: RequestParts) {
    try {
      return await super.call(method, path, parts);
    } catch (error) {
      this.onError(error);
      throw error;
    }
  }
}

/**
 * The calls of the original's browser SDK, under its names (reference app-events-api.md §11): a page written for it needs
 * another address alone. A call that fails rejects with a TributaryError, whose `response.status` says how.
 */
export class Appmixer {
  readonly api: Calls & Pick<Appmixer, "set" | "get" | "on" | "off">;
  private readonly config: AppmixerConfig;
  private readonly handlers = new Set<Handler>();

  constructor(config: AppmixerConfig = {}) {
    this.config = { ...config };
    const tell = (error: unknown) => this.handlers.forEach((handler) => handler(error));
    this.api = {
      ...callsOf(() => new HeardRequester(this.config, tell)),
      set: (name, value) => this.set(name, value),
      get: (name) => this.get(name),
      on: (event, handler) => this.on(event, handler),
      off: (event, handler) => this.off(event, handler),
    };
  }

  /** `accessToken` and `baseUrl` count from the next call on. */
  set(name: string, value: unknown): void {
    this.config[name] = value ?? undefined;
  }

  get(name: string): unknown {
    return this.config[name];
  }

  /** Has `handler` told of each call that fails. */
  on(event: string, handler: Handler): void {
    if (event === "error") this.handlers.add(handler);
  }

  off(event: string, handler: Handler): void {
    if (event === "error") this.handlers.delete(handler);
  }

  /** @throws always: the original's widgets are not offered. */
  get ui(): never {
    throw new Error("Appmixer.ui: Widgets are not offered; appmixer.api has what they show");
  }
}
