import { numericId } from "../values/whole-number";

/**
 * A stream is named `<organization id>/<source>`; a source is `instance:<id>`, `user:<id>` or
 * `scope:<group>/<Kind>/<name>`. A notification id contains its stream and number, so it can be found from the id alone.
 */
export type StreamName = { organizationId: number; source: string };

export const streamName = ({ organizationId, source }: StreamName): string =>
  `${organizationId}/${source}`;

export function parseStreamName(text: string): StreamName {
  const slash = text.indexOf("/");
  return { organizationId: Number(text.slice(0, slash)), source: text.slice(slash + 1) };
}

export const instanceSource = (instanceId: number): string => `instance:${instanceId}`;

/** The id of the instance that is this source; undefined for another kind of source. */
export function instanceOfSource(source: string): number | undefined {
  const match = /^instance:([1-9]\d*)$/.exec(source);
  return match === null ? undefined : Number(match[1]);
}

/**
 * The id of a notification, the same for every try. For an instance it is digits only, as the connector surface asks:
 * instance id, number of the notification, and the length of that number in two digits. Notification 7 of instance 42
 * is `42701`.
 */
export function notificationId(stream: string, seq: number): string {
  const instanceId = instanceOfSource(parseStreamName(stream).source);
  if (instanceId !== undefined) {
    const digits = String(seq);
    return `${instanceId}${digits}${String(digits.length).padStart(2, "0")}`;
  }
  return `n_${Buffer.from(stream).toString("base64url")}_${seq}`;
}

export type NotificationAddress =
  | { kind: "instance"; instanceId: number; seq: number }
  | { kind: "stream"; stream: string; seq: number };

/** What an id of `notificationId` was made of; undefined for any other text. */
export function parseNotificationId(id: string): NotificationAddress | undefined {
  if (/^\d{4,40}$/.test(id)) {
    const length = Number(id.slice(-2));
    const digits = id.slice(0, -2);
    if (length === 0 || length >= digits.length) return undefined;
    const instanceId = numericId(digits.slice(0, -length));
    const seq = numericId(digits.slice(-length));
    return instanceId === undefined || seq === undefined
      ? undefined
      : { kind: "instance", instanceId, seq };
  }
  const match = /^n_([\w-]+)_([1-9]\d*)$/.exec(id);
  const stream = match?.[1] === undefined ? undefined : fromBase64Url(match[1]);
  if (stream === undefined || !/^\d+\/.+$/.test(stream)) return undefined;
  return { kind: "stream", stream, seq: Number(match?.[2]) };
}

function fromBase64Url(text: string): string | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(
      Uint8Array.from(binary, (char) => char.charCodeAt(0)),
    );
  } catch {
    return undefined;
  }
}
