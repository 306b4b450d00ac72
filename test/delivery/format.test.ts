import { describe, expect, it } from "vitest";
import { formatted } from "../../src/delivery/format";

const changed = JSON.stringify({
  id: "5f1c",
  type: "contacts.CREATED",
  timestamp: "2026-11-20T00:00:00.000Z",
  source: "instance:27",
  tenant: "acme",
  object: { type: "contacts", id: "17" },
  data: { name: "Ä" },
});
/** Its number is none that a double holds. */
const published =
  '{"id":"inv 1\\u00e4","type":"invoice.paid","timestamp":"2026-11-20T00:00:00.000Z","tenant":null,"data":{"n":9007199254740993}}';

describe("formatted", () => {
  it("leaves what is told as it is", () => {
    expect(formatted("tributary", changed)).toEqual({ text: changed, headers: {} });
    expect(formatted(undefined, changed)).toEqual({ text: changed, headers: {} });
  });

  it("makes structured CloudEvents", () => {
    const { text, headers } = formatted("cloudevents-structured", changed);
    expect(headers).toEqual({ "content-type": "application/cloudevents+json" });
    expect(JSON.parse(text)).toEqual({
      specversion: "1.0",
      id: "5f1c",
      source: "instance:27",
      type: "contacts.CREATED",
      time: "2026-11-20T00:00:00.000Z",
      subject: "contacts/17",
      tenant: "acme",
      datacontenttype: "application/json",
      data: { name: "Ä" },
    });
  });

  it("makes binary CloudEvents, whose attributes are headers in ASCII", () => {
    expect(formatted("cloudevents-binary", published)).toEqual({
      text: '{"n":9007199254740993}',
      headers: {
        "ce-specversion": "1.0",
        "ce-id": "inv%201%C3%A4",
        "ce-source": "tenant:-",
        "ce-type": "invoice.paid",
        "ce-time": "2026-11-20T00:00:00.000Z",
      },
    });
  });

  it("gives the data alone, to the last digit", () => {
    expect(formatted("raw", published)).toEqual({ text: '{"n":9007199254740993}', headers: {} });
  });

  it.each([
    ["cloudevents-structured", "application/cloudevents-batch+json"],
    ["raw", undefined],
  ] as const)("makes lists of %s", (format, type) => {
    const { text, headers } = formatted(format, `[${changed},${published}]`);
    expect(headers["content-type"]).toBe(type);
    const one = (body: string) => formatted(format, body).text;
    expect(text).toBe(`[${one(changed)},${one(published)}]`);
  });
});
