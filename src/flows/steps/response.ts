import { maskedJson } from "../../values/secret-json";
import { parsedJson } from "../../values/json";
import type { StepRequest } from "./request";

/** The content of a step's out port `response`. */
export function responseContent(
  answer: { status: number; headers: Iterable<[string, string]>; bytes: Uint8Array },
  encoding: unknown,
  request: Pick<StepRequest, "method" | "url" | "headers">,
): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  let isJson = false;
  for (const [name, value] of answer.headers) {
    if (name === "content-type") {
      const type = contentType(value);
      isJson = /^application\/([\w.+-]+\+)?json$/.test(type.type);
      headers[name] = type;
    } else headers[name] = value;
  }
  return {
    statusCode: answer.status,
    headers,
    body: decoded(Buffer.from(answer.bytes), encoding, isJson),
    // It goes on in the run, is kept with it and shown: without credentials.
    request: maskedJson({ uri: request.url, method: request.method, headers: request.headers }),
  };
}

function decoded(bytes: Buffer, encoding: unknown, isJson: boolean): unknown {
  switch (encoding) {
    case "ascii":
    case "utf16le":
    case "base64":
    case "latin1":
    case "binary":
    case "hex":
      return bytes.toString(encoding);
    // Bytes as they came: JSON has no other way to hold them.
    case null:
    case "null":
    case "noEncoding":
      return bytes.toString("base64");
    default: {
      const text = bytes.toString("utf8");
      return isJson ? (parsedJson(text)?.value ?? text) : text;
    }
  }
}

function contentType(header: string): { type: string; parameters: Record<string, string> } {
  const [type = "", ...rest] = header.split(";").map((part) => part.trim());
  const parameters = rest.flatMap((part) => {
    const at = part.indexOf("=");
    const value = part.slice(at + 1).replace(/^"(.*)"$/, "$1");
    return at > 0 ? [[part.slice(0, at).toLowerCase(), value]] : [];
  });
  return { type: type.toLowerCase(), parameters: Object.fromEntries(parameters) };
}
