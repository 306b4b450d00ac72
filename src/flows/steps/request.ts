import { headerFault } from "../../delivery/destination";
import type { HttpMethod } from "../components";
import { stringOf } from "../modifiers/argument";
import { digitsOf, memberJson } from "../../values/digits";
import { maskedUrl } from "../../values/secret-text";
import { parsedJson } from "../../values/json";
import { isObject } from "../../values/record";

/** An HTTP step's request, made from its input (reference app-events-api.md §5). */
export type StepRequest = {
  method: HttpMethod;
  url: string;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
};

export type StepVerdict = { ok: true; request: StepRequest } | { ok: false; message: string };

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

/** @returns what is wrong with the input: such a message is never retried. */
export function requestOf(method: HttpMethod, input: Record<string, unknown>): StepVerdict {
  const { url, bodyType } = input;
  if (typeof url !== "string" || url.trim() === "") return refused("url: Expected a URL");
  if (!URL.canParse(url.trim()))
    return refused(`url: '${maskedUrl(url.slice(0, 200))}' is not a URL`);
  if (bodyType !== undefined && bodyType !== null && bodyType !== "" && bodyType !== "raw")
    return refused(`bodyType: '${stringOf(bodyType)}' is not supported yet`);
  const headers = headersOf(input["headers"]);
  if (!headers.ok) return headers;
  if (method === "GET") return withQuery(new URL(url.trim()), headers.headers, input["body"]);
  const body = bodyOf(input, headers.headers["content-type"]);
  if (!body.ok) return body;
  const type = headers.headers["content-type"] ?? body.type;
  return {
    ok: true,
    request: {
      method,
      url: url.trim(),
      headers: type === undefined ? headers.headers : { ...headers.headers, "content-type": type },
      body: body.body,
    },
  };
}

function headersOf(
  given: unknown,
): { ok: true; headers: Record<string, string> } | { ok: false; message: string } {
  if (given === undefined || given === null || given === "") return { ok: true, headers: {} };
  const parsed = typeof given === "string" ? parsedJson(given)?.value : given;
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    return refused("headers: Expected an object, or JSON of one");
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (value === undefined || value === null) continue;
    const text = digitsOf(parsed, name) ?? stringOf(value);
    const fault = headerFault(name, text);
    if (fault !== undefined) return refused(`headers: ${fault}`);
    headers[name.toLowerCase()] = text;
  }
  return { ok: true, headers };
}

/** A GET has no body: its members become query parameters. */
function withQuery(url: URL, headers: Record<string, string>, body: unknown): StepVerdict {
  const parsed = typeof body === "string" ? (parsedJson(body)?.value ?? body) : body;
  if (parsed !== undefined && parsed !== null && parsed !== "") {
    if (typeof parsed !== "object" || Array.isArray(parsed))
      return refused("body: Expected an object: a GET sends it as query parameters");
    for (const [name, value] of Object.entries(parsed))
      if (value !== undefined)
        url.searchParams.append(name, digitsOf(parsed, name) ?? stringOf(value));
  }
  return { ok: true, request: { method: "GET", url: url.href, headers, body: undefined } };
}

function bodyOf(
  input: Record<string, unknown>,
  contentType: string | undefined,
):
  | { ok: true; body: string | Uint8Array | undefined; type: string | undefined }
  | { ok: false; message: string } {
  const { body, bodyBase64Encode } = input;
  if (body === undefined) return { ok: true, body: undefined, type: undefined };
  if (bodyBase64Encode === true || bodyBase64Encode === "true") {
    if (typeof body !== "string" || !/^[A-Za-z0-9+/\s]*={0,2}$/.test(body.trimEnd()))
      return refused("body: Expected base64");
    const bytes = new Uint8Array(Buffer.from(body, "base64"));
    return { ok: true, body: bytes, type: "application/octet-stream" };
  }
  const json = typeof body === "string" ? parsedJson(body) : { value: body };
  if (contentType?.toLowerCase().startsWith(FORM_TYPE) === true && json !== undefined) {
    const { value } = json;
    if (isObject(value)) {
      const form = new URLSearchParams();
      for (const [name, member] of Object.entries(value))
        if (member !== undefined) form.append(name, digitsOf(value, name) ?? stringOf(member));
      return { ok: true, body: form.toString(), type: FORM_TYPE };
    }
  }
  if (typeof body !== "string")
    return { ok: true, body: memberJson(input, "body"), type: JSON_TYPE };
  if (body === "") return { ok: true, body: undefined, type: undefined };
  return { ok: true, body, type: json === undefined ? "text/plain; charset=utf-8" : JSON_TYPE };
}

function refused(message: string): { ok: false; message: string } {
  return { ok: false, message };
}
