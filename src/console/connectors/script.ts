/**
 * Offers, while somebody types a name into the document, the members that may stand there, and carries single members
 * between form and document as they are typed. The page works without it.
 */
export const EDITOR_SCRIPT = `
const area = document.querySelector("textarea[name=document]");
const offers = document.querySelector("[data-offers]");
const members = JSON.parse(offers.dataset.offers);
const place = () => {
  const text = area.value.slice(0, area.selectionStart);
  const path = []; let name = null, isText = false, isKey = true, start = 0, word = "";
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (isText) {
      if (sign === "\\\\") at += 1;
      else if (sign === '"') { isText = false; word = text.slice(start, at); if (isKey && path.at(-1)?.isObject) name = word; }
      continue;
    }
    if (sign === '"') { isText = true; start = at + 1; }
    else if (sign === "{" || sign === "[") { path.push({ name, isObject: sign === "{" }); name = null; isKey = sign === "{"; }
    else if (sign === "}" || sign === "]") { name = path.pop()?.name ?? null; isKey = false; }
    else if (sign === ":") isKey = false;
    else if (sign === ",") { isKey = path.at(-1)?.isObject ?? false; name = null; }
  }
  const above = path.slice(1).map((one, index) => one.name ?? "*");
  const fits = (pattern, parts) => pattern.length === parts.length && pattern.every((one, i) => one === "*" || one === parts[i]);
  const typed = isText ? text.slice(start) : "";
  const parts = isKey ? above : [...above, name ?? "*"];
  const found = isKey
    ? members.filter(([path]) => { const all = path.split("."); return fits(all.slice(0, -1), parts) && all.at(-1) !== "*"; })
        .map(([path, description]) => [path.split(".").at(-1), description])
    : members.filter(([path]) => fits(path.split("."), parts)).flatMap(([, description, values]) => values.map((one) => [one, description]));
  return { isText, isKey, typed, found: found.filter(([word]) => word.startsWith(typed)).slice(0, 12) };
};
const put = (word, { isText, isKey, typed }) => {
  const end = area.selectionStart;
  const closed = area.value[end] === '"';
  const text = isText ? word.slice(typed.length) + (closed ? "" : '"') : '"' + word + '"';
  area.setRangeText(text + (isKey && !closed ? ": " : ""), end, area.selectionEnd, "end");
  area.focus(); show();
};
const show = () => {
  const here = place();
  offers.replaceChildren(...here.found.map(([word, description]) => {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = word; button.title = description ?? "";
    button.addEventListener("click", () => put(word, here));
    return button;
  }));
};
for (const what of ["input", "click", "keyup", "focus"]) area.addEventListener(what, show);
// Numbers of more digits than a script's hold are left to the server, which keeps them.
const read = () => {
  try { return /[0-9]{16}/.test(area.value) ? undefined : JSON.parse(area.value); } catch { return undefined; }
};
const controls = [...document.querySelectorAll("[data-member]")];
for (const control of controls)
  control.addEventListener("input", () => {
    const value = read();
    if (typeof value !== "object" || value === null) return;
    const names = control.name.split(".");
    const last = names.pop();
    let holder = value;
    for (const name of names) holder = holder[name] ??= {};
    if (typeof holder !== "object" || Array.isArray(holder)) return;
    if (control.value === "") delete holder[last];
    else holder[last] = control.value;
    area.value = JSON.stringify(value, null, 2);
  });
area.addEventListener("input", () => {
  const value = read();
  if (value === undefined) return;
  for (const control of controls) {
    const found = control.name.split(".").reduce((inner, name) => inner?.[name], value) ?? "";
    if (typeof found !== "object" && (found !== "" || control.matches("input"))) control.value = found;
  }
});
`;
