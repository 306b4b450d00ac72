/** Puts a variable into the field of its form that was written in last. */
export const PICKER = `
const last = new Map();
document.addEventListener("focusin", ({target}) => {
  if (target.form && target.matches("textarea,input:not([type]),input[type=text]")) last.set(target.form, target);
});
for (const code of document.querySelectorAll("[data-variable]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Insert";
  button.setAttribute("aria-label", "Insert " + code.textContent);
  button.addEventListener("click", () => {
    const form = code.closest("form");
    const field = last.get(form) ?? form.elements.namedItem("body");
    field.setRangeText(code.textContent, field.selectionStart, field.selectionEnd, "end");
    field.focus();
  });
  code.parentElement.prepend(button, " ");
}
const open = () => {
  const step = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (step && step.matches("details")) { step.open = true; step.scrollIntoView(); }
};
addEventListener("hashchange", open);
open();
`;
