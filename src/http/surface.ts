import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { notFound, type Reason, Refusal, type Violation } from "./refusal";

export type SurfaceName = "elements" | "v1" | "apis" | "app";
export type RequestIdEnv = { Variables: { requestId: string } };

/** Gives every request an id: 24 hex digits. */
export const withRequestId = createMiddleware<RequestIdEnv>(async (c, next) => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  c.set("requestId", Buffer.from(bytes).toString("hex"));
  await next();
});

/** What went wrong, as a reason: anything that is not a refusal is our fault, logged and not told. */
export function reasonOf(error: unknown, requestId: string): Reason | undefined {
  if (error instanceof Refusal) return error.reason;
  if (error instanceof HTTPException) return { kind: "invalid", message: error.message };
  console.error(
    JSON.stringify({
      at: "request",
      requestId,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  return undefined;
}

type Wire = { status: ContentfulStatusCode; body: unknown; headers?: Record<string, string> };

/** The one map from reasons to each surface's own statuses and bodies. */
export function toWire(
  surface: SurfaceName,
  reason: Reason | undefined,
  requestId: string,
  meta: Record<string, string> = {},
): Wire {
  const status = statusOf(surface, reason);
  const body = bodyOf(surface, reason, status, requestId, meta);
  return { status, headers: headersOf(reason), body };
}

function bodyOf(
  surface: SurfaceName,
  reason: Reason | undefined,
  status: ContentfulStatusCode,
  requestId: string,
  meta: Record<string, string>,
): unknown {
  const message = reason?.message ?? "Something went wrong on our side";
  switch (surface) {
    case "elements": {
      const provider = reason?.kind === "vendor" ? { providerMessage: reason.providerMessage } : {};
      return { requestId, message, ...provider };
    }
    case "v1": {
      const field =
        reason !== undefined && "field" in reason && reason.field !== undefined
          ? { field: reason.field }
          : {};
      return { error: { code: codeOf(reason), message, ...field, requestId } };
    }
    case "apis":
      return {
        errors: violationsOf(reason, message).map((violation) => ({
          status,
          title: titleOf(status),
          detail: violation.message,
          ...(violation.field === "" ? {} : { source: { parameter: violation.field } }),
          meta: { ...violation.meta, ...meta, transactionId: requestId },
        })),
      };
    case "app": {
      const details = reason?.kind === "invalid" ? reason.details : undefined;
      return {
        statusCode: status,
        error: PHRASES[status] ?? "Error",
        message,
        ...(details === undefined ? {} : { details }),
      };
    }
  }
}

function statusOf(surface: SurfaceName, reason: Reason | undefined): ContentfulStatusCode {
  switch (reason?.kind) {
    case undefined:
      return 500;
    case "invalid":
      return 400;
    case "unauthenticated":
      return 401;
    case "forbidden":
      return 403;
    case "not-found":
      return 404;
    case "conflict":
      return 409;
    case "key-reused":
      return 422;
    case "too-large":
      return surface === "elements" ? 429 : 413;
    case "not-json":
      return 415;
    case "limited":
      return 429;
    case "vendor":
      return surface === "elements" ? vendorStatus(reason.status) : 502;
    case "precondition":
      return 428;
    case "method":
      return 405;
    case "gone":
      return 410;
    case "unavailable":
      return 503;
  }
}

/** A vendor's own verdict on the request is passed on; its troubles are a bad gateway. */
function vendorStatus(status: number): ContentfulStatusCode {
  switch (status) {
    case 400:
    case 403:
    case 404:
    case 409:
    case 429:
      return status;
    default:
      return 502;
  }
}

function codeOf(reason: Reason | undefined): string {
  if (reason === undefined) return "internal";
  if (reason.kind !== "invalid") return reason.kind.replaceAll("-", "_");
  return reason.field === undefined ? "invalid_request" : "invalid_field";
}

const TITLES: Record<number, string> = {
  400: "Validation error",
  401: "Authentication error",
  403: "Forbidden error",
  404: "Not found error",
  405: "Method not allowed",
  409: "Conflict error",
  410: "Gone",
  413: "Payload too large",
  415: "Unsupported media type",
  422: "Unprocessable entity",
  428: "Precondition required",
  429: "Too many requests",
  500: "Server error",
  502: "Bad gateway",
  503: "Service unavailable",
};

/** Reason phrases of RFC 9110 (reference app-events-api.md §1). */
const PHRASES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Entity",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

function titleOf(status: number): string {
  return TITLES[status] ?? "Error";
}

function violationsOf(reason: Reason | undefined, message: string): readonly Violation[] {
  if (reason?.kind === "invalid" && reason.violations !== undefined) return reason.violations;
  const field = reason !== undefined && "field" in reason ? reason.field : undefined;
  return [{ message, field: field ?? "" }];
}

function headersOf(reason: Reason | undefined): Record<string, string> {
  if (reason?.kind === "limited") return { "Retry-After": String(reason.retryAfterSeconds) };
  if (reason?.kind === "method") return { Allow: reason.allow };
  return reason?.kind === "gone" ? reason.headers : {};
}

/** For whatever else is asked below a surface; not a `notFound` handler, since that of a mounted app is never asked. */
export const nothingHere =
  (words: string) =>
  (c: Context): never => {
    throw notFound(`${words} ${c.req.method} ${c.req.path}`);
  };

/** The error handler of a surface. */
export const refuse =
  (surface: SurfaceName, metaOf: (c: Context) => Record<string, string> = () => ({})) =>
  (error: Error, c: Context): Response => {
    const requestId: string = c.get("requestId") ?? "";
    const { status, body, headers } = toWire(
      surface,
      reasonOf(error, requestId),
      requestId,
      metaOf(c),
    );
    return c.json(body, status, headers);
  };
