import { memberJson } from "../values/digits";
import { parseStored } from "../values/json";
import { isObject } from "../values/record";

/**
 * How an endpoint wants its events: as we tell them (`stream/endpoint-body.ts`), as CloudEvents 1.0 in structured or
 * binary mode, or the data alone; data that lies in the bucket as `{payload}`.
 */
export const FORMATS = [
  "tributary",
  "cloudevents-structured",
  "cloudevents-binary",
  "raw",
] as const;
export type Format = (typeof FORMATS)[number];

/** Whether several events may come in one request: CloudEvents have no binary mode for that. */
export const takesLists = (format: Format): boolean => format !== "cloudevents-binary";

export type Formatted = { text: string; headers: Record<string, string> };

/** A body as we tell it, or a list of such, in another format; `headers` are those that the format asks for. */
export function formatted(format: Format | undefined, body: string): Formatted {
  if (format === undefined || format === "tributary") return { text: body, headers: {} };
  const told = parseStored(body);
  if (Array.isArray(told)) {
    const texts = told.map((one) => inFormat(format, one).text);
    return {
      text: `[${texts.join(",")}]`,
      headers:
        format === "cloudevents-structured"
          ? { "content-type": "application/cloudevents-batch+json" }
          : {},
    };
  }
  return inFormat(format, told);
}

function inFormat(format: Exclude<Format, "tributary">, told: unknown): Formatted {
  const body = isObject(told) ? told : {};
  const data = isObject(body["payload"])
    ? `{"payload":${memberJson(body, "payload")}}`
    : memberJson(body, "data");
  switch (format) {
    case "raw":
      return { text: data, headers: {} };
    case "cloudevents-structured": {
      const head = JSON.stringify({ ...attributesOf(body), datacontenttype: "application/json" });
      return {
        text: `${head.slice(0, -1)},"data":${data}}`,
        headers: { "content-type": "application/cloudevents+json" },
      };
    }
    case "cloudevents-binary":
      return {
        text: data,
        headers: Object.fromEntries(
          Object.entries(attributesOf(body)).map(([name, value]) => [
            `ce-${name}`,
            headerOf(value),
          ]),
        ),
      };
  }
}

/** The context attributes of a CloudEvent; `dataref` is its extension for a claim check. */
function attributesOf(told: Readonly<Record<string, unknown>>): Record<string, string> {
  const { id, type, timestamp, source, tenant, object, payload } = told;
  const published = `tenant:${typeof tenant === "string" ? tenant : "-"}`;
  return {
    specversion: "1.0",
    id: String(id),
    source: typeof source === "string" ? source : published,
    type: String(type),
    time: String(timestamp),
    ...(isObject(object) ? { subject: `${String(object["type"])}/${String(object["id"])}` } : {}),
    ...(typeof tenant === "string" ? { tenant } : {}),
    ...(isObject(payload) ? { dataref: String(payload["url"]) } : {}),
  };
}

/** A header's value: what is no printable ASCII, a space, a quote or a percent sign is percent-encoded, as CloudEvents' HTTP binding says. */
const headerOf = (value: string): string =>
  Array.from(value.toWellFormed(), (char) =>
    /[\x21\x23\x24\x26-\x7e]/.test(char) ? char : encodeURIComponent(char),
  ).join("");
