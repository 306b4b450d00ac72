import { createHmac } from "node:crypto";
import { equalInConstantTime } from "../../values/bytes";
import type { Member } from "./store";

/**
 * What an owner uses as `User` and `Organization` secret after signing in (reference connector-events-api.md §1). The
 * organization's own are stored as digests, so nobody can be told them; these are derived instead, the same at every
 * sign-in, and good as long as the member is an owner there and keeps the password.
 */
export type MemberSecrets = { userSecret: string; organizationSecret: string };

type Whose = Pick<Member, "id" | "organizationId">;

const SECRET = /^mbr_(user|organization)_([1-9]\d{0,14})_([1-9]\d{0,14})_[\w-]{43}$/;

export function memberSecrets(
  member: Whose & Pick<Member, "passwordHash">,
  key: string,
): MemberSecrets {
  const secret = (kind: "user" | "organization"): string => {
    const { id, organizationId, passwordHash } = member;
    const name = `${kind}_${organizationId}_${id}`;
    const proof = createHmac("sha256", key).update(`member-secret ${name} ${passwordHash}`);
    return `mbr_${name}_${proof.digest("base64url")}`;
  };
  return { userSecret: secret("user"), organizationSecret: secret("organization") };
}

/** Whose `User` secret a text may be; undefined when it is no member's. */
export function ownerNamed(user: string): Whose | undefined {
  const [, kind, organizationId, id] = SECRET.exec(user) ?? [];
  return kind === "user" ? { organizationId: Number(organizationId), id: Number(id) } : undefined;
}

/** Whether secrets are those of a member. Absent: an Element token stands for the organization. */
export function areOf(
  member: Parameters<typeof memberSecrets>[0],
  given: { user: string; organization: string | undefined },
  key: string,
): boolean {
  const { userSecret, organizationSecret } = memberSecrets(member, key);
  const isUser = equalInConstantTime(userSecret, given.user);
  const isOrganization =
    given.organization === undefined || equalInConstantTime(organizationSecret, given.organization);
  return isUser && isOrganization;
}
