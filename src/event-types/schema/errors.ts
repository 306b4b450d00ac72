import type { OutputUnit } from "@cfworker/json-schema";
import { quoted, withoutTrailing } from "../../values/text";
import type { SchemaFault } from "./keywords";

/** So many faults are told. */
const MOST_FAULTS = 20;

/** Keywords whose errors only say that there are others, within them. */
const WRAPPERS = new Set([
  "properties",
  "additionalProperties",
  "unevaluatedProperties",
  "items",
  "prefixItems",
  "unevaluatedItems",
  "allOf",
  "$ref",
  "if",
  "dependentSchemas",
]);
/** Keywords whose errors say it all: what is wrong by each choice is not told. */
const CHOICES = new Set([
  "anyOf",
  "oneOf",
  "propertyNames",
  "contains",
  "minContains",
  "maxContains",
]);
/** So many of the library's errors are looked at. */
const MOST_ERRORS = 2_000;

/**
 * The library's errors as faults by path.
 * @param expectedBy what the format of a name expects.
 */
export function readErrors(
  errors: readonly OutputUnit[],
  expectedBy: (format: string) => string | undefined,
): SchemaFault[] {
  const some = errors.slice(0, MOST_ERRORS);
  const locations = some
    .filter(({ keyword }) => CHOICES.has(keyword))
    .map(({ keywordLocation }) => keywordLocation.replace(/(min|max)Contains$/, "contains"));
  const choices = [...new Set(locations)];
  return some
    .filter(
      ({ keyword, keywordLocation }) =>
        !WRAPPERS.has(keyword) && !choices.some((one) => keywordLocation.startsWith(`${one}/`)),
    )
    .slice(0, MOST_FAULTS)
    .map((error) => faultOf(error, expectedBy));
}

function faultOf(
  { keyword, keywordLocation, instanceLocation, error }: OutputUnit,
  expectedBy: (format: string) => string | undefined,
): SchemaFault {
  const path = instanceLocation.split("/").slice(1).map(memberName);
  switch (keyword) {
    case "required": {
      const name = error.slice(error.indexOf('"') + 1, error.lastIndexOf('"'));
      return { path: [...path, name], message: "This field is missing" };
    }
    case "type": {
      const [, got, , ...expected] = error.split('"');
      return { path, message: `Expected ${expected.slice(0, -1).join("")}, got ${got}` };
    }
    case "not":
      if (/\/(additional|unevaluated)Properties\/not$/.test(keywordLocation))
        return { path, message: "This field is unknown here" };
      break;
    case "format": {
      const [, name = ""] = /"(\d+)"\.$/.exec(error) ?? [];
      return { path, message: expectedBy(name) ?? error };
    }
  }
  return { path, message: quoted(withoutTrailing(error, ".")) };
}

/** A member's name that stands in a JSON pointer in a URI; where no URI has such text, as it stands. */
export function memberName(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return segment;
  }
}
