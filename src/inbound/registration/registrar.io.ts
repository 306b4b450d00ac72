import type { Companion } from "../../elements/edit.io";
import { sendPolls } from "../../stream/polls-queue.io";
import { listening } from "../outcome";
import { doorsOf, register } from "./register.io";

/** Keeps a vendor's webhooks in step with the instance that wants them, and starts feeds that only webhooks wake. */
export const registrar: Companion = {
  async saved(instance, c) {
    await register(instance, doorsOf(c.env));
    const isFeed = instance.connector.webhook?.extraction.by === "feed";
    if (isFeed && instance.valid && listening(instance).kind === "wakes")
      await sendPolls(c.env.POLLS, [{ ids: [instance.id], wake: true }]);
  },
  async removed(instance, c) {
    await register(instance, doorsOf(c.env), { remove: true });
  },
};
