import { isoText } from "../../values/instant";
import { readKeys } from "../../values/path";
import { copyDigits } from "../../values/digits";
import { isObject } from "../../values/record";
import { maskedJson } from "../../values/secret-json";
import { STEP_IN, STEP_OUT } from "../components";
import type { Scope } from "../steps/input";
import type { Descriptor } from "../descriptor";
import { scopeOf, type StepMessage } from "../steps/message";
import type { Unprocessed } from "./store";

/**
 * An unprocessed message as clients see it (reference app-events-api.md §9).
 * @param message undefined when the stream no longer keeps it: then nothing is known of its content.
 */
export function unprocessedView(
  row: Unprocessed,
  message: StepMessage | undefined,
  descriptor: Descriptor,
): Record<string, unknown> {
  const sender = message?.step.sender;
  const scope = message === undefined ? {} : withMaskedRequests(scopeOf(message, descriptor));
  const content = sender === undefined ? null : readKeys(scope, [sender.componentId, sender.port]);
  const properties = {
    correlationId: row.correlationId,
    contentType: "application/json",
    sender: {
      componentId: sender?.componentId ?? null,
      type: descriptor.get(sender?.componentId ?? "")?.type ?? null,
      outputPort: sender?.port ?? null,
    },
    destination: { componentId: row.componentId, inputPort: STEP_IN },
    flowId: row.flowId,
    messageId: row.id,
    flowRunId: row.correlationId,
  };
  return {
    messageId: row.id,
    flowId: row.flowId,
    componentId: row.componentId,
    messages: { [STEP_IN]: [{ properties, content, scope, originalContent: content }] },
    created: isoText(row.createdAt),
    err: row.error,
  };
}

/** Steps of earlier versions put the credentials of their requests into the run. */
function withMaskedRequests(scope: Scope): Scope {
  const responses = Object.entries(scope).map(([id, ports]): [string, unknown] => {
    const response = readKeys(ports, [STEP_OUT]);
    if (!isObject(ports) || !isObject(response)) return [id, ports];
    const request = maskedJson(response["request"]);
    return [id, { ...ports, [STEP_OUT]: copyDigits(response, { ...response, request }) }];
  });
  return Object.fromEntries(responses);
}
