// Keeps a page live: hears what happens, fetches the parts that are in view, and swaps them in place.
const main = document.querySelector("main");
const QUIET = 1000, POLL = 5000, NEWS = 10000, HIDDEN = 60000, REST = 3000;

// -- Parts: elements with data-part, which the page's own address gives alone as ?part=NAME.

// Makes an element like a new one and leaves alone what did not change, so that focus, selections
// and what a person has typed or opened stay.
function morph(old, made) {
  if (old.isEqualNode(made)) return;
  if (old.nodeName !== made.nodeName || old.nodeType !== made.nodeType) return old.replaceWith(made);
  if (old.nodeType !== Node.ELEMENT_NODE) return void (old.nodeValue = made.nodeValue);
  for (const {name} of [...old.attributes]) {
    if (!made.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const {name, value} of made.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const known = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]));
  let place = old.firstChild;
  for (const child of [...made.childNodes]) {
    let match = child.id ? known.get(child.id) : place;
    if (!child.id && match?.id) match = null; // what is known by its id is taken by nothing else
    if (!match) {
      old.insertBefore(child, place);
      continue;
    }
    if (match === place) place = place.nextSibling;
    else old.insertBefore(match, place);
    morph(match, child);
  }
  for (let next; place; place = next) {
    next = place.nextSibling;
    place.remove();
  }
}

const inView = new Set();
const watcher = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) {
    if (!isIntersecting) inView.delete(target);
    else if (!inView.has(target)) {
      inView.add(target);
      if (target.dataset.figure && !target.drawn) draw(target);
    }
  }
}, {rootMargin: "200px"});

let running = false, again = false, last = 0;
async function refresh() {
  if (running) return void (again = true);
  running = true;
  await new Promise((done) => setTimeout(done, Math.max(0, last + QUIET - Date.now())));
  [last, again] = [Date.now(), false];
  try {
    // The status is fetched wherever it is: it carries the title and the news.
    const parts = [...document.querySelectorAll("[data-part]")].filter(
      (one) => inView.has(one) || one.id === "status" || !one.firstElementChild,
    );
    const query = new URLSearchParams(location.search);
    for (const one of parts) query.append("part", one.dataset.part);
    const answer = parts.length && await fetch(`${location.pathname}?${query}`, {cache: "no-cache"});
    if (answer) {
      if (answer.status === 404 || answer.redirected) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const box = document.createElement("template");
      box.innerHTML = await answer.text();
      for (const one of box.content.querySelectorAll("[data-part]")) {
        const old = document.getElementById(one.id);
        if (old) morph(old, one);
      }
    }
    tell();
    for (const one of inView) if (one.dataset.figure) draw(one);
    away(false);
  } catch {
    away(true);
  } finally {
    running = false;
    if (again) refresh();
  }
}

const away = (is) => (document.getElementById("away").hidden = !is);

// The title at once; a screen reader hears news at most every ten seconds.
let told = 0, said = document.querySelector("[data-news]")?.dataset.news;
function tell() {
  const {title, news} = document.querySelector("[data-title]")?.dataset ?? {};
  if (title) document.title = title;
  if (!news || news === said || Date.now() - told < NEWS) return;
  [told, said] = [Date.now(), news];
  document.getElementById("news").textContent = news;
}

// -- Figures: drawn when they come into view, by Plotly, which is loaded once a page has been seen.

let plotly;
function load() {
  const add = (address) => new Promise((done, fail) => {
    const script = document.createElement("script");
    [script.src, script.onload, script.onerror] = [address, done, fail];
    document.head.append(script);
  });
  const {plotly: big, figures} = document.body.dataset;
  return (plotly ??= Promise.all([add(big), add(figures)]));
}

// One drawing at a time of each, and then a rest; a figure that did not change is left alone.
async function draw(element) {
  if (element.drawing) return void (element.stale = true);
  [element.drawing, element.stale] = [true, false];
  await drawn(element);
  setTimeout(() => {
    element.drawing = false;
    if (element.stale) draw(element);
  }, REST);
}

async function drawn(element) {
  try {
    const answer = await fetch(element.dataset.figure, {cache: "no-cache"});
    if (!answer.ok) throw new Error(answer.status);
    const tag = answer.headers.get("ETag");
    if (tag && tag === element.drawn) return;
    const figure = await answer.json();
    const isEmpty = !figure.data?.some((one) => one.x?.length);
    if (isEmpty) return void (element.textContent = figure.empty ?? "Nothing to draw yet.");
    await load();
    if (!element.drawn) element.textContent = "";
    await vlgaFigures.draw(element, figure);
    if (!element.drawn) element.on("plotly_click", ({points: [{customdata}]}) => {
      if (customdata != null) location.href = `/s/${element.dataset.search}/${customdata}`;
    });
    element.drawn = tag ?? "drawn";
  } catch {
    if (!element.drawn) element.textContent = "The chart could not be loaded; the page tries again.";
  }
}

// -- The stream of events. A hidden tab lets it go: browsers open only six connections to a host.

let stream, poll;
function listen() {
  stream?.close();
  clearInterval(poll);
  if (!main.dataset.live) return;
  if (document.hidden) return void (poll = setInterval(refresh, HIDDEN));
  refresh();
  stream = new EventSource(main.dataset.live);
  for (const name of ["search", "outcomes"]) stream.addEventListener(name, refresh);
  stream.addEventListener("gone", () => main.dataset.live.includes("?") ? location.assign("/") : refresh());
  stream.addEventListener("open", () => clearInterval(poll));
  for (const name of ["bye", "error"]) stream.addEventListener(name, () => {
    clearInterval(poll);
    poll = setInterval(refresh, POLL);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || listen(), POLL);
  });
}

// -- Forms: checked by the service while somebody types.

for (const form of document.querySelectorAll("form[data-check]")) {
  let timer, asked = 0;
  const check = async () => {
    const mine = ++asked;
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.check, {method: "POST", body}).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    const box = document.createElement("template");
    box.innerHTML = await answer.text();
    const made = box.content.firstElementChild, {field} = made.dataset;
    morph(document.getElementById(made.id), made);
    for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
    for (const one of form.querySelectorAll(".problem")) one.textContent = "";
    const wrong = field && form.elements[field];
    if (!wrong) return;
    wrong.setAttribute("aria-invalid", "true");
    document.getElementById(`problem-${field}`).textContent = made.dataset.problem;
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, 400);
  });
  form.addEventListener("focusin", check, {once: true});
}
document.addEventListener("click", async ({target}) => {
  const text = target.dataset?.copy && document.getElementById(target.dataset.copy)?.textContent;
  if (!text) return;
  await navigator.clipboard.writeText(text);
  document.getElementById("news").textContent = "Copied.";
});

for (const one of document.querySelectorAll("[data-part], [data-figure]")) watcher.observe(one);
document.addEventListener("visibilitychange", listen);
// After the first paint, and with the page's own content in place.
requestAnimationFrame(() => setTimeout(listen));
