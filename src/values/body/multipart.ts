import { decoded, mediaTypeOf, parameterOf } from "./charset";
import { collect, type Field, type Fields } from "./fields";

/** RFC 2046 has 70 characters at most. */
const MOST_BOUNDARY = 200;
/** A body of more parts than this is none: each costs a microsecond or two, however short it is. */
const MOST_PARTS = 10_000;

/**
 * The fields of a `multipart/form-data` body (RFC 7578), each in its part's charset; undefined when it is none. Its
 * boundary is the declared one, else that of its first line.
 */
export function fieldsOfMultipart(
  bytes: Uint8Array,
  contentType: string | null,
): Fields | undefined {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declared = parameterOf(contentType, "boundary");
  const [firstLine = ""] = content
    .subarray(0, MOST_BOUNDARY + 4)
    .toString("latin1")
    .split(/\r?\n/);
  const delimiter =
    declared === undefined || !content.includes(`--${declared}`)
      ? firstLine.trimEnd()
      : `--${declared}`;
  if (!/^--./.test(delimiter) || delimiter.length > MOST_BOUNDARY) return undefined;
  const parts = partsBetween(content, delimiter);
  if (parts.length > MOST_PARTS) return undefined;
  const fields = parts.flatMap((part) => fieldOf(part, contentType));
  return fields.length === 0 ? undefined : collect(fields);
}

function partsBetween(content: Buffer, delimiter: string): Buffer[] {
  const parts: Buffer[] = [];
  let from = content.indexOf(delimiter);
  while (from !== -1 && parts.length <= MOST_PARTS) {
    const start = from + delimiter.length;
    from = content.indexOf(`\n${delimiter}`, start);
    if (from !== -1) parts.push(content.subarray(start, from));
  }
  return parts;
}

/** A part begins with the end of its delimiter's line, and ends before the line feed of the next one. */
function fieldOf(part: Buffer, contentType: string | null): [string, Field][] {
  const [crlf, lf] = [part.indexOf("\r\n\r\n"), part.indexOf("\n\n")];
  const end = crlf === -1 || (lf !== -1 && lf < crlf) ? lf : crlf;
  if (end === -1) return [];
  const headers = decoded(part.subarray(0, end), null).split("\n");
  const valueOf = (name: string): string | null => {
    const line = headers.find((one) => one.toLowerCase().startsWith(`${name}:`));
    return line?.slice(name.length + 1).trim() ?? null;
  };
  const disposition = valueOf("content-disposition");
  const name = parameterOf(disposition, "name");
  if (name === undefined) return [];
  const isCrlf = part.at(-1) === 0x0d;
  const body = part.subarray(end === crlf ? end + 4 : end + 2, isCrlf ? -1 : undefined);
  const type = valueOf("content-type");
  const filename = parameterOf(disposition, "filename");
  const charset = parameterOf(type, "charset") === undefined ? contentType : type;
  if (filename === undefined) return [[name, decoded(body, charset)]];
  const file = { filename, type: mediaTypeOf(type) };
  return [[name, { ...file, ...contentOf(body, charset) }]];
}

function contentOf(
  body: Buffer,
  contentType: string | null,
): { text: string } | { base64: string } {
  if (parameterOf(contentType, "charset") !== undefined)
    return { text: decoded(body, contentType) };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body) };
  } catch {
    return { base64: body.toString("base64") };
  }
}
