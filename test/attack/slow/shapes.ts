/** Texts and bodies that are cheap to send and dear to read carelessly. */

export const MOST_BYTES = 1_000_000;

type Text = readonly [start: string, repeated: string, end: string];

/** Each is repeated to a size, between a start and an end. */
export const TEXTS: Record<string, Text> = {
  letters: ["", "a", ""],
  "letters, then another": ["", "a", "!"],
  blanks: ["", " ", "!"],
  "line breaks": ["a", "\n", "!"],
  quotes: ["", '"', ""],
  backslashes: ["", "\\", ""],
  "escaped quotes": ['"', '\\"', ""],
  "square brackets": ["", "[", ""],
  braces: ["", '{"a":', ""],
  parentheses: ["", "(", ""],
  placeholders: ["", "{{{$.", ""],
  "closed placeholders": ["", "{{{$.a.b}}}", ""],
  tags: ["", "<OrganizationId ", ""],
  dots: ["a", ".a", "!"],
  slashes: ["http://", "/", "x"],
  "e-mail like": ["a", "@a.", "!"],
  conditions: ["a eq ", "'x' and a eq ", "'x'"],
  "RSQL alternatives": ["", "name==a,", "name==a"],
  "RSQL parts": ["", "(name==a;", "name==a"],
  "Lucene words": ["a:", '"b" AND c:', "d"],
  stars: ["", "*a", "b"],
  percents: ["", "%25", "%"],
  commas: ["", ",", ""],
  equals: ["", "=", ""],
  digits: ["1", "0", ""],
  nines: ["0.", "9", "e99999"],
  dates: ["2026-01-01T", "00:", "Z"],
  entities: ["<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;", ""],
  "lone surrogates": ["", "\\ud800", ""],
  accents: ["", "e\u0301", ""],
  jsonata: ["", "$map([1..9],function($x){", "1"],
  "repetition of repetition": ["(", "a*)*(", "b"],
  "YAML aliases": ["a: &a [x]\n", "b: [*a,*a]\n", ""],
  zeros: ["", "\u0000", ""],
};

export const filled = ([start, repeated, end]: Text, size: number): string =>
  start +
  repeated.repeat(Math.max(1, Math.floor((size - start.length - end.length) / repeated.length))) +
  end;

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

export type Raw = { type: string; body: (size: number) => string | Uint8Array };

const keys = (size: number, write: (index: number) => string): string => {
  const parts: string[] = [];
  for (let index = 0, length = 2; ; index += 1) {
    const part = write(index);
    length += part.length + 1;
    if (length > size) return parts.join(",");
    parts.push(part);
  }
};
const json = (start: string, repeated: string, end: string): Raw => ({
  type: JSON_TYPE,
  body: (size) => filled([start, repeated, end], size),
});

/** Whole bodies, as bytes on the wire. */
export const BODIES: Record<string, Raw> = {
  ...Object.fromEntries(
    Object.entries(TEXTS).map(([name, text]) => [`raw ${name}`, json(...text)]),
  ),
  "a list of zeros": json("[0", ",0", "]"),
  "a list of empty objects": json("[{}", ",{}", "]"),
  "many keys": { type: JSON_TYPE, body: (size) => `{${keys(size, (at) => `"k${at}":1`)}}` },
  "one key again and again": { type: JSON_TYPE, body: (size) => `{${keys(size, () => '"a":1')}}` },
  "array-like keys": { type: JSON_TYPE, body: (size) => `{${keys(size, (at) => `"${at}":1`)}}` },
  "prototype keys": { type: JSON_TYPE, body: (size) => `{${keys(size, () => '"__proto__":{}')}}` },
  "levels up to the bound, side by side": json("[0", `,${"[".repeat(490)}${"]".repeat(490)}`, "]"),
  "a huge number": json("", "9", ""),
  "many operations": json(
    '[{"op":"add","path":"/tags/-","value":"a"}',
    ',{"op":"add","path":"/tags/-","value":"a"}',
    "]",
  ),
  "many copies": json(
    '[{"op":"add","path":"/attributes","value":{"a":"b"}}',
    ',{"op":"copy","from":"/attributes","path":"/attributes/a"}',
    "]",
  ),
  "form fields": { type: FORM_TYPE, body: (size) => filled(["a=b", "&a=b", ""], size) },
  "form percents": { type: FORM_TYPE, body: (size) => filled(["a=", "%41+", ""], size) },
  "form broken percents": { type: FORM_TYPE, body: (size) => filled(["a=", "%", ""], size) },
  "multipart parts": {
    type: "multipart/form-data; boundary=x",
    body: (size) =>
      filled(
        ["", '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n', "--x--\r\n"],
        size,
      ),
  },
  "multipart boundaries": {
    type: "multipart/form-data; boundary=x",
    body: (size) => filled(["--x\r\n", "--x\r\n", ""], size),
  },
  "multipart headers": {
    type: "multipart/form-data; boundary=x",
    body: (size) => filled(["--x\r\n", "a: b\r\n", "\r\n\r\nc\r\n--x--\r\n"], size),
  },
  "XML depth": { type: "text/xml", body: (size) => filled(["", "<a>", ""], size) },
  "XML elements": { type: "text/xml", body: (size) => filled(["<a>", "<b/>", "</a>"], size) },
  "XML attributes": { type: "text/xml", body: (size) => filled(["<a ", 'b="c" ', "/>"], size) },
  "XML notifications": {
    type: "text/xml",
    body: (size) =>
      filled(
        [
          "<soapenv:Envelope><soapenv:Body><notifications><OrganizationId>1</OrganizationId>",
          "<Notification><Id>1</Id></Notification>",
          "</notifications></soapenv:Body></soapenv:Envelope>",
        ],
        size,
      ),
  },
  "XML entities": {
    type: "text/xml",
    body: (size) => filled(['<!DOCTYPE a [<!ENTITY b "cccccccccc">]><a>', "&b;", "</a>"], size),
  },
  "XML of many entities": {
    type: "text/xml",
    body: (size) => filled(["<!DOCTYPE a [", '<!ENTITY b "&b;&b;">', "]><a>&b;</a>"], size),
  },
  "invalid UTF-8": { type: JSON_TYPE, body: (size) => new Uint8Array(size).fill(0xff) },
  "UTF-16": { type: JSON_TYPE, body: (size) => Buffer.from("[1,".repeat(size / 6), "utf16le") },
};

/** What goes into a URL or a header: printable, and at most so long. */
export const URL_BYTES = 12_000;
export const inUrl = (text: Text, size: number): string =>
  encodeURIComponent(filled(text, size).slice(0, size).toWellFormed())
    .slice(0, size)
    .replace(/%.?$/, "");
export const inHeader = (text: Text, size: number): string =>
  filled(text, size).replaceAll(/[^\x20-\x7e]/g, "x");
