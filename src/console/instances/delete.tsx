import type { JSX } from "hono/jsx/jsx-runtime";
import type { Instance } from "../../instances/instance";
import { maskedUrl } from "../../values/secret-text";
import { Act } from "../parts";

/** What goes with an instance, before it is deleted. */
export function DeletePage({ instance }: { instance: Instance }): JSX.Element {
  const { id, name, connector } = instance;
  const here = `/console/instances/${id}`;
  return (
    <>
      <div class="head">
        <div>
          <h1>Delete {name}?</h1>
          <p class="quiet">
            {connector.name} · instance {id}. It can't be taken back.
          </p>
        </div>
      </div>
      <section class="card">
        <h2>What is removed</h2>
        <Removed instance={instance} />
        <h2>What stays</h2>
        <ul>
          <li>The account at {connector.name}, with everything in it.</li>
          <li>Events that were seen, until the organization's retention ends; and what it cost.</li>
        </ul>
        <div class="acts">
          <Act to={`${here}/delete`} label="Delete it" main />
          <a class="button" href={here}>
            Keep it
          </a>
        </div>
      </section>
    </>
  );
}

function Removed({ instance: { connector, configuration } }: { instance: Instance }): JSX.Element {
  const callback = maskedUrl(configuration["event.notification.callback.url"] ?? null);
  const idsKey = connector.webhook?.registration?.idsKey ?? "";
  const hooks = (configuration[idsKey] ?? "").split(",").filter((hook) => hook !== "").length;
  return (
    <ul>
      <li>The instance with its settings, credentials and Element token.</li>
      <li>Its polls: nothing that changes in the account is seen any more.</li>
      {hooks === 0 ? (
        connector.webhook === undefined ? null : (
          <li>
            What {connector.name} still sends to its address is turned down; switch that off there.
          </li>
        )
      ) : (
        <li>
          {hooks === 1 ? "The webhook" : `The ${hooks} webhooks`} that it has at {connector.name}.
        </li>
      )}
      {callback === null ? null : (
        <li>
          Its callback, <code>{callback}</code>, with its signing keys: what has not been delivered
          to it yet is not delivered any more.
        </li>
      )}
    </ul>
  );
}
