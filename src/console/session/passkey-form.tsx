import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Asked } from "../../accounts/passkeys/options";

/** A form that sends a passkey's answer; the page's script shows it where the browser knows passkeys. */
export const PasskeyForm = (props: {
  action: string;
  does: "create" | "get";
  asked: Asked;
  label: string;
  main?: boolean;
  children?: Child;
}): JSX.Element => (
  <form
    class="other"
    method="post"
    action={props.action}
    data-passkey={props.does}
    data-options={JSON.stringify(props.asked.options)}
    hidden
  >
    <p class="notice bad" role="alert" hidden></p>
    <input type="hidden" name="state" value={props.asked.state} />
    <input type="hidden" name="credential" />
    {props.children}
    <button {...(props.main === true ? { class: "main" } : {})}>{props.label}</button>
  </form>
);
