import type { Millis } from "../../values/instant";

/** Whether somebody belongs to an organization: `expired` is an invitation that nobody accepted in time. */
export type MemberState = "active" | "invited" | "expired";

export function stateOf(
  {
    joinedAt,
    invitationExpiresAt,
  }: { joinedAt: Millis | null; invitationExpiresAt: Millis | null },
  now: Millis,
): MemberState {
  if (joinedAt !== null) return "active";
  return (invitationExpiresAt ?? 0) > now ? "invited" : "expired";
}
