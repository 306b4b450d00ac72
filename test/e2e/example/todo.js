/** A to-do page of a host application: its user activates an integration, its contacts fire an app event. */
import { createClient, TributaryError } from "./sdk.js";

const query = new URLSearchParams(location.search);
const find = (id) => document.getElementById(id);
const client = createClient({ baseUrl: query.get("api") });

/** Does something and shows what went wrong. */
async function attempt(act) {
  find("error").textContent = "";
  try {
    await act();
  } catch (error) {
    find("error").textContent = error.message;
  }
}

/** The host application's own user, as a virtual user: made when it is not there yet. */
async function signIn(username, password) {
  try {
    await client.signIn(username, password);
  } catch (error) {
    if (!(error instanceof TributaryError) || error.status !== 403) throw error;
    await client.signUp({ username, email: username, password });
  }
  find("user").textContent = username;
}

/** Makes this user's own instance of a template, and starts it. */
async function activate(template) {
  const { cloneId } = await client.flows.clone(template.flowId, {
    projection: "-sharedWith",
    isTemplateInstance: true,
    setOriginFlowId: true,
    additional: { type: "integration-instance" },
  });
  await client.flows.start(cloneId);
}

/** Every template with a button; those that this user runs already are told so. */
async function showTemplates() {
  const [templates, running] = await Promise.all([
    client.flows.list({ filter: "type:integration-template" }),
    client.flows.list({ filter: ["type:integration-instance", "stage:running"] }),
  ]);
  const active = new Set(running.map(({ originFlowId }) => originFlowId));
  for (const template of templates) {
    const [item, button] = [document.createElement("li"), document.createElement("button")];
    const show = (isActive) => {
      button.disabled = isActive;
      button.textContent = isActive ? `${template.name} is active` : `Activate ${template.name}`;
    };
    show(active.has(template.flowId));
    button.addEventListener("click", () =>
      attempt(async () => {
        await activate(template);
        show(true);
      }),
    );
    item.append(template.description || template.name, button);
    find("templates").append(item);
  }
}

find("contact").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  void attempt(async () => {
    const contact = Object.fromEntries(new FormData(form));
    const { triggers, eventId } = await client.sendAppEvent("contact-created", contact);
    const [item, label, box] = ["li", "label", "input"].map((tag) => document.createElement(tag));
    box.type = "checkbox";
    label.append(box, " Welcome ", contact.fname, ` (${triggers.length} started)`);
    item.dataset.eventId = eventId;
    item.append(label);
    find("items").append(item);
    form.reset();
  });
});

await attempt(async () => {
  await signIn(query.get("user"), query.get("password"));
  await showTemplates();
});
