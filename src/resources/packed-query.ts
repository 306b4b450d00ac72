import { deflateRawSync, inflateRawSync } from "node:zlib";
import { invalid } from "../http/refusal";

/**
 * The parameter `query` of a list, made short for a link: `packedQuery` holds it deflated, as base64url. It says
 * nothing that `query` could not, and is read like it.
 */
const PACKED = "packedQuery";

/** No longer query fits into a URL. */
const MOST_BYTES = 64 * 1024;

/** The parameters of a list with their query packed. */
export function packedQuery(parameters: URLSearchParams): URLSearchParams {
  const packed = new URLSearchParams(parameters);
  const query = packed.get("query");
  if (query === null) return packed;
  packed.delete("query");
  packed.set(PACKED, deflateRawSync(query, { level: 9 }).toString("base64url"));
  return packed;
}

/** The parameters of a list as a caller would have written them. @throws Refusal when a packed query is none of ours. */
export function unpackedQuery(query: Record<string, string>): Record<string, string> {
  const { [PACKED]: packed, ...others } = query;
  if (packed === undefined) return query;
  try {
    const bytes = inflateRawSync(Buffer.from(packed, "base64url"), { maxOutputLength: MOST_BYTES });
    return { ...others, query: bytes.toString() };
  } catch {
    throw invalid(`Invalid '${PACKED}' parameter. Expected that of a link to another page`, PACKED);
  }
}
