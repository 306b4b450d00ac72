/** `import { createClient, verifyCallback } from "tributary/sdk"` */
export {
  type Client,
  type CloneOptions,
  createClient,
  type Flow,
  type FlowDraft,
  type SendOptions,
  type SentEvent,
  type SignedInUser,
  type Trigger,
} from "./client.js";
export { type ClientOptions, type Query, TributaryError } from "./request.js";
export { CallbackError, type VerifiedCallback, verifyCallback } from "./callback.js";
