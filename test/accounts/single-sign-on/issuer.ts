import { createHash } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** An issuer of the tests' own: real keys, real signatures, and the endpoints of an OpenID provider. */

type Pair = Awaited<ReturnType<typeof generateKeyPair>> & { kid: string };

export type Issuer = Awaited<ReturnType<typeof openIssuer>>;

const newPair = async (alg = "RS256"): Promise<Pair> => ({
  ...(await generateKeyPair(alg, { extractable: true })),
  kid: crypto.randomUUID(),
});

export async function openIssuer(issuer: string, keysPath: string) {
  const client = { id: `client-${crypto.randomUUID()}`, secret: "secret of the client" };
  const codes = new Map<string, { challenge: string; redirectUri: string; idToken: string }>();
  let pair = await newPair();
  let isDown = false;
  /** How often the keys were read. */
  let reads = 0;
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}${keysPath}`,
  };

  const redeem = (form: URLSearchParams, authorization: string | null): Response => {
    const code = form.get("code") ?? "";
    const grant = codes.get(code);
    codes.delete(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const basic = `Basic ${btoa([client.id, client.secret].map(encodeURIComponent).join(":"))}`;
    const isGood =
      authorization === basic &&
      form.get("grant_type") === "authorization_code" &&
      grant?.challenge === challenge &&
      grant.redirectUri === form.get("redirect_uri");
    return isGood
      ? Response.json({ id_token: grant.idToken, access_token: "a", token_type: "Bearer" })
      : Response.json({ error: "invalid_grant" }, { status: 400 });
  };

  return {
    issuer,
    client,
    metadata,
    reads: () => reads,
    goDown: (down: boolean) => (isDown = down),
    async rotate(alg?: string) {
      pair = await newPair(alg);
    },
    publicPem: () => exportSPKI(pair.publicKey),
    kid: () => pair.kid,
    /** A token, as this issuer signs it, or changed. */
    async sign(
      payload: JWTPayload,
      {
        key = pair.privateKey,
        kid = pair.kid,
        alg = "RS256",
      }: { key?: CryptoKey | Uint8Array; kid?: string; alg?: string } = {},
    ): Promise<string> {
      return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(key);
    },
    /** Signs in whoever a browser brought to `authorize`. @returns where it is sent back to. */
    authorize(location: string, idToken: string, code: string = crypto.randomUUID()): string {
      const { searchParams } = new URL(location);
      const redirectUri = searchParams.get("redirect_uri") ?? "";
      codes.set(code, {
        challenge: searchParams.get("code_challenge") ?? "",
        redirectUri,
        idToken,
      });
      const back = new URL(redirectUri);
      const query = new URLSearchParams({ code, state: searchParams.get("state") ?? "" });
      return `${back.pathname}?${query.toString()}`;
    },
    /** What the network answers in this issuer's name. */
    async answer(url: string, init?: RequestInit): Promise<Response> {
      if (isDown) return new Response("down", { status: 503 });
      switch (new URL(url).pathname) {
        case "/.well-known/openid-configuration":
          return Response.json(metadata);
        case keysPath:
          reads += 1;
          return Response.json({
            keys: [{ ...(await exportJWK(pair.publicKey)), kid: pair.kid, use: "sig" }],
          });
        case "/token":
          return redeem(
            new URLSearchParams(typeof init?.body === "string" ? init.body : ""),
            new Headers(init?.headers).get("authorization"),
          );
        default:
          return new Response("unknown", { status: 404 });
      }
    },
  };
}
