import type { JSX } from "hono/jsx/jsx-runtime";
import { Copyable } from "../../parts";
import { snippets, STANDARD } from "./snippets";

/** How receivers tell messages from forged ones. */
export function VerifyPage(): JSX.Element {
  return (
    <>
      <div class="head">
        <div>
          <h1>Verify messages</h1>
          <p class="quiet">
            Each message is signed with its endpoint's secret. Refuse what doesn't pass, and what is
            older than five minutes; answer 2xx within 15 seconds to all else.
          </p>
        </div>
      </div>
      <div class="stack">
        {snippets(STANDARD).map(([language, text], index) => (
          <details class="card" open={index === 0}>
            <summary>
              <b>{language}</b>
            </summary>
            <Copyable text={text} label={`the function in ${language}`} />
          </details>
        ))}
      </div>
    </>
  );
}
