import { invalid } from "../http/refusal";

export const LONGEST_NAME = 256;

/** @throws Refusal `invalid` for what can't be the name of an app event. */
export function eventName(name: string): string {
  if (name === "" || name.length > LONGEST_NAME)
    throw invalid(`event: Expected a name of 1 to ${LONGEST_NAME} characters`, "event");
  return name;
}
