/**
 * Brings the list of events up to date, row by row: the page is asked for again in the background, at most once a
 * second, and less often while nothing is new. What has the focus, is opened or selected stays as it is, and the focus
 * never moves. Without it the page works as it is, and shows what is new when it is loaded again.
 */
export const LIVE_EVENTS = `
(() => {
  const list = document.getElementById("live");
  const button = document.getElementById("pause");
  const told = document.getElementById("live-state");
  if (!list || !button || !told) return;
  const shortest = Number(list.dataset.every), longest = shortest * 8;
  let wait = shortest, paused = false, isAsking = false, timer;
  const isHeld = (node) => node.contains(document.activeElement) && document.activeElement !== document.body ||
    node.querySelector("details[open]") !== null ||
    !getSelection().isCollapsed && getSelection().containsNode(node, true);
  const rowsOf = (place) => [...place.querySelectorAll("tr[data-key]")];
  const merge = (fresh) => {
    if (!list.querySelector("tbody") || !fresh.querySelector("tbody")) {
      if (list.innerHTML === fresh.innerHTML || isHeld(list)) return 0;
      list.replaceChildren(...fresh.childNodes);
      return rowsOf(list).length;
    }
    const body = list.querySelector("tbody");
    const old = new Map(rowsOf(body).map((row) => [row.dataset.key, row]));
    const wanted = rowsOf(fresh);
    const keys = new Set(wanted.map((row) => row.dataset.key));
    for (const [key, row] of old) if (!keys.has(key) && !isHeld(row)) row.remove();
    let place = body.firstElementChild, added = 0;
    for (const row of wanted) {
      const present = old.get(row.dataset.key);
      if (present === undefined) {
        row.classList.add("new");
        body.insertBefore(row, place);
        added += 1;
        continue;
      }
      const isChanged = present.innerHTML !== row.innerHTML && !isHeld(present);
      if (isChanged) present.replaceChildren(...row.childNodes);
      place = present.nextElementSibling;
    }
    const rest = fresh.ownerDocument.getElementById("more"), here = document.getElementById("more");
    if (rest && here && !isHeld(here)) here.replaceChildren(...rest.childNodes);
    return added;
  };
  const ask = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    // What is in the head is of that page's own nonce, and refused in this one.
    const text = await answer.text();
    const main = text.slice(text.indexOf("<main>"), text.indexOf("</main>"));
    const fresh = new DOMParser().parseFromString(main, "text/html").getElementById("live");
    return fresh && !paused ? merge(fresh) : 0;
  };
  const tick = async () => {
    if (paused || document.hidden || isAsking) return;
    isAsking = true;
    try {
      wait = await ask() > 0 ? shortest : Math.min(longest, wait * 1.5);
    } catch {
      wait = longest;
    }
    isAsking = false;
    plan();
  };
  const plan = () => {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(tick, wait);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    wait = shortest;
    button.textContent = paused ? "Go on" : "Pause";
    told.textContent = paused ? "Paused" : "Live";
    plan();
  });
  document.addEventListener("visibilitychange", () => { wait = shortest; plan(); });
  told.textContent = "Live";
  plan();
})();
`;
