import type * as z from "zod";
import type { User } from "../../accounts/users/store";
import type { FlowDoors } from "../doors";
import { columnsOf } from "../fields";
import type { Flow } from "../flow";
import { unmasked } from "../sealed-flow";
import { createFlow, newFlow } from "../store";
import { savable } from "../validation/refusals";
import { type cloneRequest, copiedFields } from "./clone";
import { newIds, withIds } from "./component-ids";

/** Copies a flow that this user may see. @returns the copy's id. */
export async function cloneFlow(
  doors: FlowDoors,
  user: Pick<User, "id" | "organizationId">,
  origin: Flow,
  request: z.infer<typeof cloneRequest>,
): Promise<string> {
  const cloneId = crypto.randomUUID();
  const ids = newIds(origin.flow, () => crypto.randomUUID());
  const flow = withIds(origin.flow, ids);
  const type = request.isTemplateInstance ? "integration-instance" : origin.type;
  await createFlow(doors, {
    ...newFlow(user, cloneId, { name: origin.name, flow, type }),
    ...copiedFields(origin, flow, ids, request, user.id),
    ...unmasked(savable(columnsOf(request.additional), doors.config.egress), { ...origin, flow }),
  });
  return cloneId;
}
