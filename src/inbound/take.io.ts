import { MOST_HOPS } from "../delivery/own-address";
import { Refusal } from "../http/refusal";
import type { Heard } from "../instances/heard.store";
import { CIRCLE } from "../instances/attention";
import type { PolledAs } from "../instances/polled";
import type { Instance } from "../instances/instance";
import { settledAtOnce } from "../values/at-once";
import { once } from "../values/cache";
import { type Became, commitDelivery, type Transport } from "./commit.io";
import { logUncommitted } from "./log.io";
import { type Arrived, prover, type Proof } from "./proof";
import { contentOf } from "./readable";
import { doorsOf } from "./registration/register.io";
import { type Deal, dealt } from "./tenant-parts";
import { noteDelivery } from "./traces/note.io";

/** Commits of one delivery that are made at the same time: 500 instances are ten round trips to their streams. */
const AT_ONCE = 50;
/** Refusals of one delivery that leave a trace; who made it is nobody we know. */
const MOST_REFUSALS_NOTED = 500;

/** What became of a delivery at those of some instances that it is proved for. */
export type Taken = { isProved: boolean; acknowledging: Instance | undefined };

/**
 * Takes a delivery for the instances that it may be for, group by group: checks for which of them it is proved, and commits
 * it to their streams, many at a time. What can't be read or committed for one is committed for the others all the same,
 * and then refused: the vendor sends it again, and whoever has it already takes it for repeated.
 */
export function taker(
  arrived: Arrived,
  { element, hops, env, polledAs }: { element: string; hops: number; env: Env; polledAs: PolledAs },
): (candidates: readonly Heard[]) => Promise<Taken> {
  const prove: (instance: Instance) => Proof =
    hops > MOST_HOPS ? () => ({ kind: "unproved", reason: CIRCLE }) : prover(arrived, Date.now());
  const deal = once(() => dealt(contentOf(arrived)));
  let refusalsNoted = 0;
  return async (candidates) => {
    const proofs = candidates.map((instance) => ({ instance, proof: prove(instance) }));
    const refused = refusedOf(proofs, element);
    const noted = refused.slice(0, MOST_REFUSALS_NOTED - refusalsNoted);
    refusalsNoted += noted.length;
    await settledAtOnce(noted, AT_ONCE, ({ instance, reason }) =>
      noteDelivery(env, instance, arrived, { outcome: "refused", reason, isProved: false }),
    );
    const proven = proofs.flatMap(({ instance, proof }) =>
      proof.kind === "proved" ? instance : [],
    );
    const settled = await settledAtOnce(proven, AT_ONCE, (instance) => {
      const triggers = async () => instance.triggers;
      const { headers, sender } = arrived;
      const transport = { headers, hops, triggers, isOwn: sender !== undefined };
      return commitOrNote(instance, () => deal(arrived), { arrived, transport, env, polledAs });
    });
    const failed = settled.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
    const acknowledging = proven.findLast((_, index) => {
      const one = settled[index];
      const became = one?.status === "fulfilled" ? one.value : undefined;
      return became?.kind === "took" || became?.outcome === "no-event";
    });
    return { isProved: proven.length > 0, acknowledging };
  };
}

type Committing = { arrived: Arrived; transport: Transport; env: Env; polledAs: PolledAs };

/** Commits a delivery that was proved; if it becomes no event, it leaves a trace. @throws Refusal when it can't be read. */
async function commitOrNote(
  instance: Instance,
  deal: () => Deal,
  { arrived, transport, env, polledAs }: Committing,
): Promise<Became> {
  const note = (outcome: "no-event" | "ignored", reason: string) =>
    noteDelivery(env, instance, arrived, { outcome, reason, isProved: true });
  try {
    const became = await commitDelivery(instance, deal(), transport, { ...doorsOf(env), polledAs });
    if (became.kind === "nothing") await note(became.outcome, became.reason);
    return became;
  } catch (error) {
    if (error instanceof Refusal) await note("no-event", error.message);
    throw error;
  }
}

type Proved = { instance: Instance; proof: Proof };

/** Those whose signature or token does not fit. Why is logged in one line, without secrets. */
function refusedOf(
  proofs: readonly Proved[],
  element: string,
): { instance: Instance; reason: string }[] {
  const refused = proofs.flatMap(({ instance, proof }) =>
    proof.kind === "unproved" ? { instance, reason: proof.reason } : [],
  );
  const [first, ...others] = refused;
  if (first !== undefined) logUncommitted(element, first.reason, first.instance.id, others.length);
  return refused;
}
