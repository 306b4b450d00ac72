/* global axe, document, getComputedStyle, innerWidth, NodeFilter */

/** Runs in the page, beside axe: what is wrong with how it stands. */
globalThis.lookAt = async () => {
  // The reference of a connector's members is as long as all else together, and alike from line to line.
  for (const details of document.querySelectorAll("details:not(:has(>.members))"))
    details.open = true;
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
  );
  return [...found, ...frame(), ...broken()];
};

function* frame() {
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) yield `it is ${scrollWidth} wide on a screen of ${innerWidth}`;
  const headings = document.querySelectorAll("h1").length;
  if (headings !== 1) yield `it has ${headings} headings of the first level`;
  for (const control of document.querySelectorAll("input:not([type=hidden]),select,textarea"))
    if (!control.hidden && !control.labels.length && !control.ariaLabel)
      yield `nothing labels ${control.outerHTML.slice(0, 80)}`;
}

/** Text in columns so narrow that words are broken, or stand one in a line. */
function* broken() {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const { parentElement: parent, data } = text;
    if (!parent.checkVisibility() || getComputedStyle(parent).fontFamily.includes("mono")) continue;
    for (const { 0: word, index } of data.matchAll(/(?<!\S)\p{L}{2,16}(?!\S)/gu))
      if (linesOf(text, index, index + word.length) > 1) yield `'${word}' is broken in '${data}'`;
    const lines = linesOf(text, 0, data.length);
    if (parent.closest("td,th,dd") && lines > 2 && data.trim().length < 9 * lines)
      yield `'${data}' takes ${lines} lines`;
  }
}

function linesOf(text, start, end) {
  const range = document.createRange();
  range.setStart(text, start);
  range.setEnd(text, end);
  return new Set(Array.from(range.getClientRects(), ({ top }) => Math.round(top))).size;
}
