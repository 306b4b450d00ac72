import type { Happened } from "./event";

/**
 * What an event is called where destinations choose: `contacts.CREATED` of an instance, `APIService.UPDATED` of a resource,
 * the name of an app event, the type that a published event was given.
 */
export function eventTypeOf(
  source: string,
  { objectType, objectId, eventType }: Pick<Happened, "objectType" | "objectId" | "eventType">,
): string {
  switch (source.slice(0, source.indexOf(":"))) {
    case "instance":
      return `${objectType}.${eventType}`;
    case "scope":
      return `${objectType}.${eventType.replace(/^(Sub)?Resource/, "").toUpperCase()}`;
    case "user":
      return objectId;
    default:
      return eventType;
  }
}
