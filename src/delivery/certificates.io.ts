/** Answers requests with a client certificate that the platform keeps. */
export type Certificate = Pick<Fetcher, "fetch">;

/**
 * The certificate of an `mtls_certificates` binding; undefined: there is none of this name that the organization may use.
 * One whose name ends in `_ORG_27` is for organization 27 alone, every other for all of the deployment.
 */
export function certificateOf(
  env: object,
  name: string,
  organizationId: number,
): Certificate | undefined {
  const [, owner] = /_ORG_(\d{1,15})$/.exec(name) ?? [];
  if (owner !== undefined && Number(owner) !== organizationId) return undefined;
  const binding: unknown = Reflect.get(env, name);
  return isCertificate(binding) ? binding : undefined;
}

const isCertificate = (binding: unknown): binding is Certificate =>
  typeof binding === "object" &&
  binding !== null &&
  typeof Reflect.get(binding, "fetch") === "function";
