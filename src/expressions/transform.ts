import { parseStored } from "../values/json";
import { evaluate } from "./evaluate";

export type Transformed =
  | { ok: true; text: string }
  /** `unrenderable`: the body is not what any transform could be applied to. */
  | { ok: false; reason: "transform-failed" | "unrenderable"; message: string };

const MOST_OUTPUT = 1024 * 1024;

/**
 * What a destination's transform makes of a notification's body. It is applied when the call is made, not when the
 * event is committed; the same body gives the same bytes at every try.
 */
export async function transformBody(
  transform: string | undefined,
  body: string,
): Promise<Transformed> {
  if (transform === undefined) return { ok: true, text: body };
  const input = storedValue(body);
  if (input === undefined)
    return { ok: false, reason: "unrenderable", message: "transform: The body is not JSON" };
  const evaluated = await evaluate(transform, input.value);
  if (!evaluated.ok) return failed(evaluated.message);
  const text = JSON.stringify(evaluated.value);
  if (text === undefined) return failed("The expression gave nothing");
  if (text.length > MOST_OUTPUT) return failed(`More than ${MOST_OUTPUT} characters`);
  return { ok: true, text };
}

function storedValue(body: string): { value: unknown } | undefined {
  try {
    return { value: parseStored(body) };
  } catch {
    return undefined;
  }
}

function failed(message: string): Transformed {
  return { ok: false, reason: "transform-failed", message: `transform: ${message}` };
}
