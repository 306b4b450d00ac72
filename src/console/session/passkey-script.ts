/**
 * Lets forms that are marked `data-passkey` ask the browser for a passkey, new (`create`) or present (`get`), and sends
 * its answer with the form. Without scripts these forms stay hidden.
 */
export const PASSKEY_SCRIPT = `
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
  .replace(/[+]/g, "-").replace(/[/]/g, "_").replace(/=/g, "");
const read = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
  ...(options.excludeCredentials && {
    excludeCredentials: options.excludeCredentials.map((one) => ({ ...one, id: bytes(one.id) })),
  }),
});
const written = ({ id, response }) => JSON.stringify({
  id,
  response: Object.fromEntries(
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
      .filter((name) => response[name])
      .map((name) => [name, text(response[name])]),
  ),
});
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = form.querySelector("[role=alert]");
    said.hidden = true;
    try {
      const publicKey = read(JSON.parse(form.dataset.options));
      const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
      form.elements.credential.value = written(credential);
      form.submit();
    } catch (error) {
      said.textContent = error.name === "NotAllowedError" ? "Nothing was done: it was cancelled, or took too long."
        : error.name === "InvalidStateError" ? "This device has a passkey of yours already." : String(error.message);
      said.hidden = false;
    }
  });
}
`;
