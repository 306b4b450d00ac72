import type { Companion } from "../../elements/edit.io";
import { type Instance, whyOff } from "../../instances/instance";
import { scheduleOf } from "../../instances/schedule";
import { sendPolls } from "../../stream/polls-queue.io";
import { listening } from "../outcome";
import { doorsOf, register } from "./register.io";

/**
 * Keeps the webhooks at the vendor in step with the instance that wants them. An instance whose webhooks only say
 * "read the feed" is polled once when it is saved, to get the feed's first cursor; one that was polled while it had no
 * webhooks, once more when it has some, for what changed since the last poll.
 */
export const registrar: Companion = {
  async saved(instance, c, before) {
    const configuration = await register(instance, doorsOf(c.env));
    const isFeed = instance.connector.webhook?.extraction.by === "feed";
    const isBegun = isFeed && instance.valid && listening(instance).kind === "wakes";
    const isLast =
      before !== undefined && isScheduled(before) && !isScheduled({ ...instance, configuration });
    if (isBegun || (isLast && instance.valid && whyOff(instance) === undefined))
      await sendPolls(c.env.POLLS, [{ ids: [instance.id], wake: true }]);
  },
  async removed(instance, c) {
    await register(instance, doorsOf(c.env), { remove: true });
  },
};

const isScheduled = (instance: Instance): boolean => scheduleOf(instance).interval !== null;
