/** A to-do page of a host application: its user activates an integration, its contacts fire an app event. */
import { createClient, TributaryError } from "./sdk.js";

const query = new URLSearchParams(location.search);
const find = (id) => document.getElementById(id);
const client = createClient({ baseUrl: query.get("api") });

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

async function showTemplates() {
  const templates = await client.flows.list({ filter: "type:integration-template" });
  for (const template of templates) {
    const button = document.createElement("button");
    button.textContent = `Activate ${template.name}`;
    button.addEventListener("click", async () => {
      button.disabled = true;
      await activate(template);
      button.textContent = `${template.name} is active`;
    });
    find("templates").append(button);
  }
}

find("contact").addEventListener("submit", async (event) => {
  event.preventDefault();
  const contact = Object.fromEntries(new FormData(event.target));
  const { triggers, eventId } = await client.sendAppEvent("contact-created", contact);
  const item = document.createElement("li");
  item.dataset.eventId = eventId;
  item.append("Welcome ", contact.fname, ` (${triggers.length} started)`);
  find("items").append(item);
});

try {
  await signIn(query.get("user"), query.get("password"));
  await showTemplates();
} catch (error) {
  find("error").textContent = error.message;
}
