/** An authenticator in software: real keys of WebCrypto, and the bytes that WebAuthn describes. */

const encode = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const join = (...parts: (Uint8Array | number[])[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(parts.flatMap((part) => [...part]));

/** CBOR (RFC 8949) of what an authenticator writes: `head` with a length of two bytes. */
const cborBytes = (bytes: Uint8Array) =>
  join([0x59, bytes.length >> 8, bytes.length & 0xff], bytes);
const cborText = (text: string) => join([0x60 + text.length], encode(text));

const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;

/** What a form's options and answers look like. */
export type Options = {
  challenge: string;
  rp?: { id: string };
  rpId?: string;
  user?: { id: string };
};

/** How an authenticator, or whoever stands between, differs from a good one. */
export type Fault = {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  flags?: number;
  counter?: number;
  userHandle?: string;
  /** Signs with another key. */
  foreign?: boolean;
  /** Of an attestation: its format, and the CBOR of its statement. */
  format?: string;
  statement?: number[];
  crossOrigin?: boolean;
};

export type Authenticator = Awaited<ReturnType<typeof openAuthenticator>>;

const newKey = () =>
  crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);

/** @param counts whether it counts its signatures; passkeys that are synchronised don't. */
export async function openAuthenticator(origin: string, { counts = true } = {}) {
  const key = (await newKey()) as CryptoKeyPair;
  const stranger = (await newKey()) as CryptoKeyPair;
  const id = crypto.getRandomValues(new Uint8Array(32));
  let counter = 0;
  let handle: string | undefined;

  const clientData = (type: string, challenge: string, fault: Fault) =>
    encode(
      JSON.stringify({
        type: fault.type ?? type,
        challenge: fault.challenge ?? challenge,
        origin: fault.origin ?? origin,
        crossOrigin: fault.crossOrigin ?? false,
      }),
    );
  const authenticatorData = async (rpId: string, flags: number, fault: Fault) => {
    const count = fault.counter ?? (counts ? (counter += 1) : 0);
    return join(await digest(encode(fault.rpId ?? rpId)), [
      fault.flags ?? flags,
      ...[24, 16, 8, 0].map((shift) => (count >>> shift) & 0xff),
    ]);
  };
  const publicKey = async () => {
    const raw = new Uint8Array(
      (await crypto.subtle.exportKey("raw", key.publicKey)) as ArrayBuffer,
    );
    const [x, y] = [raw.slice(1, 33), raw.slice(33)];
    // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
    const head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01];
    return join(head, [0x21, 0x58, 0x20], x, [0x22, 0x58, 0x20], y);
  };

  return {
    id: base64url(id),
    /** `navigator.credentials.create`, as our script writes down what it gives. */
    async create(options: Options, fault: Fault = {}): Promise<string> {
      handle = options.user?.id;
      const data = join(
        await authenticatorData(options.rp?.id ?? "", PRESENT | VERIFIED | ATTESTED, fault),
        new Uint8Array(16),
        [0, id.length],
        id,
        await publicKey(),
      );
      const attestationObject = join(
        [0xa3],
        cborText("fmt"),
        cborText(fault.format ?? "none"),
        cborText("attStmt"),
        fault.statement ?? [0xa0],
        cborText("authData"),
        cborBytes(data),
      );
      const clientDataJSON = clientData("webauthn.create", options.challenge, fault);
      return JSON.stringify({
        id: base64url(id),
        response: {
          clientDataJSON: base64url(clientDataJSON),
          attestationObject: base64url(attestationObject),
        },
      });
    },
    /** `navigator.credentials.get`. */
    async get(options: Options, fault: Fault = {}): Promise<string> {
      const data = await authenticatorData(options.rpId ?? "", PRESENT | VERIFIED, fault);
      const clientDataJSON = clientData("webauthn.get", options.challenge, fault);
      const { privateKey } = fault.foreign === true ? stranger : key;
      const raw = new Uint8Array(
        await crypto.subtle.sign(
          { name: "ECDSA", hash: "SHA-256" },
          privateKey,
          join(data, await digest(clientDataJSON)),
        ),
      );
      return JSON.stringify({
        id: base64url(id),
        response: {
          clientDataJSON: base64url(clientDataJSON),
          authenticatorData: base64url(data),
          signature: base64url(der(raw)),
          userHandle: fault.userHandle ?? handle,
        },
      });
    },
  };
}

/** Two integers in a sequence (X.690), as WebAuthn wants ECDSA signatures. */
function der(raw: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array) => {
    const first = bytes.findIndex((byte) => byte !== 0);
    const bare = bytes.slice(first);
    const padded = (bare[0] ?? 0) > 0x7f ? join([0], bare) : bare;
    return join([0x02, padded.length], padded);
  };
  const both = join(integer(raw.slice(0, 32)), integer(raw.slice(32)));
  return join([0x30, both.length], both);
}
