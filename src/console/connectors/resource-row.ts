import { isObject } from "../../values/record";
import type { Document, Values } from "./form";

/** A document in which one resource is as its row of the form says; a row without a name takes it away. */
export function withResource(document: Document, before: Values, after: Values): Document {
  const [was = "", is = ""] = [before["name"], after["name"]];
  const resources = objectOf(document["resources"]);
  const events = objectOf(document["events"]);
  const polling = objectOf(events["polling"]);
  const polled = polledOf(after, typeof document["hub"] === "string" ? document["hub"] : "");
  const isRedated = POLLED.some((name) => before[name] !== after[name]);
  const entry = isRedated ? polled : polling[was];
  return {
    ...document,
    resources: renamed(resources, was, is, resourceOf(objectOf(resources[was]), before, after)),
    events: { ...events, polling: renamed(polling, was, is, entry) },
  };
}

const objectOf = (value: unknown): Document => (isObject(value) ? value : {});

/** The members of a row that a poll configuration is made of. */
const POLLED = ["name", "id", "updated", "created", "format", "since"];

/** A member in the place of another one; undefined takes it away. */
function renamed(holder: Document, was: string, is: string, value: unknown): Document {
  const kept = Object.entries(holder).map(([name, member]): [string, unknown] =>
    name === was ? [is, value] : [name, member],
  );
  const all = was !== "" && Object.hasOwn(holder, was) ? kept : [...kept, [is, value] as const];
  return Object.fromEntries(all.filter(([name, member]) => name !== "" && member !== undefined));
}

function resourceOf(resource: Document, before: Values, after: Values): Document {
  const { path = "", root = "", id = "", updated = "", created = "", since = "" } = after;
  const list = objectOf(resource["list"]);
  const where = objectOf(resource["where"]);
  const { [before["updated"] ?? ""]: condition, ...conditions } = where;
  const asked = {
    operators: [">", ">="],
    ...(before["since"] === since ? objectOf(condition) : {}),
    parameter: since,
  };
  const isPaged = ["style", "parameter", "next", "size"].some((one) => before[one] !== after[one]);
  return without({
    ...resource,
    list: without({ ...list, path, root: root === "" ? undefined : root }),
    ...(isPaged ? { paging: pagingOf(after) } : {}),
    idField: id === "" ? undefined : id,
    updatedField: updated === "" ? undefined : updated,
    createdField: created === "" ? undefined : created,
    where: since === "" || updated === "" ? conditions : { ...conditions, [updated]: asked },
  });
}

const without = (holder: Document): Document =>
  Object.fromEntries(Object.entries(holder).filter(([, value]) => value !== undefined));

function pagingOf({ style = "none", parameter, next = "", size = "" }: Values): Document {
  const sized = size === "" ? {} : { sizeParameter: size };
  switch (style) {
    case "page":
      return { style, pageParameter: parameter, ...sized };
    case "offset":
      return { style, offsetParameter: parameter, ...sized };
    case "cursor":
      return { style, cursorParameter: parameter, cursorPath: next, ...sized };
    case "nextUrl":
      return { style, urlPath: next, ...sized };
    case "none":
      return { style };
    default:
      return { style, ...sized };
  }
}

const EPOCHS: Readonly<Record<string, string>> = { milliseconds: "epoch:ms", seconds: "epoch:s" };

/** How a resource is polled (reference connector-events-api.md §5); undefined: it isn't. */
function polledOf(
  { name, id, updated = "", created = "", format = "", since }: Values,
  hub: string,
): Document | undefined {
  if (format === "") return undefined;
  const place = `\${${EPOCHS[format] ?? "date"}}`;
  const where = since === "" || updated === "" ? "" : `?where=${updated}>='${place}'`;
  const dates = (field: string, which: string): Document =>
    field === "" ? {} : { [`${which}DateField`]: field, [`${which}DateFormat`]: format };
  return {
    url: `/hubs/${hub}/${name}${where}`,
    idField: id,
    datesConfiguration: { ...dates(updated, "updated"), ...dates(created, "created") },
  };
}
