/** `import { createClient, verifyCallback } from "tributary/sdk"` */
export {
  type Client,
  type ClientOptions,
  type CloneOptions,
  createClient,
  type Flow,
  type FlowDraft,
  type Query,
  type SendOptions,
  type SentEvent,
  type SignedInUser,
  type Trigger,
  TributaryError,
} from "./client.js";
export { CallbackError, type VerifiedCallback, verifyCallback } from "./callback.js";
