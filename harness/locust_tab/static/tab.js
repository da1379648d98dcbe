// What Locust's own table cannot show, below it: phase, merge runs, dead letters, and the live view's charts.
// It stands beside Locust's page, not in it, so that neither gets into the other's way.
const EVERY_MS = 2000;
const base = new URL("./", import.meta.url);

const style = document.createElement("style");
style.textContent = `
  /* Locust's page is at least as high as the window: its tables would be all one sees of this tab */
  body.nrt-open #root, body.nrt-open #root > * { min-height: 0 !important; }
  #nrt { font: 15px/1.5 Roboto, Helvetica, Arial, sans-serif; padding: 0 24px 24px; color: inherit; }
  #nrt h2 { font-size: 1.15rem; font-weight: 500; margin: 1.5rem 0 .5rem; }
  #nrt p { margin: .5rem 0; }
  #nrt table { border-collapse: collapse; width: 100%; }
  #nrt th, #nrt td { text-align: left; padding: 6px 12px; border-bottom: 1px solid #8884; vertical-align: top; }
  #nrt td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
  #nrt .bad { color: #d32f2f; font-weight: 500; }
  #nrt pre { overflow-x: auto; font-size: 13px; }
  #nrt iframe { width: 100%; height: 75vh; border: 1px solid #8884; margin-top: .5rem; background: #fff; }
`;
document.head.append(style);

const root = document.createElement("section");
root.id = "nrt";
root.hidden = true;
root.setAttribute("aria-label", "Pipeline");
document.body.append(root);

const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

const phase = element("p");
phase.setAttribute("role", "status");
const verdict = element("pre");
const problems = element("div");
const merges = element("div");
const letters = element("div");
const live = element("div");
root.append(phase, problems, verdict, merges, letters, live);

const table = (title, headings, rows) => {
  const made = element("table");
  const head = made.createTHead().insertRow();
  headings.forEach((heading) => {
    const cell = element("th", heading);
    cell.scope = "col";
    head.append(cell);
  });
  const body = made.createTBody();
  rows.forEach((row) => {
    const line = body.insertRow();
    row.forEach(([text, className]) => line.append(element("td", text, className)));
  });
  return [element("h2", title), rows.length ? made : element("p", "none so far")];
};

const show = (news) => {
  const judged = news.verdict ?? {};
  phase.textContent = news.phase ?? "No run yet: start one.";
  verdict.textContent = judged.text ?? "";
  verdict.className = judged.verdict && judged.verdict !== "pass" ? "bad" : "";
  problems.replaceChildren(...(news.problems ?? []).map((text) => element("p", text, "bad")));
  merges.replaceChildren(
    ...table(
      "Merge runs",
      ["Run", "Began", "Took (s)", "Late by (s)", "Errors"],
      (news.merges ?? []).map((run) => [
        [run.run, "number"],
        [new Date(run.started_s * 1000).toLocaleTimeString(), "number"],
        [run.took_s.toFixed(2), "number"],
        [run.delayed_s.toFixed(2), "number"],
        [run.errors.join("; "), "bad"],
      ]),
    ),
  );
  letters.replaceChildren(
    ...table(
      "Dead letters",
      ["Type", "Files", "Reason"],
      (news.dead_letters ?? []).map((letter) => [[letter.type], [letter.keys.join(", ")], [letter.reason, "bad"]]),
    ),
  );
  const running = news.live && !judged.verdict;
  if (running && !live.firstChild) {
    const frame = element("iframe");
    frame.title = "Live charts of the run";
    frame.src = new URL("live/", base);
    live.append(element("h2", "Live charts"), frame);
  }
  if (!news.live) live.replaceChildren();
};

const isOpen = () => new URLSearchParams(location.search).get("tab") === "pipeline";

const look = async () => {
  if (!isOpen() || document.hidden) return;
  try {
    const answer = await fetch(new URL("figures.json", base), { cache: "no-store" });
    if (answer.ok) show(await answer.json());
  } catch {
    phase.textContent = "Locust does not answer.";
  }
};

// Locust's page changes its address without telling anybody.
let wasOpen = false;
setInterval(() => {
  const open = isOpen();
  root.hidden = !open;
  document.body.classList.toggle("nrt-open", open);
  if (open && !wasOpen) look();
  wasOpen = open;
}, 200);
setInterval(look, EVERY_MS);
