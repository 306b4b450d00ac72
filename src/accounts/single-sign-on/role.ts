import type { MemberSignIn } from "../../values/member-sign-in";
import { foldEmail } from "../email";
import type { Role } from "../members/role";

/** What somebody with this address becomes: the address itself counts before its domain. Undefined: no member. */
export function roleFor(email: string, roles: MemberSignIn["roles"]): Role | undefined {
  const folded = foldEmail(email);
  const byName = new Map(Object.entries(roles));
  return byName.get(folded) ?? byName.get(folded.slice(folded.lastIndexOf("@")));
}
