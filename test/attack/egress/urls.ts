import { HOSTILE } from "../../http/hostile.ts";
import { HIDDEN_ENDS } from "./resolver.ts";

/** Addresses of places that nobody may call, but the first, which our listener has, in every notation. */
const ADDRESSES = [
  "127.0.0.2",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.0.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
];

/** The spellings of an IPv4 address that some parser takes for it. */
function spellings(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (one: number) => one.toString(16);
  const [high, low] = [hex(a * 256 + b), hex(c * 256 + d)];
  const wide = address.replaceAll(/\d/g, (digit) => "０１２３４５６７８９"[Number(digit)] ?? "");
  const percents = address.replaceAll(/\d/g, (digit) => `%3${digit}`);
  return [
    address,
    `${address}.`,
    `${number}`,
    `0x${number.toString(16)}`,
    `0${number.toString(8)}`,
    [a, b, c, d].map((one) => `0x${hex(one)}`).join("."),
    [a, b, c, d].map((one) => `0${one.toString(8)}`).join("."),
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `0x${hex(a)}.${b}.0${c.toString(8)}.${d}`,
    wide,
    percents,
    address.replaceAll(".", "。"),
    `[::ffff:${address}]`,
    `[::ffff:${high}:${low}]`,
    `[::${address}]`,
    `[64:ff9b::${high}:${low}]`,
    `[2002:${high}:${low}::1]`,
    `[2606:4700::5efe:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${high}:${low}]`,
  ];
}

const NAMES = [
  "localhost",
  "LOCALHOST",
  "localhost.",
  "x.localhost",
  "ｌocalhost",
  "localhost.localdomain",
];
const OWN = ["[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::0001]", "127.255.255.254"];

/** What the stack of the attack may call: its own vendors and receivers. */
const isAllowed = (text: string): boolean =>
  URL.canParse(text) &&
  /^(127\.0\.0\.1\.?|\[::ffff:7f00:1\]|.*example\.com\.?)$/.test(new URL(text).hostname);

/** Hostile addresses; those that lead to this machine name the port of our listener. */
export function hostileUrls(port: number): string[] {
  const hosts = [...ADDRESSES.flatMap(spellings), ...NAMES, ...OWN];
  const all = hosts.flatMap((host) => [`http://${host}:${port}/`, `https://${host}/hook`]);
  const odd = [
    `http://user:secret@127.0.0.2:${port}/`,
    `http://127.0.0.1@127.0.0.2:${port}/`,
    `http://127.0.0.1#@127.0.0.2:${port}/`.replace("#", "%23"),
    `http://127.0.0.1:80\\@127.0.0.2:${port}/`,
    `http:127.0.0.2:${port}/`,
    `http:/\\127.0.0.2:${port}/`,
    `  http://127.0.0.2:${port}/`,
    `http://127.0.0.2:${port}\t/`,
    `http://127.\n0.0.2:${port}/`,
    `HTTP://127.0.0.2:${port}/`,
    `gopher://127.0.0.2:${port}/`,
    `ws://127.0.0.2:${port}/`,
    `blob:http://127.0.0.2:${port}/`,
    `view-source:http://127.0.0.2:${port}/`,
  ];
  const known = HOSTILE.filter((url) => url.trim() !== "");
  return [...new Set([...all, ...odd, ...known])].filter((url) => !isAllowed(url));
}

/** Names that look public, and whose address is not. */
export const hidingUrls = (): string[] =>
  HIDDEN_ENDS.map((end) => `https://n-${crypto.randomUUID().slice(0, 8)}${end}/hook`);
