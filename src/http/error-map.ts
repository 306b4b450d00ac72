import type { ContentfulStatusCode } from "hono/utils/http-status";
import { brief, quoted } from "../values/text";
import type { Reason, Violation } from "./refusal";

/** The one map from reasons to what each surface answers. */

export type SurfaceName = "elements" | "v1" | "apis" | "app";

type Wire = { status: ContentfulStatusCode; body: unknown; headers: Record<string, string> };

/** The status, headers and body that a surface answers a reason with; without a reason, it is our own fault. */
export function toWire(
  surface: SurfaceName,
  reason: Reason | undefined,
  requestId: string,
  meta: Record<string, string> = {},
): Wire {
  const status = statusOf(surface, reason);
  const message = brief(reason?.message ?? "Something went wrong on our side");
  const body = bodyOf(surface, { reason, status, message, requestId, meta });
  return { status, headers: headersOf(reason), body };
}

type Failure = {
  reason: Reason | undefined;
  status: number;
  message: string;
  requestId: string;
  /** What `apis` tells with each error. */
  meta: Record<string, string>;
};

function bodyOf(surface: SurfaceName, failure: Failure): unknown {
  switch (surface) {
    case "elements":
      return elementsBody(failure);
    case "v1":
      return v1Body(failure);
    case "apis":
      return apisBody(failure);
    case "app":
      return appBody(failure);
  }
}

/** Reference connector-events-api.md §2. */
function elementsBody({ reason, message, requestId }: Failure): unknown {
  const provider = reason?.kind === "vendor" ? { providerMessage: reason.providerMessage } : {};
  return { requestId, message, ...provider };
}

/** Reference v1-api.md. */
function v1Body({ reason, message, requestId }: Failure): unknown {
  const field = fieldOf(reason);
  return {
    error: {
      code: codeOf(reason),
      message,
      ...(field === undefined ? {} : { field }),
      ...faultsIn(reason),
      requestId,
    },
  };
}

const MOST_FAULTS = 50;

/** Everything that is wrong, where that is more than one thing: the first of them is the message. */
function faultsIn(reason: Reason | undefined): { faults?: Violation[] } {
  const isList = reason?.kind === "invalid" || reason?.kind === "schema-mismatch";
  const all = isList ? (reason.violations ?? []) : [];
  if (all.length < 2) return {};
  return {
    faults: all
      .slice(0, MOST_FAULTS)
      .map(({ field, message }) => ({ field: quoted(field), message: brief(message) })),
  };
}

/** Reference resource-api.md §6. */
function apisBody({ reason, status, message, requestId, meta }: Failure): unknown {
  return {
    errors: violationsOf(reason, message).map((violation) => ({
      status,
      title: TITLES[status] ?? "Error",
      detail: brief(violation.message),
      ...(violation.field === "" ? {} : { source: { parameter: quoted(violation.field) } }),
      meta: { ...violation.meta, ...meta, transactionId: requestId },
    })),
  };
}

/** Reference app-events-api.md §1. */
function appBody({ reason, status, message }: Failure): unknown {
  const details = reason?.kind === "invalid" ? reason.details : undefined;
  return {
    statusCode: status,
    error: PHRASES[status] ?? "Error",
    message,
    ...(details === undefined ? {} : { details }),
  };
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
    case "schema-mismatch":
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

/** The vendor's status when it says what is wrong with the request; its own failures are a bad gateway. */
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

function violationsOf(reason: Reason | undefined, message: string): readonly Violation[] {
  if (reason?.kind === "invalid" && reason.violations !== undefined) return reason.violations;
  return [{ message, field: fieldOf(reason) ?? "" }];
}

function fieldOf(reason: Reason | undefined): string | undefined {
  const field = reason !== undefined && "field" in reason ? reason.field : undefined;
  return field === undefined ? undefined : quoted(field);
}

function headersOf(reason: Reason | undefined): Record<string, string> {
  if (reason?.kind === "limited") return { "Retry-After": String(reason.retryAfterSeconds) };
  if (reason?.kind === "method") return { Allow: reason.allow };
  return reason?.kind === "gone" ? reason.headers : {};
}
