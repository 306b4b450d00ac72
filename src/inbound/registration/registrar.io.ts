import type { Companion } from "../../elements/edit.io";
import { sendPolls } from "../../stream/polls-queue.io";
import { listening } from "../outcome";
import { doorsOf, register } from "./register.io";

/**
 * Keeps the webhooks at the vendor in step with the instance that wants them. An instance whose webhooks only say
 * "read the feed" is polled once when it is saved, to get the feed's first cursor.
 */
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
