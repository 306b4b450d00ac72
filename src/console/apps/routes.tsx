import { Hono } from "hono";
import type { ConsoleEnv } from "../session/session.io";
import { editPages } from "./edit.routes";
import { flowPages, templatePages } from "./flows.routes";
import { messagePages } from "./messages.routes";
import { userPages } from "./users.routes";

/** The users of apps, their flows, and what ran. */
export const appPages = new Hono<ConsoleEnv>()
  .route("/", userPages)
  .route("/", messagePages)
  .route("/", editPages)
  .route("/", flowPages)
  .route("/", templatePages);
