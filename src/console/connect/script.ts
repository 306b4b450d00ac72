/**
 * What the form of an instance gains by a script: the fields and the JSON of a resource follow each other. The form works
 * without it.
 */
export const CONNECT_SCRIPT = `
for (const card of document.querySelectorAll("[data-resource]")) {
  const json = card.querySelector("[data-json]");
  const fields = [...card.querySelectorAll("[data-field]")];
  const read = () => {
    try {
      const value = JSON.parse(json.value);
      return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
    } catch { return undefined; }
  };
  const placeOf = (value, field) => !field.includes("Date") || field in value ? value : (value.datesConfiguration ??= {});
  for (const input of fields) input.addEventListener("input", () => {
    const value = read();
    if (value === undefined) return;
    const place = placeOf(value, input.dataset.field);
    if (input.value.trim() === "") delete place[input.dataset.field];
    else place[input.dataset.field] = input.value.trim();
    json.value = JSON.stringify(value, null, 2);
  });
  json.addEventListener("input", () => {
    const value = read();
    if (value === undefined) return;
    for (const input of fields) {
      const found = value[input.dataset.field] ?? (input.dataset.field.includes("Date") ? value.datesConfiguration?.[input.dataset.field] : undefined);
      input.value = found === undefined || found === null ? "" : typeof found === "string" ? found : JSON.stringify(found);
    }
  });
}
document.querySelector("form[data-goes-on]")?.requestSubmit();
`;
