import type { JSX } from "hono/jsx/jsx-runtime";
import type { JobView } from "../../operations/jobs/view";
import { From, type Names } from "../events/list";
import { Empty, Instant, Pill, Table, type Tone } from "../parts";
import { SettingsHead } from "./parts";

const TONES = { running: "wait", done: "good", failed: "bad" } as const satisfies Record<
  JobView["status"],
  Tone
>;

/** Work over many events: what runs, how far it is, and who began it. */
export function JobsPage(props: {
  jobs: readonly JobView[];
  names: Names & { actors: ReadonlyMap<string, string> };
  older: string | null;
  isOwner: boolean;
  now: number;
}): JSX.Element {
  const { jobs, names, older, isOwner, now } = props;
  return (
    <>
      <SettingsHead
        here="jobs"
        title="Jobs"
        text="Events delivered again, and users deleted, page by page"
        isOwner={isOwner}
      />
      {jobs.length === 0 ? (
        <Empty
          title="No job yet"
          text="Delivering a range of events again, or what died at a destination, is a job. They begin on the pages of events and destinations."
        />
      ) : (
        <Table
          heads={["What", "State", "Done", "Began", "By"]}
          rows={jobs.map((job) => [
            <What job={job} names={names} />,
            <>
              <Pill tone={TONES[job.status]}>{job.status}</Pill>
              {job.error === null ? null : <span class="event small fault">{job.error}</span>}
            </>,
            <span class="num">{doneOf(job)}</span>,
            <Instant at={Date.parse(job.createdAt)} now={now} />,
            <By actor={job.createdBy} actors={names.actors} />,
          ])}
        />
      )}
      {older === null ? null : (
        <p class="more">
          <a href={older}>Older</a>
        </p>
      )}
    </>
  );
}

function What({ job, names }: { job: JobView; names: Names }): JSX.Element {
  const { source, destinationId } = job;
  const to = destinationId === null ? undefined : names.destinations.get(destinationId);
  return (
    <>
      <b>{WORDS.get(job.kind) ?? job.kind}</b>
      {source === null ? null : (
        <span class="event">
          of <From source={source} names={names} />
        </span>
      )}
      {destinationId === null ? null : (
        <span class="event small quiet">to {to ?? "a destination that is gone"}</span>
      )}
    </>
  );
}

const WORDS = new Map([
  ["replay", "Events delivered again"],
  ["recover", "Dead letters delivered again"],
  ["cancel", "What waited cancelled"],
  ["release", "What was held let go"],
  ["erasure", "A user deleted, with all that is theirs"],
]);

function doneOf({ processed, total }: JobView): string {
  if (processed === null) return "not counted";
  const so = processed.toLocaleString("en-US");
  return total === null ? so : `${so} of ${total.toLocaleString("en-US")}`;
}

function By(props: { actor: string | null; actors: ReadonlyMap<string, string> }): JSX.Element {
  const { actor, actors } = props;
  if (actor === null) return <span class="quiet">see the audit log</span>;
  return <>{actors.get(actor) ?? <span class="quiet">somebody who is gone</span>}</>;
}
