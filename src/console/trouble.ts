import { toWire } from "../http/error-map";
import { reasonOf } from "../http/surface";

/** What a page answers in the place of what failed. */
export function troubleOf(
  error: Error,
  requestId: string,
): Pick<ReturnType<typeof toWire>, "status" | "headers"> & { message: string } {
  const reason = reasonOf(error, requestId);
  const { status, headers } = toWire("v1", reason, requestId);
  return {
    status,
    headers,
    message: reason?.message ?? `Something went wrong on our side (request ${requestId})`,
  };
}
