import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { conflict, notFound } from "../../http/refusal";
import type { NotificationView } from "../../stream/history";
import { locateDelivery } from "./lookup.io";

/**
 * Ends a delivery that waits. @returns its stream and how it stands. @throws Refusal `not-found`; `conflict` for one that
 * has ended, was delivered by a call that was under way, or has no destination.
 */
export async function cancelDelivery(
  c: Context<AskerEnv>,
  id: string,
): Promise<{ stream: string; view: NotificationView }> {
  const { name: stream, stub, seq } = await locateDelivery(c, id);
  const cancelled = await stub.cancel(seq);
  if (cancelled === null) throw notFound(`No delivery '${id.slice(0, 100)}'`);
  const { view, isCancelled } = cancelled;
  const { state, destinationId } = view.notification;
  if (destinationId === null) throw conflict("The delivery has no destination: it does not wait");
  if (!isCancelled) throw conflict(`The delivery does not wait: it is ${state.kind}`);
  return { stream, view };
}
